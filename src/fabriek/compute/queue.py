"""The queue as it stands: who waits, in the order in which admission asks them, with why and until when. Whose job it is, only they read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from fabriek.compute.admission import admit
from fabriek.compute.contenders import Waiting
from fabriek.compute.decisions import Because, Decision
from fabriek.compute.free import Free, free_ahead
from fabriek.compute.jobs import Job
from fabriek.compute.ports import JobNames
from fabriek.compute.progress import Progress
from fabriek.compute.snapshot import Snapshot
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import Clock

SECONDS_OLD_MAX = 10.0
"""For so long one look at the queue serves whoever asks: with ten thousand in it, deciding on all of them takes a while."""

TELLING = frozenset({Because.DEPENDENCY, Because.NOT_BEFORE, Because.ARRAY, Because.HELD})
"""Reasons whose sentences tell of the job's own terms."""


@dataclass(frozen=True, slots=True)
class Place:
    """One that waits. `number`: its place, from 1 on."""

    number: int
    waiting: Waiting
    decision: Decision

    @property
    def says(self) -> str:
        """Why it waits, for whoever may not know of it."""
        return "It waits for what it asked to wait for." if self.decision.code in TELLING else self.decision.reason


@dataclass(frozen=True, slots=True)
class Look:
    """The queue at an instant, and what will be free as it stands."""

    at: datetime
    places: tuple[Place, ...]
    free: tuple[Free, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """Some places. `jobs`: those of them that the caller may look at, by id. `of`: how many there are in all, `own` how many of those they may look
    at; `more`: whether others follow.
    """

    at: datetime
    places: Sequence[Place]
    jobs: Mapping[str, Job]
    of: int
    own: int
    more: bool


@dataclass(slots=True)
class _Round:
    """What a round of decisions saw, and when by the clock that only goes on; the look is made of it when somebody asks."""

    seen: float
    at: datetime
    snapshot: Snapshot
    decided: Sequence[Decision]
    look: Look | None = None


class Queueing:
    """Shows what the worker's last round saw; where no worker is in this process, decides as a round does and writes nothing."""

    def __init__(self, progress: Progress, names: JobNames, clock: Clock) -> None:
        self._progress, self._names, self._clock = progress, names, clock
        self._lock = Lock()
        self._last: _Round | None = None

    def saw(self, snapshot: Snapshot, decided: Sequence[Decision], at: datetime) -> None:
        """For who decides, so that nobody decides a second time only to look."""
        self._last = _Round(self._clock.monotonic(), at, snapshot, decided)

    def look(self) -> Look:
        """At most some seconds old. Who comes while another looks waits for what that one sees."""
        with self._lock:
            last, now = self._last, self._clock.monotonic()
            if last is None or not 0 <= now - last.seen <= SECONDS_OLD_MAX:
                snapshot, at = self._progress.snapshot(), self._clock.now()
                self._last = last = _Round(now, at, snapshot, admit(snapshot, at))
            if last.look is None:
                last.look = _look(last)
            return last.look

    def shown(self, *, after: int, limit: int, own_only: bool, by: Caller) -> Shown:
        """The places from `after` on; of the caller's own alone where that is wanted."""
        look = self.look()
        own = [place for place in look.places if _may_look(place, by)]
        rest = own if own_only else look.places
        begin = next((number for number, place in enumerate(rest) if place.number > after), len(rest))
        found = rest[begin : begin + limit]
        named = self._names.among([place.waiting.job for place in found if _may_look(place, by)])
        return Shown(look.at, found, named, len(look.places), len(own), begin + limit < len(rest))


def _look(last: _Round) -> Look:
    """Without those that the round let in."""
    waiting = {one.job: one for one in last.snapshot.queued}
    still = [one for one in last.decided if not one.starts]
    places = tuple(Place(number, waiting[one.job], one) for number, one in enumerate(still, 1))
    return Look(last.at, places, free_ahead(last.snapshot, last.at))


def _may_look(place: Place, by: Caller) -> bool:
    return by.may("job.view", project=place.waiting.owner)
