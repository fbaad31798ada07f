"""When jobs start in each of several futures, and what is said of that."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log

from fabriek.compute.capacity import Capacity
from fabriek.compute.forecasting.ahead import Played, always, play
from fabriek.compute.forecasting.calibrating import Calibration
from fabriek.compute.forecasting.forecasts import Basis, Features, Forecast, Outcome, hardened, softened
from fabriek.compute.forecasting.futures import AsAsked, Future
from fabriek.compute.forecasting.pacing import Pace
from fabriek.compute.gpus import MILLI
from fabriek.compute.jobs import Shape
from fabriek.compute.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Chances:
    """Of one job. `asked`: its start if each ran for as long as it asked and nobody came; None if that never comes. `starts`: in each future, in
    order; empty where there is no past to draw one from. `whole`: none of them was guessed.
    """

    asked: datetime | None
    starts: tuple[datetime, ...] = ()
    whole: bool = True


def chances(
    snapshot: Snapshot, now: datetime, watched: Collection[str], futures: Sequence[Future], *, pace: Pace | None = None
) -> Mapping[str, Chances]:
    """Of each watched job. pace: the time there is for it; where that is over, no further future is played, but one at least. Without it all are, to
    their ends.
    """
    asked = play(snapshot, now, AsAsked(), watched, goes_on=pace.turn(len(futures) + 1) if pace else always)
    waits = [job for job in watched if asked.starts.get(job) != now]  # what starts at once does so in every future
    played = list[Played]()
    for left, future in enumerate(futures if waits else ()):
        if played and pace is not None and pace.left <= 0:
            break
        goes_on = pace.turn(len(futures) - left) if pace else always
        played.append(play(snapshot, now, future, waits, goes_on=goes_on))
    whole = asked.whole and all(one.whole for one in played)
    return {
        job: Chances(
            asked.starts.get(job), tuple(sorted(one.starts[job] for one in played if job in one.starts)), whole=whole
        )
        for job in watched
    }


def features_of(chance: Chances, shape: Shape, now: datetime, whole: Capacity) -> Features:
    """Of a job that was played through one future at least."""
    waits = [softened((at - now).total_seconds()) for at in chance.starts]
    middle = sum(waits) / len(waits)
    asked = softened((chance.asked - now).total_seconds()) if chance.asked is not None else waits[-1]
    part = max(shape.cpus_in_all / max(1, whole.cpus), shape.gpus_milli_in_all / max(1, whole.gpus * MILLI))
    return Features(middle, waits[-1] - waits[0], asked - middle, log(max(1e-6, part)), log(shape.wall_seconds_max))


def forecast_of(chance: Chances, features: Features | None, now: datetime, calibration: Calibration) -> Forecast:
    """features: None where it was played through no future."""
    if chance.asked == now:
        return Forecast(now, Basis.NOW, now, now, now)
    if features is None:
        basis = Basis.UNKNOWN if chance.asked is None else Basis.ASKED
        return Forecast(now, basis, latest=chance.asked)
    count = len(chance.starts)
    if not calibration.enough:
        return Forecast(now, Basis.PLAYED, chance.starts[0], chance.starts[count // 2], chance.starts[-1], count)
    earliest, median, latest = (now + hardened(one) for one in calibration.of(features))
    return Forecast(now, Basis.CALIBRATED, earliest, median, latest, count)


def outcome_of(forecast: Forecast, features: Features, started_at: datetime) -> Outcome:
    """What came of a forecast, as the next ones learn from it. What was not set right yet says how far off it was, and nothing of how wide an
    interval must be.
    """
    error = softened((started_at - forecast.made_at).total_seconds()) - features.middle
    if forecast.basis is not Basis.CALIBRATED or forecast.earliest is None or forecast.latest is None:
        return Outcome(features, error)
    return Outcome(features, error, early=started_at < forecast.earliest, late=started_at > forecast.latest)
