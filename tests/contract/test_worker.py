"""A job's way through the worker, on both databases: let in, started, watched, charged, and each step safe to repeat."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fabriek.adapters.database import Database
from fabriek.bootstrap import machinery
from fabriek.compute.decisions import Because, Decision
from fabriek.compute.executors.contract import Handle, JobSpec, ObservedState
from fabriek.compute.gpus import gpus_of
from fabriek.compute.jobs import Job, State
from fabriek.compute.placement import Placement
from fabriek.compute.progress import handle_of
from fabriek.compute.requests import JobAsked
from fabriek.compute.terms import Terms, after_of
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import CreditsExhausted, InvalidInput, NotFound, NotPermitted, Unavailable, WrongState
from fabriek.worker.admission import admit_jobs
from fabriek.worker.loop import Worker
from fabriek.worker.settling import settle, settle_jobs
from fabriek.worker.starting import Starter
from fabriek.worker.watching import watch_jobs
from tests.factories.executor import MemoryExecutor
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once
from tests.factories.waiting import until


@dataclass
class Shop:
    """One project, its person, and a worker whose rounds the test calls."""

    town: Town
    person: Caller
    project: str
    worker: Worker
    executor: MemoryExecutor

    def submit(self, *argv: str, hours: int = 1, cpus: int = 1) -> Job:
        asked = JobAsked(argv, cpus=cpus, wall_seconds_max=hours * 3600)
        return self.town.services.compute.submit(self.project, asked, by=self.person)

    def job(self, job: Job) -> Job:
        return self.town.services.compute.get(self.project, job.id, by=self.person)

    def work(self, job: Job, to: State) -> Job:
        """Rounds until the job is that far."""

        def there() -> Job | None:
            self.worker.round()
            now = self.job(job)
            return now if now.state is to else None

        return until(there)

    def settled(self, job: Job) -> Job:
        def there() -> Job | None:
            self.worker.round()
            now = self.job(job)
            return now if now.settled else None

        return until(there)

    def left(self) -> int:
        home = self.town.services.access.project(self.project)
        return sum(one.left for one in self.town.services.funding.left(home.id) if one.resource.value == "cpu_hour")


def a_worker(town: Town) -> Worker:
    environments = machinery.environments(town.services.settings)
    starter = Starter(town.services, environments, lambda: None, server_url="http://127.0.0.1:9", lab_socket_dir="/x")
    return Worker(town.services, starter, threading.Event())


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Iterator[Shop]:
    town = a_town(database, tmp_path / "home")
    person = town.person("weefsel")
    project = town.project(person)
    executor = town.services.executor
    assert isinstance(executor, MemoryExecutor)
    made = Shop(town, town.again(person), project, a_worker(town), executor)
    yield made
    made.worker._starter.close()
    made.worker._upkeep.close()


def test_a_job_goes_its_whole_way(shop: Shop) -> None:
    before = shop.left()
    job = shop.submit("sleep", "60")
    assert (job.state, shop.left()) == (State.QUEUED, before - job.held_micro)
    running = shop.work(job, State.RUNNING)
    assert running.run
    shop.town.clock.move(timedelta(minutes=30))
    shop.executor.end(handle_of(running))
    ended = shop.settled(job)
    assert (ended.state, ended.exit_code) == (State.SUCCEEDED, 0)
    assert ended.used_micro * 2 == ended.held_micro
    assert shop.left() == before - ended.used_micro
    assert shop.town.services.funding.balanced()
    run = shop.town.services.lab.run(job.project, ended.run, by=shop.person).run
    assert run.status == "FINISHED"


def test_a_job_that_fails_says_its_code_and_is_charged(shop: Shop) -> None:
    job = shop.submit("sleep", "60")
    running = shop.work(job, State.RUNNING)
    shop.town.clock.move(timedelta(minutes=6))
    shop.executor.end(handle_of(running), exit_code=3)
    ended = shop.settled(job)
    assert (ended.state, ended.exit_code) == (State.FAILED, 3)
    assert 0 < ended.used_micro < ended.held_micro


def test_a_job_that_vanished_is_lost_and_never_a_success(shop: Shop) -> None:
    job = shop.submit("sleep", "60")
    shop.executor.lose(handle_of(shop.work(job, State.RUNNING)))
    assert shop.settled(job).state is State.LOST
    with pytest.raises(WrongState):
        shop.town.services.compute.cancel(shop.project, job.id, by=shop.person)


def test_cancelled_before_its_start_it_costs_nothing(shop: Shop) -> None:
    before = shop.left()
    job = shop.submit("sleep", "60")
    shop.town.services.compute.cancel(shop.project, job.id, by=shop.person)
    assert shop.settled(job).state is State.CANCELLED
    assert shop.left() == before


def test_cancelled_while_it_is_let_in_it_does_not_start(shop: Shop) -> None:
    job, progress = shop.submit("sleep", "60"), shop.town.services.progress
    made = [Decision(job.id, True, Because.FITS, "there is room", shop.town.clock.now(), Placement((0,), ((),)))]
    with shop.town.services.database.transaction():
        shop.town.services.compute.cancel(shop.project, job.id, by=shop.person)
        letting_in = threading.Thread(target=progress.apply, args=(made,))
        letting_in.start()
        letting_in.join(0.5)  # so that it has looked at what was there before
    letting_in.join()
    assert shop.job(job).state is State.CANCELLED


def test_cancelled_while_it_runs_it_is_charged_for_what_it_ran(shop: Shop) -> None:
    before = shop.left()
    job = shop.submit("sleep", "60")
    shop.work(job, State.RUNNING)
    shop.town.clock.move(timedelta(minutes=15))
    shop.town.services.compute.cancel(shop.project, job.id, by=shop.person)
    ended = shop.settled(job)
    assert ended.state is State.CANCELLED
    assert shop.left() == before - ended.used_micro < before


def test_settling_twice_is_settling_once(shop: Shop) -> None:
    before = shop.left()
    job = shop.submit("sleep", "60")
    running = shop.work(job, State.RUNNING)
    shop.town.clock.move(timedelta(minutes=30))
    shop.executor.end(handle_of(running))
    watch_jobs(shop.town.services)
    ended = shop.job(job)
    at_once(lambda _: settle(shop.town.services, ended), times=4)
    settle_jobs(shop.town.services)
    assert shop.left() == before - shop.job(job).used_micro
    actions = [
        one.action for one in shop.town.services.audit.events(by=shop.town.operator, limit=100, subject=job.id).items
    ]
    assert actions.count("job.succeeded") == 1


def test_two_workers_start_a_job_once(shop: Shop) -> None:
    other = a_worker(shop.town)
    jobs = [shop.submit("sleep", "60") for _ in range(3)]
    until(lambda: (shop.worker.round(), other.round(), all(shop.job(one).state is State.RUNNING for one in jobs))[2])
    assert [shop.job(one).attempts for one in jobs] == [1, 1, 1]
    assert len(shop.executor._attempts) == 3
    other._starter.close()
    other._upkeep.close()


def test_a_server_that_died_between_beginning_and_handing_over_is_followed_by_one_that_does(shop: Shop) -> None:
    job = shop.submit("sleep", "60")
    admit_jobs(shop.town.services)
    begun = shop.town.services.progress.begin(job.id)
    assert begun is not None
    assert begun.state is State.STARTING
    assert shop.work(job, State.RUNNING).attempts == 1


def test_a_job_waits_for_an_executor_that_is_away_for_a_while(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    working, calls = shop.executor.submit, []

    def away(spec: JobSpec) -> Handle:
        calls.append(spec.attempt)
        if len(calls) < 3:
            raise Unavailable("the machine does not answer", fix="fabriek doctor")
        return working(spec)

    def wound() -> bool:
        shop.worker.round()
        shop.town.clock.move(timedelta(seconds=1))
        return shop.job(job).state is State.SUCCEEDED

    monkeypatch.setattr(shop.executor, "submit", away)
    job = shop.submit("echo", "hi")
    until(wound)
    assert calls == [1, 1, 1]


def test_jobs_outlast_an_executor_that_is_away_for_ten_minutes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, before = shop.town.clock, shop.left()
    stands = shop.work(shop.submit("sleep", "60"), State.RUNNING)
    back, calls = clock.monotonic() + 600, []
    submitting, polling = shop.executor.submit, shop.executor.poll

    def ask() -> None:
        if clock.monotonic() < back:
            raise Unavailable("the machine does not answer", fix="fabriek doctor")

    def submit(spec: JobSpec) -> Handle:
        calls.append(spec.attempt)
        ask()
        return submitting(spec)

    def poll(handles: Sequence[Handle]) -> list[ObservedState]:
        ask()
        return polling(handles)

    def wound() -> bool:
        shop.worker.round()
        states = [shop.job(one).state for one in (stands, comes)]
        if clock.monotonic() < back:
            assert states[0] is State.RUNNING
            assert states[1] not in {State.RUNNING, State.FAILED, State.SUCCEEDED}
            clock.move(timedelta(seconds=5))
        return all(shop.job(one).settled for one in (stands, comes))

    monkeypatch.setattr(shop.executor, "submit", submit)
    monkeypatch.setattr(shop.executor, "poll", poll)
    comes = shop.submit("echo", "hi")
    shop.executor.end(handle_of(stands))
    until(wound)
    ended = [shop.job(one) for one in (stands, comes)]
    assert [(one.state, one.attempts, one.exit_code) for one in ended] == [(State.SUCCEEDED, 1, 0)] * 2
    assert len(calls) > 2
    assert set(calls) == {1}
    assert shop.left() == before - sum(one.used_micro for one in ended)
    assert shop.town.services.funding.balanced()


def test_an_executor_that_stays_away_fails_the_job_and_gives_the_credits_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: object) -> None:
        raise Unavailable("the machine does not answer", fix="fabriek doctor")

    before = shop.left()
    monkeypatch.setattr(shop.executor, "submit", away)
    job = shop.submit("true")

    def wound() -> bool:
        shop.worker.round()
        shop.town.clock.move(timedelta(seconds=60))
        return shop.job(job).settled

    until(wound)
    ended = shop.job(job)
    assert (ended.state, ended.reason) == (State.FAILED, "the machine does not answer")
    assert shop.left() == before


def test_what_keeps_a_job_from_starting_is_its_reason_and_nothing_of_its_beginning_stays(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_: object) -> None:
        raise NotPermitted("the agreement has ended", rule="agreement.ended", fix="ask for another")

    before = shop.left()
    monkeypatch.setattr(shop.town.services.vault, "output_for_job", ended)
    job = shop.settled(shop.submit("true"))
    assert (job.state, job.reason, job.attempts, job.run) == (State.FAILED, "the agreement has ended", 1, "")
    assert shop.left() == before
    events = shop.town.services.audit.events(by=shop.town.operator, limit=100, subject=job.id).items
    assert [one.action for one in events].count("job.starting") == 1


def test_nobody_who_writes_waits_for_a_cluster_that_makes_an_account(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, waits = shop.town.services, []

    def account_of(_project: str) -> str:
        waits.append(services.database.in_transaction())
        if len(waits) == 1:
            raise Unavailable("the cluster does not answer", fix="fabriek doctor")
        return "fabriek-x"

    def started() -> bool:
        shop.worker.round()
        shop.town.clock.move(timedelta(seconds=1))
        return shop.job(job).state is State.RUNNING

    object.__setattr__(services, "settings", replace(services.settings, slurm_accounts=True))
    monkeypatch.setattr(services.cluster_accounts, "account_of", account_of)
    monkeypatch.setattr(services.cluster_accounts, "sync", lambda **_: None)
    job = shop.submit("sleep", "60")
    until(started)
    assert waits == [False, False]
    assert shop.job(job).attempts == 1


def test_a_job_that_wrote_nothing_has_no_sealed_log_and_one_that_did_has(shop: Shop) -> None:
    silent, loud = shop.settled(shop.submit("true")), shop.settled(shop.submit("echo", "hi"))
    assert silent.log == ""
    assert shop.town.services.logs.part(silent, 0, 100) == b""
    assert shop.town.services.logs.part(loud, 0, 100) == b"hi\n"
    assert loud.log


def test_one_kind_of_work_failing_stops_no_other(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("fabriek.worker.loop.settle_jobs", broken)
    assert shop.work(shop.submit("echo", "hi"), State.SUCCEEDED).settled is False


def test_a_job_about_which_the_executor_will_not_answer_stops_no_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd, cancelled, even = (shop.work(shop.submit("sleep", "60"), State.RUNNING) for _ in range(3))
    polled, stopped = shop.executor.poll, shop.executor.cancel

    def refuse(handle: Handle) -> None:
        if handle.job == odd.id:
            raise InvalidInput("Slurm refused: what it is", fix="ask for what sinfo shows")

    def poll(handles: Sequence[Handle]) -> list[ObservedState]:
        for one in handles:
            refuse(one)
        return polled(handles)

    def cancel(handle: Handle) -> None:
        refuse(handle)
        stopped(handle)

    monkeypatch.setattr(shop.executor, "poll", poll)
    monkeypatch.setattr(shop.executor, "cancel", cancel)
    for one in (odd, cancelled):
        shop.town.services.compute.cancel(shop.project, one.id, by=shop.person)
    shop.executor.end(handle_of(even))
    assert watch_jobs(shop.town.services) == 2
    assert [shop.job(one).state for one in (odd, cancelled, even)] == [State.RUNNING, State.CANCELLED, State.SUCCEEDED]
    monkeypatch.undo()
    assert shop.settled(odd).state is State.CANCELLED


def test_more_than_the_machine_holds_waits_and_says_why(shop: Shop) -> None:
    first, second = shop.submit("sleep", "60", cpus=3), shop.submit("sleep", "60", cpus=3)
    running = shop.work(first, State.RUNNING)
    waiting = shop.job(second)
    assert waiting.state is State.QUEUED
    said = shop.town.services.compute.why(waiting).sentence
    assert "CPU" in said or "cores" in said.lower()
    shop.executor.end(handle_of(running))
    shop.work(second, State.RUNNING)


def test_what_cannot_be_paid_is_refused_and_changes_nothing(shop: Shop) -> None:
    before = shop.left()
    with pytest.raises(CreditsExhausted) as refused:
        shop.submit("true", hours=24 * 360, cpus=4)
    assert refused.value.fields["left"]
    assert shop.left() == before
    assert shop.town.services.compute.list(shop.project, limit=10, cursor="", by=shop.person).items == []


NEVER = [
    JobAsked(()), JobAsked(("a\0b",)), JobAsked(("true",), environment={"LD_PRELOAD": "x"}), JobAsked(("true",), purpose="war"),
    JobAsked(("true",), cpus=0), JobAsked(("true",), wall_seconds_max=0), JobAsked(("true",), memory_bytes=-1),
]  # fmt: skip


@pytest.mark.parametrize("asked", NEVER, ids=range(len(NEVER)))
def test_what_can_never_run_is_refused(shop: Shop, asked: JobAsked) -> None:
    with pytest.raises(InvalidInput):
        shop.town.services.compute.submit(shop.project, asked, by=shop.person)


BEYOND = [
    (JobAsked(("true",), cpus=5), "--cpus 4"), (JobAsked(("true",), gpus=gpus_of(1)), ""),
    (JobAsked(("true",), memory_bytes=2**34), "--memory 8192MiB"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "nearest"), BEYOND, ids=range(len(BEYOND)))
def test_more_than_the_whole_machine_is_refused_with_the_nearest_that_it_has(
    shop: Shop, asked: JobAsked, nearest: str
) -> None:
    before = shop.left()
    with pytest.raises(InvalidInput) as refused:
        shop.town.services.compute.submit(shop.project, asked, by=shop.person)
    assert refused.value.fix == (f"ask for {nearest}" if nearest else "leave it out")
    assert shop.left() == before


def test_jobs_come_in_pages_newest_first_and_are_ones_own(shop: Shop) -> None:
    made = [shop.submit("true").id for _ in range(5)]
    services = shop.town.services
    first = services.compute.list(shop.project, limit=2, cursor="", by=shop.person)
    second = services.compute.list(shop.project, limit=3, cursor=first.next_cursor, by=shop.person)
    assert [one.id for one in [*first.items, *second.items]] == made[::-1]
    assert second.next_cursor == ""
    stranger = shop.town.person("elders")
    other = shop.town.project(stranger)
    with pytest.raises(NotFound):
        services.compute.get(other, made[0], by=shop.town.again(stranger))
    with pytest.raises(InvalidInput):
        services.compute.list(other, limit=2, cursor=first.next_cursor, by=shop.town.again(stranger))


def asked(shop: Shop, *argv: str, terms: Terms | None = None, **more: Any) -> list[Job]:
    wanted = JobAsked(argv, terms=terms or Terms(), **more)
    return list(shop.town.services.compute.submit_each(shop.project, wanted, by=shop.person))


def test_an_array_runs_as_many_at_once_as_it_says(shop: Shop) -> None:
    elements = asked(shop, "sleep", "60", array="0-2%2")
    shop.work(elements[0], State.RUNNING)
    shop.work(elements[1], State.RUNNING)
    third = shop.job(elements[2])
    assert third.state is State.QUEUED
    assert "2 at a time" in shop.town.services.compute.why(third).sentence
    shop.executor.end(handle_of(shop.job(elements[0])))
    shop.work(third, State.RUNNING)


def test_elements_are_called_by_number_and_index_and_stopped_together(shop: Shop) -> None:
    elements = asked(shop, "sleep", "60", array="3,5")
    compute = shop.town.services.compute
    assert compute.get(shop.project, f"{elements[0].array_number}_5", by=shop.person).id == elements[1].id
    assert [one.array_index for one in compute.array(shop.project, str(elements[0].number), by=shop.person)] == [3, 5]
    assert {one.state for one in compute.cancel_array(shop.project, elements[0].array, by=shop.person)} == {
        State.CANCELLED
    }
    with pytest.raises(WrongState):
        compute.cancel_array(shop.project, elements[0].array, by=shop.person)
    stranger = shop.town.person("elders")
    other = shop.town.project(stranger)
    for said in (elements[0].array, str(elements[0].number)):
        with pytest.raises(NotFound):
            compute.array(other, said, by=shop.town.again(stranger))


def test_a_sweep_gives_each_job_its_values_and_its_run_says_so(shop: Shop) -> None:
    elements = asked(shop, "echo", "--lr={lr}", sweep={"lr": ["0.1", "0.2"]})
    ended = [shop.settled(one) for one in elements]
    assert [one.argv[1] for one in ended] == ["--lr=0.1", "--lr=0.2"]
    assert shop.town.services.lab.params_of_run(ended[1].run) == [("lr", "0.2")]


def test_of_an_array_that_credits_do_not_cover_nothing_is_queued(shop: Shop) -> None:
    left = shop.left()
    with pytest.raises(CreditsExhausted):
        asked(shop, "true", array="0-4999", wall_seconds_max=120 * 3600)
    assert shop.left() == left
    assert shop.town.services.compute.count_by_state() == {}


def test_a_job_waits_for_another_and_is_dropped_when_that_fails(shop: Shop) -> None:
    (first,) = asked(shop, "sleep", "60")
    (after,) = asked(shop, "true", terms=Terms(after=after_of(str(first.number))))
    (anyway,) = asked(shop, "echo", "x", terms=Terms(after=after_of(f"afterany:{first.id}")))
    running = shop.work(first, State.RUNNING)
    assert shop.job(after).state is State.QUEUED
    assert first.id in shop.town.services.compute.why(shop.job(after)).sentence
    shop.executor.end(handle_of(running), exit_code=1)
    dropped = shop.settled(after)
    assert (dropped.state, dropped.used_micro) == (State.CANCELLED, 0)
    assert "will not come" in dropped.reason
    assert shop.settled(anyway).state is State.SUCCEEDED


def test_nobody_waits_for_a_job_of_another_project(shop: Shop) -> None:
    (theirs,) = asked(shop, "true")
    stranger = shop.town.person("elders")
    other = shop.town.project(stranger)
    for said in (theirs.id, str(theirs.number)):
        with pytest.raises(NotFound):
            wanted = JobAsked(("true",), terms=Terms(after=after_of(said)))
            shop.town.services.compute.submit(other, wanted, by=shop.town.again(stranger))


def test_a_deadline_that_cannot_be_kept_ends_the_waiting(shop: Shop) -> None:
    now = shop.town.clock.now()
    asked(shop, "sleep", "60", cpus=4)
    (late,) = asked(shop, "true", cpus=4, terms=Terms(deadline=now + timedelta(minutes=90)))
    shop.worker.round()
    shop.town.clock.move(timedelta(minutes=31))
    assert "deadline" in shop.settled(late).reason


def test_a_job_that_asks_to_run_again_does_so_as_often_as_it_may_and_pays_for_all(shop: Shop) -> None:
    (job,) = asked(shop, "sleep", "60", terms=Terms(requeues_max=1))
    assert job.held_micro == 2 * asked(shop, "sleep", "60")[0].held_micro
    first = shop.work(job, State.RUNNING)
    shop.town.clock.move(timedelta(minutes=30))
    shop.executor.write(handle_of(first), b"one\n")
    shop.executor.end(handle_of(first), exit_code=75)
    second = until(lambda: (now := shop.work(job, State.RUNNING)).attempts == 2 and now)
    assert second
    assert (second.run, second.requeues) == (first.run, 1)
    assert second.shape.wall_seconds_max == 3600
    shop.town.clock.move(timedelta(minutes=15))
    shop.executor.write(handle_of(second), b"two\n")
    shop.executor.end(handle_of(second), exit_code=75)
    ended = shop.settled(job)
    assert (ended.state, ended.exit_code) == (State.FAILED, 75)
    assert ended.used_micro * 8 == ended.held_micro * 3
    logs = shop.town.services.logs
    assert logs.part(ended, 0, 100) + logs.part(ended, 4, 100) == b"one\ntwo\n"
    assert shop.town.services.funding.balanced()


def test_a_job_that_is_cancelled_does_not_run_again(shop: Shop) -> None:
    (job,) = asked(shop, "sleep", "60", terms=Terms(requeues_max=5))
    running = shop.work(job, State.RUNNING)
    shop.town.services.compute.cancel(shop.project, job.id, by=shop.person)
    shop.executor.end(handle_of(running), exit_code=75)
    assert shop.settled(job).state is State.CANCELLED
