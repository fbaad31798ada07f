"""What forecasts learn from, read from the database now and then and kept meanwhile: reading weeks of jobs for each question would take seconds."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from fabriek.compute.forecasting.calibrating import KEPT_MAX, Calibration
from fabriek.compute.forecasting.chances import outcome_of
from fabriek.compute.forecasting.forecasts import Outcome
from fabriek.compute.forecasting.futures import Drawn, Future
from fabriek.compute.forecasting.past import WEEK, WEEKS_BACK, Came, Lengths, Owner, Ran
from fabriek.compute.forecasting.ports import Forecasts, Past
from fabriek.kernel.clock import Clock

AGE_SECONDS_MAX = 300.0
OWNERS_AGE_SECONDS_MAX = 60.0
JOBS_MAX = 20_000
FUTURES = 4


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that was learnt, as it stood at one instant."""

    lengths: Lengths
    came: Came
    calibration: Calibration


class Memory:
    """One of these serves all threads."""

    def __init__(self, past: Past, forecasts: Forecasts, clock: Clock) -> None:
        self._past, self._forecasts, self._clock = past, forecasts, clock
        self._known: Known | None = None
        self._owners: Mapping[str, Owner] = {}
        self._read_at = self._owners_at = float("-inf")
        self._lock = threading.Lock()

    def known(self) -> Known:
        """Some minutes old at most."""
        with self._lock:
            if self._known is None or self._clock.monotonic() - self._read_at > AGE_SECONDS_MAX:
                self._known, self._read_at = self._read(), self._clock.monotonic()
            return self._known

    def forget(self) -> None:
        """Reads anew at the next question."""
        with self._lock:
            self._known = None

    def owners(self) -> Mapping[str, Owner]:
        """Of the jobs that are there, or were a minute ago: who came since follows everybody's habits."""
        with self._lock:
            if self._clock.monotonic() - self._owners_at > OWNERS_AGE_SECONDS_MAX:
                self._owners, self._owners_at = self._past.owners(), self._clock.monotonic()
            return self._owners

    def futures(self, now: datetime, owners: Mapping[str, Owner]) -> Sequence[Future]:
        """As many as are played, to be played once; none where there is too little past to draw from. The same past draws the same."""
        known = self.known()
        if not known.lengths.enough:
            return ()
        return [
            Drawn(number, now, known.lengths, known.came, owners, _ran, Random(number))  # noqa: S311  # draws, no secrets
            for number in range(FUTURES)
        ]

    def _read(self) -> Known:
        jobs = self._past.since(self._clock.now() - WEEK * (WEEKS_BACK + 1), limit=JOBS_MAX)
        lengths = Lengths()
        for job in jobs:
            if job.ran_seconds is not None:
                lengths.note(job.owner, job.shape.wall_seconds_max, job.ran_seconds)
        return Known(lengths, Came(jobs), Calibration(self._outcomes()))

    def _outcomes(self) -> Iterator[Outcome]:
        for one in self._forecasts.outcomes(limit=KEPT_MAX):
            if one.features is not None and one.started_at is not None:
                yield outcome_of(one.first, one.features, one.started_at)


def _ran(job: Ran) -> float | None:
    return job.ran_seconds
