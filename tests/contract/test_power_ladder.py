"""The ladder at work, on both databases: what is due is written down and told once, and nothing that it put back starts until there is room."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.bootstrap import machinery
from fabriek.compute.capacity import Capacity
from fabriek.compute.gpus import gpus_of, kinds_of
from fabriek.compute.jobs import Job, Priority, State
from fabriek.compute.powering.ladder import Step
from fabriek.compute.powering.readings import Reading
from fabriek.compute.powering.store import SqlPowerActs
from fabriek.compute.progress import handle_of
from fabriek.compute.requests import JobAsked
from fabriek.compute.terms import Terms
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import Unavailable
from fabriek.schemas.node import PREEMPT
from fabriek.worker.admission import admit_jobs
from fabriek.worker.loop import Worker
from fabriek.worker.starting import Starter
from tests.factories.executor import MemoryExecutor
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once
from tests.factories.waiting import until

MINUTE = timedelta(minutes=1)


@dataclass
class Hall:
    """One project with a worker whose rounds the test calls."""

    town: Town
    person: Caller
    project: str
    worker: Worker
    executor: MemoryExecutor
    acts: SqlPowerActs

    def start(
        self, name: str, *, cpus: int = 1, back: bool = True, priority: Priority = Priority.NORMAL, hours: int = 20
    ) -> Job:
        asked = JobAsked(
            ("sleep", "9"), name=name, cpus=cpus, wall_seconds_max=hours * 3600, priority=priority, terms=Terms(preemptible=back)
        )  # fmt: skip
        if priority is Priority.URGENT:
            self.town.make_urgent(self.project)
        job = self.town.services.compute.submit(self.project, asked, by=self.person)
        return self.work(job, State.RUNNING)

    def work(self, job: Job, to: State) -> Job:
        """Rounds until the job is that far."""

        def there() -> Job | None:
            self.worker.round()
            now = self.job(job)
            return now if now.state is to else None

        return until(there)

    def job(self, job: Job) -> Job:
        return self.town.services.compute.get(self.project, job.id, by=self.person)

    def why(self, job: Job) -> str:
        return self.town.services.compute.why(self.job(job)).sentence

    def rounds(self, count: int = 3) -> None:
        for _ in range(count):
            self.worker.round()

    def limit(self, below: int, *, after: timedelta = timedelta(0), hours: int = 3) -> int:
        """A limit of so many watts below what is planned; what it allows."""
        now = self.town.clock.now()
        watts = self.town.services.compute.power_outlook().planned_watts - below
        self.town.services.compute.limit_power(
            starts_at=now + after, ends_at=now + after + timedelta(hours=hours), watts=watts, source="test", by=self.town.operator
        )  # fmt: skip
        return watts

    def told(self, word: str) -> list[str]:
        return [handle.job for handle, said in self.executor.told if said == word]

    def events(self, job: Job) -> list[str]:
        return [
            one.action
            for one in self.town.services.audit.events(limit=1_000, by=self.town.operator).items
            if one.subject == job.id
        ]


def a_hall(town: Town) -> Hall:
    person = town.person("weefsel")
    project = town.project(person)
    executor = town.services.executor
    assert isinstance(executor, MemoryExecutor)
    return Hall(town, town.again(person), project, a_worker(town), executor, SqlPowerActs(town.services.database))


def a_worker(town: Town) -> Worker:
    environments = machinery.environments(town.services.settings)
    starter = Starter(town.services, environments, lambda: None, server_url="http://127.0.0.1:9", lab_socket_dir="/x")
    return Worker(town.services, starter, threading.Event())


@pytest.fixture
def hall(database: Database, tmp_path: Path) -> Iterator[Hall]:
    made = a_hall(a_town(database, tmp_path / "home"))
    yield made
    made.worker._starter.close()
    made.worker._upkeep.close()


def test_a_limit_that_comes_has_jobs_leave_before_it_begins_and_come_back_when_it_has_passed(hall: Hall) -> None:
    back, stays = hall.start("back", cpus=2), hall.start("stays", back=False)
    allowed = hall.limit(4, after=30 * MINUTE)
    hall.rounds()
    assert hall.job(back).state is State.RUNNING
    assert not hall.job(back).preempting
    outlook = hall.town.services.compute.power_outlook()
    assert outlook.ladder.step == Step.HOLD
    assert "no job starts" in outlook.ladder.why
    new = hall.town.services.compute.submit(hall.project, JobAsked(("sleep", "1"), wall_seconds_max=60), by=hall.person)
    hall.rounds()
    assert hall.why(new).startswith("Waits: no job may start now")
    hall.town.clock.move(24 * MINUTE)  # 300 s and the 60 s that it needs to leave are before the limit
    hall.rounds()
    assert hall.job(back).preempting
    assert hall.why(back) == "It runs: is put back since less power may be drawn."
    assert set(hall.told(PREEMPT)) == {back.id}
    hall.executor.end(handle_of(hall.job(back)), exit_code=75, again=True)
    gone = hall.work(back, State.QUEUED)
    assert (gone.state, gone.preempting) == (State.QUEUED, False)
    assert hall.town.services.compute.power_outlook().planned_watts <= allowed
    assert hall.town.clock.now() < hall.town.services.compute.power_outlook().limits[0].starts_at
    hall.town.clock.move(60 * MINUTE)
    hall.rounds()
    assert hall.job(back).state is State.QUEUED
    assert "power" in hall.why(back)
    hall.town.clock.move(timedelta(hours=3))
    hall.work(back, State.RUNNING)
    assert hall.job(stays).state is State.RUNNING
    assert hall.acts.standing() == []
    assert hall.events(back).count("power.put_back") == 1


def test_from_round_to_round_and_over_a_restart_nothing_is_done_twice(
    hall: Hall, database: Database, tmp_path: Path
) -> None:
    jobs = [hall.start(f"j{number}") for number in range(4)]
    hall.limit(1)
    hall.rounds(5)
    leaving = [job for job in jobs if hall.job(job).preempting]
    assert len(leaving) == 1
    again = a_town(database, tmp_path / "home", again=True)
    for _ in range(3):
        again.services.power_guard.round()
    assert at_once(lambda _: again.services.power_guard.round(), times=4) == [0] * 4
    assert [job.id for job in jobs if hall.job(job).preempting] == [leaving[0].id]
    assert [one.job for one in hall.acts.standing()] == [leaving[0].id]


def test_what_may_not_be_put_back_is_ended_with_its_reason_and_pays_for_what_it_ran(hall: Hall) -> None:
    urgent = hall.start("urgent", back=False, priority=Priority.URGENT)
    old = hall.start("old", back=False)
    hall.town.clock.move(30 * MINUTE)
    new = hall.start("new", back=False)
    hall.limit(1)
    hall.town.clock.move(MINUTE)
    hall.work(new, State.CANCELLED)
    hall.rounds()
    ended = hall.job(new)
    assert (ended.settled, hall.job(old).state, hall.job(urgent).state) == (True, State.RUNNING, State.RUNNING)
    assert ended.reason == "is ended since less power may be drawn, and it may not be put back"
    assert 0 < ended.used_micro < ended.held_micro
    assert "power.ended" in hall.events(new)


def test_one_that_does_not_leave_in_its_time_is_ended(hall: Hall) -> None:
    job = hall.start("deaf")
    hall.limit(1)
    hall.rounds()
    assert hall.job(job).preempting
    hall.town.clock.move(2 * MINUTE)
    hall.work(job, State.CANCELLED)


def test_one_that_leaves_for_another_and_does_not_is_ended_once_its_power_is_wanted(hall: Hall) -> None:
    job = hall.start("deaf")
    with hall.town.services.database.transaction():
        hall.town.services.progress._preempt(job.id)
    hall.limit(1)
    hall.rounds()
    assert hall.job(job).state is State.RUNNING
    hall.town.clock.move(2 * MINUTE)
    hall.work(job, State.CANCELLED)


def test_what_was_let_in_and_has_not_begun_goes_back_at_once(hall: Hall) -> None:
    services = hall.town.services
    job = services.compute.submit(hall.project, JobAsked(("sleep", "9"), wall_seconds_max=7200), by=hall.person)
    admit_jobs(services)
    assert hall.job(job).state is State.ADMITTED
    hall.limit(1)
    services.power_guard.round()
    assert (hall.job(job).state, hall.job(job).placed) == (State.QUEUED, None)
    hall.rounds()
    assert hall.job(job).state is State.QUEUED


def test_a_meter_that_says_too_much_has_one_leave_and_keeps_it_away_until_it_leaves_room(hall: Hall) -> None:
    record, clock = hall.town.services.power_record, hall.town.clock
    jobs = [hall.start(f"j{number}") for number in range(3)]
    hall.limit(-1)
    planned = hall.town.services.compute.power_outlook().planned_watts

    def says(watts: int) -> None:
        record.take(Reading("main", clock.now(), watts, None, clock.now()), by=hall.town.operator)

    says(planned + 3)
    hall.rounds()
    leaving = [job for job in jobs if hall.job(job).preempting]
    assert len(leaving) == 1
    hall.executor.end(handle_of(hall.job(leaving[0])), exit_code=75, again=True)
    clock.move(MINUTE)
    says(planned - 1)
    hall.rounds()
    assert hall.job(leaving[0]).state is State.QUEUED
    assert "the meter says" in hall.why(leaving[0])
    assert hall.town.services.compute.power_outlook().ladder.why.startswith("No job starts since the meter says")
    clock.move(MINUTE)
    says(planned - 20)
    hall.work(leaving[0], State.RUNNING)


class CappingExecutor(MemoryExecutor):
    """Its GPUs can be bounded, until it is told that they cannot."""

    able = True

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.capped: list[tuple[int, tuple[int, ...], int]] = []

    def cap(self, node: int, devices: Sequence[int], watts: int) -> None:
        if not self.able:
            raise Unavailable("no tool for that", fix="install it")
        self.capped.append((node, tuple(devices), watts))


def eco(hall: Hall) -> tuple[Job, CappingExecutor]:
    asked = JobAsked(
        ("sleep", "9"), gpus=gpus_of("1"), wall_seconds_max=36_000, priority=Priority.ECO, terms=Terms(preemptible=True)
    )  # fmt: skip
    job = hall.town.services.compute.submit(hall.project, asked, by=hall.person)
    hall.work(job, State.RUNNING)
    assert isinstance(hall.executor, CappingExecutor)
    return job, hall.executor


@pytest.fixture
def gpu_hall(database: Database, tmp_path: Path) -> Iterator[Hall]:
    whole = Capacity(4, 2, 2**33, 1, kinds_of("", "", 2))
    made = a_hall(a_town(database, tmp_path / "home", capacity=whole, executor=CappingExecutor))
    yield made
    made.worker._starter.close()
    made.worker._upkeep.close()


def test_eco_jobs_draw_less_first_and_in_full_again_afterwards(gpu_hall: Hall) -> None:
    hall = gpu_hall
    job, caps = eco(hall)
    hall.limit(100)
    hall.rounds()
    assert caps.capped == [(0, (0,), 210)]
    assert hall.job(job).state is State.RUNNING
    assert not hall.job(job).preempting
    assert hall.why(job) == "It runs: draws less than it could since less power may be drawn."
    assert hall.town.services.compute.power_outlook().ladder.step == Step.CAP
    hall.rounds(3)
    assert len(caps.capped) == 1
    hall.town.clock.move(timedelta(hours=4))
    hall.rounds(3)
    assert caps.capped == [(0, (0,), 210), (0, (0,), 0)]
    assert (hall.job(job).reason, hall.acts.standing()) == ("", [])


def test_where_the_machine_cannot_cap_that_is_on_record_and_the_next_step_is_taken(gpu_hall: Hall) -> None:
    hall = gpu_hall
    job, caps = eco(hall)
    caps.able = False
    hall.limit(100)
    hall.rounds(3)
    assert hall.job(job).preempting
    assert {"power.not_capped", "power.put_back"} <= set(hall.events(job))
