"""Forecasts as people ask for them, and as they are kept and judged, on both databases."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.compute.forecasting.forecasts import Basis, Features, Forecast
from fabriek.compute.forecasting.ports import Kept
from fabriek.compute.forecasting.store import SqlForecasts, SqlPast
from fabriek.compute.gpus import gpus_of
from fabriek.compute.jobs import Job, State, move
from fabriek.compute.requests import JobAsked
from fabriek.compute.store import SqlJobs
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import FabriekError, InvalidInput, NotFound, NotPermitted
from fabriek.worker.admission import admit_jobs
from fabriek.worker.foretelling import Foretells
from tests.factories.compute import a_job
from tests.factories.services import Town, a_town

WHOLE = JobAsked(("true",), cpus=4, wall_seconds_max=7_200)
MINUTE = timedelta(minutes=1)


class Hall:
    """A machine of four CPUs in a town, with somebody who may submit."""

    def __init__(self, town: Town, database: Database) -> None:
        self.town, self.services, self.clock = town, town.services, town.clock
        person = town.person("weefsel")
        self.project = town.project(person)
        self.person: Caller = town.again(person)
        self.jobs, self.forecasts = SqlJobs(database), SqlForecasts(database)

    def submit(self, asked: JobAsked = WHOLE) -> Job:
        return self.services.compute.submit(self.project, asked, by=self.person)

    def busy(self) -> Job:
        """A job that has the whole machine, for two hours at most."""
        job = self.submit()
        admit_jobs(self.services)
        self.step(job.id, State.STARTING)
        self.step(job.id, State.RUNNING)
        return job

    def step(self, job: str, to: State, **how: int) -> None:
        with self.jobs.transaction():
            self.jobs.save(move(self.jobs.get(job), to, at=self.clock.now(), **how))

    def past(self, count: int = 60, *, part: float = 0.25) -> None:
        """Jobs of before, an hour apart, that each ran for a part of the hour they asked for."""
        now = self.clock.now()
        with self.jobs.transaction():
            self.jobs.add([
                a_job(
                    f"job_000{number:03}", submitted_at=(at := now - timedelta(hours=count - number)), state=State.SUCCEEDED, started_at=at,
                    ended_at=at + timedelta(seconds=3_600 * part), ran_seconds=3_600 * part, settled=True, person=self.person.person, exit_code=0,
                )
                for number in range(count)
            ])  # fmt: skip

    def ask(self, asked: JobAsked = WHOLE) -> Forecast:
        return self.services.forecasting.ask(self.project, asked, by=self.person).forecast

    def why(self, job: Job) -> str:
        return self.services.compute.why(self.jobs.get(job.id)).sentence


@pytest.fixture
def hall(database: Database, tmp_path: Path) -> Hall:
    return Hall(a_town(database, tmp_path / "home"), database)


def test_on_an_idle_machine_a_job_would_start_at_once_and_nothing_of_the_question_stays(hall: Hall) -> None:
    events = len(hall.services.audit.events(by=hall.town.operator, limit=500).items)
    assert hall.ask().starts_now
    assert hall.services.compute.list(hall.project, limit=10, cursor="", by=hall.person).items == []
    assert len(hall.services.audit.events(by=hall.town.operator, limit=500).items) == events


def test_without_a_past_the_answer_is_the_latest_by_the_times_asked_for_and_says_so(hall: Hall) -> None:
    hall.busy()
    found = hall.ask()
    assert found == Forecast(hall.clock.now(), Basis.ASKED, latest=hall.clock.now() + timedelta(hours=2))
    assert "no history yet" in hall.services.forecasting.says(found)


def test_with_a_past_a_job_is_expected_when_such_jobs_used_to_be_gone(hall: Hall) -> None:
    hall.past(part=0.25)
    hall.busy()
    found = hall.ask()
    assert found.basis is Basis.PLAYED
    assert found.median is not None
    assert hall.clock.now() < found.median <= hall.clock.now() + timedelta(hours=1)


def test_what_would_start_sooner_is_told_beside_it(hall: Hall) -> None:
    half = JobAsked(("true",), cpus=2, wall_seconds_max=7_200)
    hall.submit(half)
    admit_jobs(hall.services)
    found = hall.services.forecasting.ask(hall.project, WHOLE, by=hall.person)
    assert not found.forecast.starts_now
    assert next((one.shape.cpus, one.forecast.starts_now) for one in found.sooner) == (2, True)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (JobAsked(("true",), cpus=99), InvalidInput),
        (JobAsked(("true",), gpus=gpus_of(1)), FabriekError),
        (JobAsked(("true",), purpose="fun"), InvalidInput),
        (JobAsked(("true",), wall_seconds_max=0), InvalidInput),
    ],
)
def test_what_would_stop_the_job_stops_the_forecast(hall: Hall, asked: JobAsked, error: type[Exception]) -> None:
    with pytest.raises(error):
        hall.ask(asked)


def test_who_may_not_submit_to_a_project_hears_nothing_of_its_machine(hall: Hall) -> None:
    stranger = hall.town.person("elsewhere")
    with pytest.raises(NotPermitted, match=r"job\.submit"):
        hall.services.forecasting.ask(hall.project, WHOLE, by=stranger)
    with pytest.raises(NotFound):
        hall.services.forecasting.ask("nowhere", WHOLE, by=hall.person)


def test_why_says_when_a_job_that_waits_will_probably_start_and_names_nobody(hall: Hall) -> None:
    hall.past()
    first = hall.busy()
    waits = hall.submit()
    admit_jobs(hall.services)
    assert "room is expected at" in hall.why(waits)
    assert hall.services.foretelling.round() == 1
    said = hall.why(waits)
    assert said.startswith("Waits for room: ")
    assert "; it will probably start today " in said
    assert "room is expected at" not in said
    assert said.count(".") == 1
    assert first.id not in said
    assert hall.person.person not in said


def test_an_old_forecast_is_not_told(hall: Hall) -> None:
    hall.past()
    hall.busy()
    waits = hall.submit()
    admit_jobs(hall.services)
    hall.services.foretelling.round()
    hall.clock.move(timedelta(minutes=11))
    assert "probably" not in hall.why(waits)
    assert hall.services.foretelling.round() == 1
    assert "probably" in hall.why(waits)


def test_what_was_said_first_is_judged_by_what_came_of_it(hall: Hall) -> None:
    hall.past()
    first = hall.busy()
    waits, dropped = hall.submit(), hall.submit()
    admit_jobs(hall.services)
    assert hall.services.foretelling.round() == 2
    told = hall.forecasts.of(waits.id)
    assert told is not None
    hall.clock.move(5 * MINUTE)
    hall.services.foretelling.round()
    again = hall.forecasts.of(waits.id)
    assert again is not None
    assert (again.first, again.last.made_at) == (told.first, hall.clock.now())
    hall.step(first.id, State.SUCCEEDED, exit_code=0)
    hall.services.compute.cancel(hall.project, dropped.id, by=hall.person)
    admit_jobs(hall.services)
    hall.step(waits.id, State.STARTING)
    hall.step(waits.id, State.RUNNING)
    assert hall.services.foretelling.round() == 0
    [outcome] = hall.forecasts.outcomes(limit=10)
    assert (outcome.job, outcome.started_at, outcome.first) == (waits.id, hall.clock.now(), told.first)
    assert hall.forecasts.of(dropped.id) is None
    assert hall.forecasts.open() == []


def test_an_installation_learns_from_its_own_forecasts_and_says_how_often_they_held(hall: Hall) -> None:
    hall.past()
    now = hall.clock.now()
    with hall.forecasts.transaction():
        hall.forecasts.keep([_checked(number, now) for number in range(40)])
    hall.busy()
    found = hall.ask()
    assert found.basis is Basis.CALIBRATED
    assert found.earliest is not None
    assert found.latest is not None
    assert now <= found.earliest <= found.latest
    score = hall.services.forecasting.score()
    assert (score.forecasts, score.held, score.early, score.late) == (40, 30, 0, 10)


def test_the_oldest_outcomes_are_forgotten(hall: Hall) -> None:
    now = hall.clock.now()
    with hall.forecasts.transaction():
        hall.forecasts.keep(those := [_checked(number, now) for number in range(20)])
        hall.forecasts.close(keeping=12)
    in_order = sorted((one.started_at or now, one.job) for one in those)
    assert [one.job for one in hall.forecasts.outcomes(limit=99)] == [job for _, job in in_order[8:]]
    assert [one.job for one in hall.forecasts.outcomes(limit=2)] == [job for _, job in in_order[18:]]


def test_the_past_is_what_began_with_how_long_it_ran_once_that_is_known(hall: Hall, database: Database) -> None:
    hall.past(3)
    running, waits = hall.busy(), hall.submit()
    past = SqlPast(database)
    found = {one.job: one for one in past.since(hall.clock.now() - timedelta(days=9), limit=99)}
    assert [found[f"job_00000{number}"].ran_seconds for number in range(3)] == [900.0] * 3
    assert found[running.id].ran_seconds is None
    assert waits.id not in found
    assert len(past.since(hall.clock.now() - timedelta(days=9), limit=2)) == 2
    assert set(past.owners()) == {running.id, waits.id}


def test_the_worker_foretells_beside_its_rounds_once_a_minute(hall: Hall) -> None:
    hall.past()
    hall.busy()
    waits = hall.submit()
    admit_jobs(hall.services)
    foretells = Foretells(hall.services)
    assert foretells.round()
    foretells.beside.wait()
    assert hall.forecasts.of(waits.id) is not None
    assert not foretells.round()
    hall.clock.move(MINUTE)
    assert foretells.round()
    foretells.beside.close()


def test_with_a_long_queue_those_that_are_next_are_foretold(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    hall.past()
    hall.busy()
    line = [hall.submit() for _ in range(4)]
    monkeypatch.setattr("fabriek.compute.forecasting.keeping.FORETOLD_MAX", 2)
    assert hall.services.foretelling.round() == 2
    assert {one.job for one in hall.forecasts.open()} == {line[0].id, line[1].id}


def _checked(number: int, now: datetime) -> Kept:
    """Made a day ago and more, ten minutes apart; three of four held."""
    made = now - timedelta(days=1, minutes=10 * (40 - number))
    told = Forecast(made, Basis.CALIBRATED, made + 5 * MINUTE, made + 10 * MINUTE, made + 20 * MINUTE, futures=4)
    features = Features(6.5, 0.5, 1.0, -0.5, 8.0)
    started = made + (30 * MINUTE if number % 4 == 0 else 12 * MINUTE)
    return Kept(f"job_x{number:02}", told, features, told, started)
