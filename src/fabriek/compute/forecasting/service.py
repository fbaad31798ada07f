"""What one may ask of forecasts: when a job would start that nobody submitted, when one that waits will, and how often that held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from fabriek.compute.contenders import Waiting
from fabriek.compute.forecasting import sentences
from fabriek.compute.forecasting.calibrating import KEPT_MAX
from fabriek.compute.forecasting.chances import chances, features_of, forecast_of
from fabriek.compute.forecasting.forecasts import Basis, Forecast
from fabriek.compute.forecasting.memory import Memory
from fabriek.compute.forecasting.pacing import Pace
from fabriek.compute.forecasting.past import Owner
from fabriek.compute.forecasting.ports import Forecasts
from fabriek.compute.forecasting.scores import Score, score_of
from fabriek.compute.forecasting.smaller import is_sooner, variants
from fabriek.compute.jobs import Job, Shape
from fabriek.compute.planning import Planner
from fabriek.compute.progress import Progress
from fabriek.compute.requests import JobAsked
from fabriek.compute.snapshot import Snapshot
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import Clock

ASKED_SECONDS_MAX = 0.35
"""For what was asked; each variant may take half of that, as long as `ALL_SECONDS_MAX` lasts. What is cut off is put where the line would come to
it.
"""

ALL_SECONDS_MAX = 0.6

FRESH = timedelta(minutes=10)
"""So old may a forecast be that is told of a job that waits."""

PROBE = "forecast"
"""The name of the job that nobody submitted. No job has it."""


@dataclass(frozen=True, slots=True)
class Sooner:
    """A variant of what was asked that would start notably earlier."""

    shape: Shape
    forecast: Forecast


@dataclass(frozen=True, slots=True)
class Answer:
    """`shape`: what was asked. `sooner`: the soonest first."""

    shape: Shape
    forecast: Forecast
    sooner: Sequence[Sooner] = ()


class Forecasting:
    """Times alone, and nothing of whose jobs are in the way. Beside the rounds of admission, which wait for none of this."""

    def __init__(
        self, planner: Planner, progress: Progress, memory: Memory, forecasts: Forecasts, clock: Clock, zone: tzinfo
    ) -> None:
        self._planner, self._progress, self._memory = planner, progress, memory
        self._forecasts, self._clock, self._zone = forecasts, clock, zone

    def ask(self, project_ref: str, asked: JobAsked, *, by: Caller) -> Answer:
        """When it would start if it were submitted now, of an array the first element. Raises what `submit` would raise."""
        job = self._planner.would_be(project_ref, asked, by=by)
        pace = Pace(self._clock.monotonic, ALL_SECONDS_MAX)
        now, snapshot = self._clock.now(), self._progress.snapshot()
        owners = dict(self._memory.owners()) | {PROBE: Owner(job.person, job.project)}
        first = self._of(job, job.shape, snapshot, now, owners, ASKED_SECONDS_MAX)
        if first.starts_now or first.basis is Basis.UNKNOWN:
            return Answer(job.shape, first)
        found = list[Sooner]()
        for shape in variants(job.shape):
            if pace.left <= 0:
                break
            other = self._of(job, shape, snapshot, now, owners, min(pace.left, ASKED_SECONDS_MAX / 2))
            if is_sooner(other, first):
                found.append(Sooner(shape, other))
        return Answer(
            job.shape, first, sorted(found, key=lambda one: one.forecast.median or one.forecast.latest or now)
        )

    def of_job(self, job: Job) -> Forecast | None:
        """The last that was kept of a job that waits; None where there is none that is fresh."""
        kept = self._forecasts.of(job.id)
        if kept is None or kept.started_at is not None or self._clock.now() - kept.last.made_at > FRESH:
            return None
        return kept.last

    def says(self, forecast: Forecast, language: str = "en") -> str:
        """It in words, in the clock times of the installation."""
        return sentences.starts(forecast, self._clock.now(), self._zone, language)

    def score(self) -> Score:
        """How often the intervals held so far. Of no job in particular: whoever is signed in may know."""
        return score_of(self._forecasts.outcomes(limit=KEPT_MAX))

    def _of(
        self, job: Job, shape: Shape, snapshot: Snapshot, now: datetime, owners: Mapping[str, Owner], seconds: float
    ) -> Forecast:
        shape = replace(shape, among=self._progress.among(job))
        probe = Waiting(
            PROBE, job.share, shape, now, job.priority, owner=job.project, preemptible=job.terms.preemptible
        )  # fmt: skip
        there, pace = replace(snapshot, queued=(*snapshot.queued, probe)), Pace(self._clock.monotonic, seconds)
        chance = chances(there, now, [PROBE], self._memory.futures(now, owners), pace=pace)[PROBE]
        features = features_of(chance, shape, now, snapshot.capacity) if chance.starts else None
        return forecast_of(chance, features, now, self._memory.known().calibration)
