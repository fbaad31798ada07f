"""A job's kind of work, on both databases: refused where it is unknown, kept, and counted in what it is expected to draw; not in what is planned."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.bootstrap.machinery import tables_for, works_for
from fabriek.compute.capacity import Capacity
from fabriek.compute.gpus import gpus_of
from fabriek.compute.jobs import Job, State
from fabriek.compute.power import Contract
from fabriek.compute.powering.work import works_on
from fabriek.compute.progress import handle_of
from fabriek.compute.requests import JobAsked
from fabriek.compute.terms import Terms
from fabriek.kernel.errors import InvalidInput
from fabriek.settings import Settings
from tests.contract.test_power_record import looks, recorded
from tests.contract.test_worker import Shop, a_worker
from tests.factories.executor import MemoryExecutor
from tests.factories.services import a_town

HOUR_SECONDS = 3_600
MEAN, LANGUAGE, RECOMMENDATION, CPU, IDLE = 167.6, 350 * 0.838, 350 * 0.207, 8.125, 28
EACH = 359
"""Watts at the meter for one GPU and one core by nameplate, rounded up."""


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Iterator[Shop]:
    town = a_town(database, tmp_path / "home", capacity=Capacity(4, 4, 2**33), contract=Contract(1_000))
    person = town.person("weefsel")
    project = town.project(person, gpu_hours=40)
    executor = town.services.executor
    assert isinstance(executor, MemoryExecutor)
    made = Shop(town, town.again(person), project, a_worker(town), executor)
    yield made
    made.worker._starter.close()
    made.worker._upkeep.close()


def submit(shop: Shop, work: str = "", gpus: str = "1") -> Job:
    asked = JobAsked(("sleep", "9"), gpus=gpus_of(gpus), wall_seconds_max=2 * HOUR_SECONDS, terms=Terms(work=work))
    return shop.town.services.compute.submit(shop.project, asked, by=shop.person)


def ran_an_hour(shop: Shop, work: str) -> Job:
    running = shop.work(submit(shop, work), State.RUNNING)
    begun, now = running.started_at, shop.town.clock.now()
    assert begun is not None
    shop.town.clock.move(begun - now)
    looks(shop.town, 60)
    shop.executor.end(handle_of(running), exit_code=0)
    return shop.settled(running)


def test_an_unknown_kind_is_refused_with_those_that_there_are_and_nothing_stays(shop: Shop) -> None:
    with pytest.raises(InvalidInput) as refused:
        submit(shop, "mining")
    assert "'mining'; there are image-training, language-training," in refused.value.detail
    assert "fabriek power kinds" in str(refused.value.fix)
    assert shop.town.services.compute.list(shop.project, limit=9, cursor="", by=shop.person).items == []


@pytest.mark.parametrize(
    ("work", "watts"), [("", MEAN), ("language-training", LANGUAGE), ("recommendation-training", RECOMMENDATION)]
)
def test_a_jobs_energy_and_the_record_go_by_its_kind(shop: Shop, work: str, watts: float) -> None:
    ended = ran_an_hour(shop, work)
    assert ended.terms.work == work
    expected = -(-(watts + CPU) // 1)  # rounded up, at the meter of a machine without cooling
    assert ended.energy_joules == pytest.approx(expected * HOUR_SECONDS, rel=0.001)
    quarter = recorded(shop.town)[1]
    assert quarter.planned_watts == IDLE + EACH
    assert quarter.drawn_watts == IDLE + expected


def test_what_is_planned_and_what_may_start_do_not_go_by_what_a_job_says(shop: Shop) -> None:
    """Two of 350 W fit 1,000 W and a third does not, though it says that it draws a fifth of that."""
    for work in ("recommendation-training", "recommendation-training", "language-training"):
        submit(shop, work)
    shop.worker.round()
    jobs = shop.town.services.compute.list(shop.project, limit=9, cursor="", by=shop.person).items
    assert [job.state for job in jobs].count(State.QUEUED) == 1
    assert shop.town.services.compute.power_outlook().planned_watts == IDLE + 2 * EACH
    with pytest.raises(InvalidInput, match="W"):
        submit(shop, "recommendation-training", gpus="3")


def test_a_file_of_ones_own_may_hold_kinds_alone_and_leaves_the_tables_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "power.toml"
    file.write_text(
        '[[kind]]\nmachine = "gpu_node"\nname = "language-training"\npart_mean = 0.71\npart_highest = 0.8\n'
        'valid_from = 2026-09-01\nsource = "meter of hall 2"\n'
    )
    settings, shipped = Settings(home=tmp_path, power_table=file), Settings(home=tmp_path)
    assert tables_for(settings) == tables_for(shipped)
    on = date(2026, 9, 1)
    assert str(works_on(works_for(settings), "gpu_node", on)["language-training"].part_mean) == "0.71"
    assert works_on(works_for(settings), "a100_node", on) == works_on(works_for(shipped), "a100_node", on)
