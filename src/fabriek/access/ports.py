"""What organisations, people and projects need kept."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from fabriek.access.organisations import Organisation
from fabriek.access.people import Person
from fabriek.access.projects import Membership, Project


class Organisations(Protocol):
    """Storage of organisations. Every change joins the transaction that is open."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def add(self, organisation: Organisation) -> None:
        """Raises AlreadyExists when the slug is taken."""

    def named(self, name: str) -> Organisation:
        """By id or slug. Raises NotFound."""

    def all(self) -> Sequence[Organisation]:
        """By slug."""


class People(Protocol):
    """Storage of people; their names lie in a table of their own, which can be erased."""

    def add(self, person: Person) -> None:
        """Raises AlreadyExists when the address is taken."""

    def get(self, person_id: str) -> Person:
        """Raises NotFound."""

    def among(self, person_ids: Collection[str]) -> Mapping[str, Person]:
        """Id → person. Raises NotFound where one of them is nobody."""

    def with_email(self, email: str) -> Person | None: ...

    def of_organisation(self, organisation: str) -> Sequence[Person]: ...

    def count(self) -> int:
        """Services are none."""


class Memberships(Protocol):
    """Storage of who is in which project, all at once."""

    def mark(self) -> str:
        """A short text that changes whenever somebody comes into a project or leaves one, or leaves altogether."""


class Projects(Protocol):
    """Storage of projects and who is in them."""

    def add(self, project: Project) -> None:
        """Raises AlreadyExists when the slug is taken."""

    def named(self, name: str) -> Project:
        """By id or slug. Raises NotFound."""

    def among(self, project_ids: Collection[str]) -> Mapping[str, Project]:
        """Id → project. Raises NotFound where there is no such one."""

    def put_member(self, membership: Membership, at: datetime) -> None:
        """Adds a person, or changes their role."""

    def take_member(self, project: str, person: str, at: datetime) -> None: ...
    def members(self, project: str) -> Sequence[Membership]: ...

    def of_person(self, person: str) -> Sequence[Membership]: ...
