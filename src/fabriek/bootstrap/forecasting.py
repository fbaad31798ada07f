"""What foretells starts, by one memory of what was learnt."""

from typing import TypedDict

from fabriek.adapters.database import Database
from fabriek.compute.forecasting.keeping import Foretelling
from fabriek.compute.forecasting.memory import Memory
from fabriek.compute.forecasting.service import Forecasting
from fabriek.compute.forecasting.store import SqlForecasts, SqlPast
from fabriek.compute.planning import Planner
from fabriek.compute.progress import Progress
from fabriek.compute.submission import Submission
from fabriek.kernel.clock import Clock


class ForecastingServices(TypedDict):
    planner: Planner
    forecasting: Forecasting
    foretelling: Foretelling


def forecasting_of(database: Database, submission: Submission, progress: Progress, clock: Clock) -> ForecastingServices:
    """For who asks, and for the worker."""
    kept = SqlForecasts(database)
    planner = Planner(submission, progress)
    memory = Memory(SqlPast(database), kept, clock)
    return {
        "planner": planner,
        "forecasting": Forecasting(planner, progress, memory, kept, clock, submission.machine.zone),
        "foretelling": Foretelling(progress, memory, kept, clock),
    }
