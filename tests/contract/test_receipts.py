"""What became of a job's credits, line by line, on both databases: of one that ended well, failed, was cancelled, was lost, was put back and went on,
was given more time, and was set right afterwards.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.compute.executors.accounts import Account
from fabriek.compute.jobs import Job, State
from fabriek.compute.progress import handle_of
from fabriek.compute.receipts import Ground, JobReceipt
from fabriek.compute.requests import JobAsked
from fabriek.compute.terms import Terms
from fabriek.funding.spending.receipts import What
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotFound, NotPermitted
from fabriek.worker.settling import settle
from tests.contract.test_worker import Shop, a_worker
from tests.factories.executor import MemoryExecutor
from tests.factories.services import a_town
from tests.factories.waiting import until

HALF = timedelta(minutes=30)
MICRO = 1_000_000


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


def receipt(shop: Shop, job: Job, by: Caller | None = None) -> JobReceipt:
    return shop.town.services.receipts.of(shop.project, job.id, by=by or shop.person)


def lines(found: JobReceipt) -> list[tuple[str, int]]:
    assert found.receipt is not None
    return [(str(one.what), one.amount_micro) for one in found.receipt.lines]


def sums(found: JobReceipt) -> Sequence[int]:
    told = found.receipt
    assert told is not None
    return told.held_micro, told.charged_micro, told.given_back_micro


def run_half_an_hour(shop: Shop, job: Job) -> Job:
    running = shop.work(job, State.RUNNING)
    shop.town.clock.move(HALF)
    return running


def test_before_it_ends_its_worst_case_is_held(shop: Shop) -> None:
    job = shop.submit("sleep", "60", hours=2)
    found = receipt(shop, job)
    assert (found.ground, lines(found)) == (Ground.HELD, [("held", job.held_micro)])
    assert job.held_micro > 0
    assert sums(found) == (job.held_micro, 0, 0)
    assert found.receipt is not None
    assert not found.receipt.settled


@pytest.mark.parametrize("code", [0, 3], ids=["succeeded", "failed"])
def test_what_ran_is_charged_for_its_time_and_the_rest_is_given_back(shop: Shop, code: int) -> None:
    before, job = shop.left(), shop.submit("sleep", "60")
    shop.executor.end(handle_of(run_half_an_hour(shop, job)), exit_code=code)
    ended = shop.settled(job)
    found = receipt(shop, ended)
    assert (ended.state is State.FAILED) is bool(code)
    assert found.ground is Ground.RAN
    assert sums(found) == (job.held_micro, job.held_micro // 2, job.held_micro - job.held_micro // 2)
    assert [what for what, _ in lines(found)] == ["held", "charged", "given back"]
    assert before - shop.left() == job.held_micro // 2
    [share] = [one.name for one in shop.town.services.funding.shares() if one.id == ended.share]
    assert found.share == share
    assert found.energy_joules == ended.energy_joules > 0


def test_cancelled_before_it_ran_all_is_given_back_and_cancelled_while_it_ran_it_pays_for_that(shop: Shop) -> None:
    compute, first, second = shop.town.services.compute, shop.submit("sleep", "60"), shop.submit("sleep", "60")
    compute.cancel(shop.project, first.id, by=shop.person)
    found = receipt(shop, shop.settled(first))
    assert (found.ground, sums(found)) == (Ground.NEVER_RAN, (first.held_micro, 0, first.held_micro))
    run_half_an_hour(shop, second)
    compute.cancel(shop.project, second.id, by=shop.person)
    found = receipt(shop, shop.settled(second))
    assert (found.job.state, found.ground) == (State.CANCELLED, Ground.RAN)
    assert sums(found) == (second.held_micro, second.held_micro // 2, second.held_micro - second.held_micro // 2)


def test_what_the_machine_lost_costs_nothing(shop: Shop) -> None:
    before, job = shop.left(), shop.submit("sleep", "60")
    shop.executor.lose(handle_of(run_half_an_hour(shop, job)))
    ended = shop.settled(job)
    assert (ended.state, ended.used_micro) == (State.LOST, 0)
    assert ended.ran_seconds > 0
    found = receipt(shop, ended)
    assert (found.ground, sums(found)) == (Ground.LOST, (job.held_micro, 0, job.held_micro))
    assert lines(found) == [("held", job.held_micro), ("charged", 0), ("given back", job.held_micro)]
    assert shop.left() == before
    assert shop.town.services.funding.balanced()


@pytest.mark.parametrize(("state", "by", "is_free"), [
    ("NODE_FAIL", "", True), ("FAILED", "", True), ("CANCELLED", "uid 1000 (alice)", False), ("CANCELLED by 1000", "", False),
    ("OUT_OF_MEMORY", "", False), ("TIMEOUT", "", False),
])  # fmt: skip
def test_whoever_made_it_vanish_pays(shop: Shop, state: str, by: str, *, is_free: bool) -> None:
    job = shop.submit("sleep", "60")
    running = run_half_an_hour(shop, job)
    seen = shop.executor.poll([handle_of(running)])[0]
    shop.executor.lose(handle_of(running))
    shop.town.services.progress.observe(
        job.id, replace(shop.executor.poll([handle_of(running)])[0], started_at=seen.started_at)
    )
    lost = shop.job(job)
    assert lost.state is State.LOST
    assert lost.ended_at is not None
    settle(shop.town.services, lost, Account("17", state, lost.started_at, lost.ended_at, 1_800, cancelled_by=by))
    found = receipt(shop, job)
    assert (found.ground is Ground.LOST, found.ground is Ground.RAN) == (is_free, not is_free)
    assert (sums(found)[1] == 0) is is_free


def test_where_jobs_run_without_walls_one_could_end_its_own_supervisor_and_pays(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(shop.town.services.progress._machine), "without_walls", lambda _: True)
    job = shop.submit("sleep", "60")
    shop.executor.lose(handle_of(run_half_an_hour(shop, job)))
    assert shop.settled(job).used_micro > 0
    assert receipt(shop, job).ground is Ground.RAN


def test_put_back_and_gone_on_it_has_one_receipt_for_all_of_its_time(shop: Shop) -> None:
    asked = JobAsked(("sleep", "60"), wall_seconds_max=3_600, terms=Terms(preemptible=True))
    job = shop.town.services.compute.submit(shop.project, asked, by=shop.person)
    running = run_half_an_hour(shop, job)
    with shop.town.services.database.transaction():
        shop.town.services.progress._jobs.save(replace(shop.job(running), preempting=True))
    shop.executor.end(handle_of(running), exit_code=75, again=True)
    again = until(lambda: (now := shop.work(job, State.RUNNING)).attempts == 2 and now)
    assert again
    assert lines(receipt(shop, job)) == [("held", job.held_micro)]
    shop.town.clock.move(timedelta(minutes=15))
    shop.executor.end(handle_of(again))
    found = receipt(shop, shop.settled(job))
    assert sums(found) == (job.held_micro, job.held_micro * 3 // 4, job.held_micro - job.held_micro * 3 // 4)
    assert [what for what, _ in lines(found)] == ["held", "charged", "given back"]


def test_more_time_is_a_line_of_its_own(shop: Shop) -> None:
    job = shop.submit("sleep", "60")
    running = shop.work(job, State.RUNNING)
    for _ in range(2):
        shop.town.services.doors.extend(shop.project, job.id, 3_600, by=shop.person)
    assert lines(receipt(shop, job)) == [("held", job.held_micro)] * 3
    shop.executor.end(handle_of(running))
    found = receipt(shop, shop.settled(job))
    assert sums(found)[0] == 3 * job.held_micro == sums(found)[1] + sums(found)[2]


def test_corrections_stand_below_it_with_their_reasons_and_it_stands_at_the_last(shop: Shop) -> None:
    job = shop.submit("sleep", "60")
    shop.executor.end(handle_of(run_half_an_hour(shop, job)))
    charged = shop.settled(job).used_micro
    correcting, operator = shop.town.services.correcting, shop.town.operator
    correcting.correct(job.id, 0, "the node failed", by=operator)
    correcting.correct(job.id, charged // 2, "half of it did not", by=operator)
    found = receipt(shop, job)
    told = found.receipt
    assert told is not None
    assert [(one.amount_micro, one.reason) for one in told.lines if one.what is What.CORRECTED] == [
        (-charged, "the node failed"), (charged // 2, "half of it did not")
    ]  # fmt: skip
    assert told.charged_micro == charged // 2
    assert found.ground is Ground.RAN
    for line in told.lines:
        assert shop.town.services.correcting._books.posting(line.transaction).entries[0].at == line.at


def test_who_may_not_look_at_the_job_does_not_see_its_receipt(shop: Shop) -> None:
    job = shop.submit("sleep", "60")
    stranger = shop.town.person("stranger")
    other = shop.town.project(stranger)
    stranger = shop.town.again(stranger)
    with pytest.raises((NotFound, NotPermitted)):
        receipt(shop, job, by=stranger)
    with pytest.raises(NotFound):
        shop.town.services.receipts.of(other, job.id, by=stranger)
