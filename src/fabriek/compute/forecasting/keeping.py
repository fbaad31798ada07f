"""Forecasts of those that wait, made anew every minute and kept, so that `why` can tell them and what comes of them is learnt from."""

from collections.abc import Mapping
from datetime import datetime

from fabriek.compute.forecasting.calibrating import KEPT_MAX
from fabriek.compute.forecasting.chances import Chances, chances, features_of, forecast_of
from fabriek.compute.forecasting.forecasts import Basis, Features, Forecast
from fabriek.compute.forecasting.memory import Memory
from fabriek.compute.forecasting.pacing import Pace
from fabriek.compute.forecasting.ports import Forecasts, Kept
from fabriek.compute.jobs import Shape
from fabriek.compute.progress import Progress
from fabriek.compute.snapshot import Snapshot
from fabriek.kernel.clock import Clock

SECONDS_MAX = 4.0
"""For all plays of a turn. A longer queue is played as far as it goes; the rest is put where the line would come to it."""

FORETOLD_MAX = 1_000
"""Jobs at a turn: those that are next. Who is further back in the line hears of a start once it comes nearer."""


class Foretelling:
    """Any number of workers may do this; each act is idempotent."""

    def __init__(self, progress: Progress, memory: Memory, forecasts: Forecasts, clock: Clock) -> None:
        self._progress, self._memory, self._forecasts, self._clock = progress, memory, forecasts, clock

    def round(self) -> int:
        """Closes what has started, and foretells what waits. How many were foretold."""
        with self._forecasts.transaction(alone="forecasts"):
            if self._forecasts.close(keeping=KEPT_MAX):
                self._memory.forget()
        snapshot, now = self._progress.snapshot(), self._clock.now()
        waits = {one.job: one.shape for one in snapshot.queued if one.gate is None}
        if not waits:
            return 0
        told = self._told(snapshot, waits, now)
        with self._forecasts.transaction(alone="forecasts"):
            self._forecasts.keep(told)
        return len(told)

    def _told(self, snapshot: Snapshot, waits: Mapping[str, Shape], now: datetime) -> list[Kept]:
        futures, known = self._memory.futures(now, self._memory.owners()), self._memory.known()
        pace = Pace(self._clock.monotonic, SECONDS_MAX)
        found = chances(snapshot, now, waits, futures, pace=pace)
        alike = dict[Features, Forecast]()
        told = []
        for job in sorted(found, key=lambda name: _middle(found[name], now))[:FORETOLD_MAX]:
            chance, shape = found[job], waits[job]
            features = features_of(chance, shape, now, snapshot.capacity) if chance.starts else None
            forecast = alike.get(features) if features is not None and chance.asked != now else None
            if forecast is None:
                forecast = forecast_of(chance, features, now, known.calibration)
                if features is not None and not forecast.starts_now:
                    alike[features] = forecast
            # What starts at this round is told by its start.
            if forecast.basis not in {Basis.NOW, Basis.UNKNOWN}:
                told.append(Kept(job, forecast, features, forecast))
        return told


def _middle(chance: Chances, now: datetime) -> tuple[bool, datetime]:
    """By which the next come first; last of all what was never seen to start."""
    at = chance.starts[len(chance.starts) // 2] if chance.starts else chance.asked
    return at is None, at or now
