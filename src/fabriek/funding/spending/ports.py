"""What running out needs kept."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from fabriek.funding.resources import Resource
from fabriek.funding.spending.standing import Standing
from fabriek.funding.spending.tellings import Telling


@dataclass(frozen=True, slots=True)
class Lapsed:
    """What was found of a grant when it was looked at whether it is used: once for each. Amounts in micro-units."""

    allocation: str
    resource: Resource
    project: str
    looked_on: date
    granted: int
    used: int
    cut: int


class Standings(Protocol):
    """Storage of projects' standings; an open project that lacks nothing has none."""

    def get(self, project: str) -> Standing | None: ...

    def all(self) -> Mapping[str, Standing]: ...

    def among(self, projects: Collection[str]) -> Mapping[str, Standing]: ...

    def put(self, standing: Standing) -> None: ...


class Lapses(Protocol):
    """Storage of looks at grants."""

    def add(self, lapsed: Lapsed) -> None: ...

    def looked_at(self) -> Collection[str]:
        """The allocations that were."""

    def of_project(self, project: str) -> Sequence[Lapsed]:
        """Newest first."""


class Tellings(Protocol):
    """Storage of what was told."""

    def add(self, telling: Telling) -> bool:
        """Whether it is new."""

    def abouts(self, projects: Collection[str]) -> Collection[str]:
        """What the leads of these projects were told of."""

    def of_project(self, project: str, person: str) -> Sequence[Telling]:
        """Newest first."""

    def unsent(self, now: datetime, *, limit: int) -> Sequence[Telling]: ...

    def save(self, telling: Telling) -> None: ...
