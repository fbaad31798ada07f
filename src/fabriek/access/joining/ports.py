"""What coming in and going out need kept, and from whom."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from fabriek.access.joining.invitations import Invitation
from fabriek.access.joining.leavings import Leaving
from fabriek.access.joining.proofs import Proof
from fabriek.access.joining.reminders import Reminder
from fabriek.access.joining.reviews import Item, Review, Suspended
from fabriek.access.people import Person
from fabriek.kernel.callers import Caller


class Invitations(Protocol):
    """Storage of invitations. Every change joins the transaction that is open."""

    def add(self, invitation: Invitation) -> None: ...

    def get(self, invitation_id: str) -> Invitation | None: ...

    def with_hash(self, code_hash: str) -> Invitation | None: ...

    def save(self, invitation: Invitation) -> None: ...

    def listed(
        self, *, project: str = "", organisation: str = "", email: str = "", invited_by: str = ""
    ) -> Sequence[Invitation]:
        """Those that match every name given, newest first."""

    def run_out(self, now: datetime) -> Sequence[Invitation]:
        """Those that are over and not yet marked."""


class Standings(Protocol):
    """Storage of what people are: here or not, and which roles they hold everywhere."""

    def save(self, person: Person) -> None:
        """Their roles and whether they are active; no name and no address."""

    def holding(self, role: str) -> Sequence[Person]:
        """Active people, not services, who hold this role everywhere."""

    def with_roles(self) -> Sequence[Person]:
        """Active people and services that hold any role everywhere."""

    def signed_for_by(self, person: str) -> Sequence[Person]:
        """The services that somebody answers for."""

    def projects_without_lead(self) -> Sequence[str]:
        """Ids of projects that no person who is here leads; a service is no lead."""

    def projects_with_members(self) -> Sequence[str]:
        """Ids of projects with anybody in them."""


class Leavings(Protocol):
    """Storage of who left."""

    def add(self, leaving: Leaving) -> None: ...

    def save(self, leaving: Leaving) -> None: ...

    def of_person(self, person: str) -> Sequence[Leaving]:
        """Newest first."""

    def unclosed(self) -> Sequence[Leaving]: ...


class Reviews(Protocol):
    """Storage of reviews."""

    def begin(self, quarter: str, now: datetime) -> bool:
        """Whether there is something to look over: this quarter begins with this call, and there was one before it."""

    def add(self, review: Review, items: Sequence[Item]) -> None: ...

    def save(self, review: Review) -> None: ...

    def open_ones(self) -> Sequence[Review]: ...

    def newest(self, project: str) -> Review | None:
        """Of the roles held everywhere where project is empty."""

    def items(self, review: str) -> Sequence[Item]: ...

    def decide(self, item: Item) -> None: ...


class Reminders(Protocol):
    """Storage of who was reminded of which review."""

    def add(self, reminder: Reminder) -> bool:
        """Whether it is new: the same is written once."""

    def of_review(self, review: str) -> Sequence[Reminder]: ...

    def unsent(self, now: datetime, *, limit: int) -> Sequence[Reminder]:
        """Those whose time to be tried has come."""

    def save(self, reminder: Reminder) -> None: ...


class SuspendedOnes(Protocol):
    """Storage of what is kept without its rights."""

    def put(self, one: Suspended) -> None: ...

    def take(self, project: str, person: str, role: str) -> None: ...

    def of(self, project: str) -> Sequence[Suspended]:
        """Roles held everywhere where it is empty."""


class Rooms(Protocol):
    """What closes data to somebody who left: the vault."""

    def close_person(self, person: str, projects: Sequence[str], *, by: Caller) -> None:
        """Idempotent. Raises Unavailable where a key cannot be replaced now."""


class Proofs(Protocol):
    """Storage of what organisations showed last."""

    def put(self, proof: Proof) -> None:
        """Replaces what was shown before."""

    def note_number(self, organisation: str, number: str) -> None:
        """The organisation's number in the register, now that an administrator of the installation says so."""

    def of_organisation(self, organisation: str) -> Proof | None: ...

    def due_before(self, day: date) -> Sequence[Proof]:
        """Those whose day lies before it, the longest overdue first."""


class RoomsOfMembers(Protocol):
    """What closes one project's data to somebody."""

    def remove_member(self, project: str, person: str, *, by: Caller) -> None:
        """Takes somebody out of a project, and closes what they had open there."""

    def close_member(self, project: str, person: str, *, by: Caller) -> None:
        """Closes what they had open there; whoever calls has taken the membership."""


class Post(Protocol):
    """Where mail is handed in."""

    def send(self, to: str, subject: str, text: str, *, name: str) -> None:
        """Raises Unavailable."""
