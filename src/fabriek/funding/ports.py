"""What funding needs kept."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Protocol

from fabriek.access.joining.classes import Class, Place
from fabriek.funding.allocations import Allocation
from fabriek.funding.elsewhere.foreign import Dump, ForeignJob, ForeignKey, Refused
from fabriek.funding.giving.contributions import Contribution
from fabriek.funding.giving.shares import Share
from fabriek.funding.ledger import Entry, Hold, Posting
from fabriek.funding.reports import ForeignTotal
from fabriek.funding.resources import Resource


class Ledger(Protocol):
    """The ledger and the balances that follow from it. Nothing is ever changed or removed."""

    def transaction(self, *, alone: str = "", single: bool = False) -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key. single: of one posting, and nothing changed beside it."""

    def post(self, *postings: Posting) -> int:
        """Appends the postings and moves the balances; how many were new, one whose key stands there already left out.

        Raises CreditsExhausted when after all of them an account that may not would be below zero.
        """

    def posting(self, transaction: str) -> Posting:
        """Raises NotFound."""

    def keyed(self, key: str) -> Posting | None:
        """The posting of that act, where it stands."""

    def balance(self, account: str, resource: Resource) -> int: ...

    def balances(self) -> Mapping[tuple[str, Resource], int]: ...

    def balances_of(self, allocations: Iterable[str]) -> Mapping[tuple[str, Resource], int]:
        """Those of these allocations: what they have, hold, used and owe."""

    def entries(self, *, account: str, limit: int) -> Sequence[Entry]:
        """Newest first."""

    def sums(self) -> Mapping[Resource, int]:
        """What all entries sum to, from the entries themselves: zero in each resource."""


class Funds(Protocol):
    """Storage of contributions and shares."""

    def add_contribution(self, contribution: Contribution) -> None: ...

    def save_contribution(self, contribution: Contribution) -> None: ...

    def contributions(self) -> Sequence[Contribution]: ...

    def add_share(self, share: Share) -> None: ...

    def shares(self) -> Sequence[Share]:
        """By name."""


class Allocations(Protocol):
    """Storage of allocations and of what jobs hold."""

    def add(self, allocation: Allocation) -> None: ...

    def get(self, allocation_id: str) -> Allocation:
        """Raises NotFound."""

    def of_project(self, project: str) -> Sequence[Allocation]: ...

    def all(self) -> Sequence[Allocation]: ...

    def add_hold(self, held: Hold) -> None: ...

    def save_hold(self, held: Hold) -> None: ...

    def hold_of(self, job: str) -> Hold | None: ...


class SplitAllocations(Protocol):
    """Storage of allocations, for splitting one."""

    def add(self, allocation: Allocation) -> None: ...

    def get(self, allocation_id: str) -> Allocation:
        """Raises NotFound."""

    def of_project(self, project: str) -> Sequence[Allocation]: ...

    def move_end(self, allocation_id: str, ends_on: date) -> None: ...


class ForeignJobs(Protocol):
    """Storage of jobs that ran at other sites."""

    def known(self, keys: Iterable[ForeignKey]) -> Mapping[ForeignKey, ForeignJob]:
        """Those of the keys that stand in our books. All of one site and cluster or of several."""

    def add(self, new: Sequence[ForeignJob]) -> None: ...

    def save(self, job: ForeignJob) -> None: ...

    def totals(self, project: str) -> Sequence[ForeignTotal]:
        """Per project, site and resource; of one project, or of all where it is empty."""


class Dumps(Protocol):
    """Storage of imports and of the lines that they could not book."""

    def add(self, dump: Dump) -> None: ...

    def get(self, dump_id: str) -> Dump:
        """Raises NotFound."""

    def save(self, dump: Dump) -> None: ...

    def newest(self, limit: int) -> Sequence[Dump]: ...

    def quarantine(self, dump_id: str, lines: Sequence[Refused]) -> None: ...

    def quarantined(self, dump_id: str, *, limit: int, after: int) -> Sequence[Refused]:
        """By line, from the one after `after` on."""


class Classes(Protocol):
    """Storage of classes and their places."""

    def add(self, course: Class) -> None:
        """Raises AlreadyExists when the slug is taken."""

    def save(self, course: Class) -> None: ...

    def named(self, name: str) -> Class:
        """By id or slug. Raises NotFound."""

    def of_projects(self, projects: Sequence[str]) -> Sequence[Class]: ...

    def places_of(self, person: str) -> Sequence[Place]:
        """Those that are a student's now."""

    def not_closed(self) -> Sequence[Class]: ...

    def put_place(self, place: Place) -> None: ...

    def places(self, course: str) -> Sequence[Place]:
        """By number, those that were dropped too."""
