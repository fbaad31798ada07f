"""What duties need kept."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol

from fabriek.access.reviewing.telling import Told
from fabriek.funding.allocations import Allocation
from fabriek.funding.duties.acknowledgements import Acknowledgement
from fabriek.funding.duties.reports import Report
from fabriek.funding.resources import Resource


class Reports(Protocol):
    """Storage of reports."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]: ...

    def get(self, allocation: str, kind: str) -> Report:
        """An empty one that is due where nothing was typed yet."""

    def among(self, allocations: Collection[str]) -> Mapping[tuple[str, str], Report]:
        """(allocation, kind) → report, of those that were begun."""

    def put(self, report: Report) -> None: ...

    def filed(self) -> Sequence[Report]:
        """Those that wait for a decision, the longest filed first."""

    def begun_before(self, day: date, *, applicant: str, projects: Collection[str]) -> Sequence[Allocation]:
        """What was awarded before that day, on applications of this person or to these projects. In a few questions, however many there are."""


class DutyAllocations(Protocol):
    """Storage of allocations, for what they oblige to."""

    def get(self, allocation_id: str) -> Allocation:
        """Raises NotFound."""

    def of_project(self, project: str) -> Sequence[Allocation]: ...

    def all(self) -> Sequence[Allocation]: ...

    def move_end(self, allocation_id: str, ends_on: date) -> None: ...


class Extensions(Protocol):
    """Storage of which awards were extended, and what was awarded and paid."""

    def extended_on(self, allocation: str, rule: str) -> date | None: ...

    def add(self, allocation: str, rule: str, on: date, by: str, ends_on: date) -> None: ...

    def awarded(self, allocation: str) -> Mapping[Resource, int]:
        """What the award itself brought, in micro-units."""


class Thanked(Protocol):
    """Storage of the texts that funders set, and what was used."""

    def text_of(self, share: str) -> Acknowledgement | None: ...

    def put_text(self, text: Acknowledgement) -> None: ...

    def used(self, allocations: Sequence[str], since: datetime, until: datetime) -> Mapping[Resource, int]:
        """Micro-units that were booked as used between these instants, the second left out."""


class Reminders(Protocol):
    """Storage of what people were reminded of."""

    def add(self, told: Told) -> bool:
        """False where it was written before."""

    def unsent(self, now: datetime, *, limit: int) -> Sequence[Told]: ...

    def save(self, told: Told) -> None: ...
