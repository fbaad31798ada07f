"""What an installation's own past says: how long jobs ran of the time they asked for, and which jobs came when."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from fabriek.compute.jobs import Priority, Shape

OF_ONE_MAX = 50
OF_ALL_MAX = 1_000
ENOUGH_OF_ONE = 5
"""From so many jobs on, what a person or a project did before is a better guide than what everybody did."""

ENOUGH_OF_ALL = 30
"""Below that, nothing is drawn from the past."""

LEAST_SECONDS = 1.0
WEEK, DAY = timedelta(days=7), timedelta(days=1)
WEEKS_BACK = 4


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose habits a job follows. Never shown to anybody."""

    person: str = ""
    project: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """A job of the past. `ran_seconds`: None while nobody knows."""

    job: str
    owner: Owner
    share: str
    shape: Shape
    submitted_at: datetime
    ran_seconds: float | None = None
    priority: Priority = Priority.NORMAL


class Lengths:
    """Parts of the time asked for that jobs ran, the latest of each person, each project, and all."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], deque[float]] = {}
        self._all = deque[float](maxlen=OF_ALL_MAX)

    @property
    def enough(self) -> bool:
        return len(self._all) >= ENOUGH_OF_ALL

    def note(self, owner: Owner, asked_seconds: float, ran_seconds: float) -> None:
        part = min(1.0, max(0.0, ran_seconds) / max(1.0, asked_seconds))
        for kind, name in (("person", owner.person), ("project", owner.project)):
            if name:
                self._of.setdefault((kind, name), deque(maxlen=OF_ONE_MAX)).append(part)
        self._all.append(part)

    def draw(self, owner: Owner, asked_seconds: float, chance: Random, *, beyond: float = 0.0) -> float:
        """Seconds that one may run which asked for so many. beyond: it has run so long already."""
        parts = self._like(owner)
        if beyond > 0:
            parts = [one for one in parts if one * asked_seconds > beyond]
        if not parts:  # longer than any before it, or there is none
            return beyond + chance.random() * max(LEAST_SECONDS, asked_seconds - beyond)
        return max(LEAST_SECONDS, parts[int(chance.random() * len(parts))] * asked_seconds)

    def _like(self, owner: Owner) -> Sequence[float]:
        for key in (("person", owner.person), ("project", owner.project)):
            found = self._of.get(key, ())
            if len(found) >= ENOUGH_OF_ONE:
                return list(found)
        return list(self._all)[-2 * OF_ONE_MAX :]


class Came:
    """Jobs by when they were submitted, for the question who came a week ago."""

    def __init__(self, jobs: Iterable[Ran] = ()) -> None:
        self._jobs = sorted(jobs, key=lambda one: one.submitted_at)
        self._at = [one.submitted_at for one in self._jobs]

    def add(self, job: Ran) -> None:
        """The newest of all."""
        self._jobs.append(job)
        self._at.append(job.submitted_at)

    def back(self, now: datetime, number: int) -> timedelta | None:
        """How far back to look for the number-th future: whole weeks, since weeks are alike; whole days where there is no week yet; None where
        there is not even a day.
        """
        if not self._at:
            return None
        there = now - self._at[0]
        unit = WEEK if there >= WEEK else DAY
        known = min(WEEKS_BACK, there // unit)
        return unit * (1 + number % known) if known else None

    def since(self, then: datetime, until: datetime) -> Iterator[Ran]:
        """Those submitted after `then`, and not after `until`, in order."""
        last = bisect_right(self._at, until)
        for index in range(bisect_right(self._at, then), last):
            yield self._jobs[index]

    def forget(self, before: datetime) -> None:
        past = bisect_left(self._at, before)
        del self._jobs[:past], self._at[:past]
