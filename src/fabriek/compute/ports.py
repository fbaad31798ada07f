"""What compute needs kept: its jobs, what was decided about them, and the announced power limits."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from fabriek.compute.contenders import Waiting
from fabriek.compute.decisions import Decision
from fabriek.compute.jobs import Job, State
from fabriek.compute.limits import AnnouncedLimit
from fabriek.compute.notices.notices import Notice
from fabriek.compute.packs.packs import Pack
from fabriek.compute.secrets.secrets import Secret
from fabriek.compute.terms import Terms


class Jobs(Protocol):
    """Storage of jobs. Every method joins the transaction that is open."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def add(self, new: Sequence[Job]) -> None: ...

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""

    def save(self, job: Job) -> None: ...

    def of_project(self, project: str, *, limit: int, before: str, active: bool = False) -> Sequence[Job]:
        """Newest first; `before` is the id of the last one already seen, or empty. `active`: only those that have not ended."""

    def in_states(self, states: frozenset[State]) -> Sequence[Job]:
        """Oldest first."""

    def unsettled(self) -> Sequence[Job]:
        """Ended, and not settled yet."""


class JobNames(Protocol):
    """Finding jobs by what people call them."""

    def numbers(self, count: int) -> range:
        """The next numbers, by which as many jobs are called from now on."""

    def called(self, project: str, number: int, index: int | None) -> Job:
        """The job of that number, or an element of the array of that number. Raises NotFound."""

    def among(self, ids: Iterable[str]) -> Mapping[str, Job]:
        """By id; what is not known is left out."""

    def of_array(self, array: str) -> Sequence[Job]:
        """By index; empty where there is no such array."""

    def states(self, ids: Iterable[str]) -> Mapping[str, Sequence[State]]:
        """Of jobs, and of all elements of arrays. What is not known is left out."""


class Secrets(Protocol):
    """Storage of sealed secrets. Every method joins the transaction that is open."""

    def put(self, secret: Secret) -> None:
        """Adds it, or replaces the project's secret of that name."""

    def of_project(self, project: str) -> Sequence[Secret]:
        """By name."""

    def remove(self, secret: Secret) -> None: ...

    def note_use(self, secret: Secret, at: datetime) -> None:
        """Nothing where it was replaced meanwhile."""


class Notices(Protocol):
    """Storage of what is to be told. Every change joins the transaction that is open."""

    def add(self, notice: Notice) -> None:
        """Nothing where a notice of that id is there."""

    def due(self, now: datetime, *, limit: int) -> Sequence[Notice]:
        """Neither sent nor given up, and their time has come; the longest waiting first."""

    def save(self, notice: Notice) -> None: ...

    def of_subject(self, subject: str) -> Sequence[Notice]:
        """Of a job or an array, by their time."""


class Queue(Protocol):
    """The jobs that wait, as much of each as a round of decisions needs."""

    def waiting(self, *, bound: bool = False) -> Sequence[tuple[Waiting, Terms]]:
        """Oldest first, each with its terms and no gate yet. `bound`: only those that have terms of their own."""


class JobStatistics(Protocol):
    """Questions over all jobs."""

    def count_by_state(self) -> dict[str, int]: ...

    def finished(self, *, limit: int) -> Sequence[Job]:
        """The latest that ran to an end, oldest first: what the simulator replays."""

    def finished_within(self, begin: datetime, end: datetime, *, limit: int) -> tuple[Sequence[Job], int]:
        """The latest that were submitted from `begin` until before `end` and ran to an end of their own, oldest first; and how many there
        were in all.
        """


class Decisions(Protocol):
    """The last decision on each waiting job: what `fabriek job why` says."""

    def keep(self, decisions: Sequence[Decision], at: datetime) -> None:
        """Replaces what was decided before."""

    def last(self, job_id: str) -> Decision | None: ...


class PowerLimits(Protocol):
    """Storage of announced limits."""

    def add(self, limit: AnnouncedLimit) -> None: ...

    def get(self, limit_id: str) -> AnnouncedLimit:
        """Raises NotFound."""

    def save(self, limit: AnnouncedLimit) -> None: ...

    def from_on(self, at: datetime) -> Sequence[AnnouncedLimit]:
        """In force at this instant or to come, by their start."""


class Packs(Protocol):
    """Storage of packs."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def add(self, pack: Pack) -> None: ...

    def get(self, pack_id: str) -> Pack:
        """Raises NotFound."""

    def save(self, pack: Pack) -> None: ...

    def of_project(self, project: str, *, limit: int) -> Sequence[Pack]:
        """Newest first."""
