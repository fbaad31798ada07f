"""How long an answer takes where the queue is long: 10,000 jobs in line, of many shapes, and a past of 2,000.

`python -m benches.forecast_answer`. The question is asked of the service, as the API asks it: what it would take is checked as a submission would
be, the queue is read, the same admission is played forward through four futures for what was asked and for each smaller variant, and what takes
too long is cut off. Wanted: half of the answers within a second. The turn beside the worker's rounds, which foretells those that wait, is
printed too.
"""

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.factories.compute import a_job
from tests.factories.services import Town, a_town

from fabriek.adapters.database import Database, metadata, open_database
from fabriek.compute.forecasting.forecasts import Forecast
from fabriek.compute.forecasting.keeping import Foretelling
from fabriek.compute.forecasting.memory import Memory
from fabriek.compute.forecasting.service import Forecasting
from fabriek.compute.forecasting.store import SqlForecasts, SqlPast
from fabriek.compute.jobs import Job, State
from fabriek.compute.requests import JobAsked
from fabriek.compute.store import SqlJobs
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import Clock, FakeClock
from fabriek.worker.admission import admit_jobs

QUEUED, PAST, ASKED = 10_000, 2_000, 5
MILLISECONDS_AT_MOST = 1_000


class Stopwatch:
    """The days of one clock, the seconds of this machine."""

    def __init__(self, days: Clock) -> None:
        self.now, self.today, self.sleep = days.now, days.today, days.sleep

    def monotonic(self) -> float:
        return time.monotonic()


def main() -> int:
    """Prints two lines; 1 when a promise is not kept."""
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-") as named:
        database = open_database(f"sqlite:///{named}/fabriek.db")
        metadata.create_all(database.engine)
        town = a_town(database, Path(named, "home"))
        person = town.person("bench")
        project = town.project(person, gpu_hours=500)
        person = town.again(person)
        _past(database, town.clock)
        _queue(town, project, person)
        admit_jobs(town.services)
        clock, kept = Stopwatch(town.clock), SqlForecasts(database)
        memory = Memory(SqlPast(database), kept, clock)
        asking = Forecasting(town.services.planner, town.services.progress, memory, kept, clock, UTC)
        took, used, said = list[float](), list[float](), list[Forecast]()
        for cpus in range(ASKED):
            begun, busy = time.perf_counter(), time.process_time()
            said.append(
                asking.ask(project, JobAsked(("true",), cpus=1 + cpus % 4, wall_seconds_max=1_800), by=person).forecast
            )
            took.append((time.perf_counter() - begun) * 1_000)
            used.append((time.process_time() - busy) * 1_000)
        begun = time.perf_counter()
        told = Foretelling(town.services.progress, memory, kept, clock).round()
        turn = time.perf_counter() - begun
        database.close()
    middle = statistics.median(took)
    print(
        f"forecast: {middle:.0f} ms with {QUEUED:,} queued (at most {MILLISECONDS_AT_MOST:,}), {statistics.median(used):.0f} ms of them of the "
        f"processor, the first {took[0]:.0f} ms; through "
        f"{said[-1].futures} futures, by what is {said[-1].basis}"
    )
    print(f"foretelling: {told:,} that wait in {turn:.1f} s, beside the rounds")
    return int(middle > MILLISECONDS_AT_MOST)


def _past(database: Database, clock: FakeClock) -> None:
    """One every ten minutes, two weeks back."""
    begin = clock.now() - timedelta(minutes=10 * PAST)
    with database.transaction():
        SqlJobs(database).add([_ran(number, begin + timedelta(minutes=10 * number)) for number in range(PAST)])


def _ran(number: int, at: datetime) -> Job:
    ran = 120 + 60 * (number % 20)
    return a_job(
        f"job_0{number:06}", submitted_at=at, state=State.SUCCEEDED, started_at=at, ended_at=at + timedelta(seconds=ran), ran_seconds=ran,
        cpus=1 + number % 4, settled=True, person=f"per_{number % 7}",
    )  # fmt: skip


def _queue(town: Town, project: str, person: Caller) -> None:
    for number in range(QUEUED // 250):
        asked = JobAsked(("true",), wall_seconds_max=600 + 60 * number, cpus=1 + number % 4, array="0-249")
        town.services.compute.submit(project, asked, by=person)


if __name__ == "__main__":
    sys.exit(main())
