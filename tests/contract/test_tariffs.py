"""Jobs charged by whole tariffs, from the request to the settlement, on both databases; the operator names a file and nothing else."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.compute.capacity import Capacity
from fabriek.compute.gpus import Kind, gpus_of
from fabriek.compute.jobs import Job, State
from fabriek.compute.progress import handle_of
from fabriek.compute.requests import JobAsked
from fabriek.kernel.errors import InvalidInput
from tests.contract.test_shapes import Hall, a_hall
from tests.factories.services import a_town
from tests.factories.waiting import until

GIB = 2**30
HOUR = 3600
UNIT = 10**6
BIG = Capacity(2_048, 16, 4_096 * GIB, nodes=16, kinds=(Kind("a100", 16, 250),))

Halls = Callable[[str], Hall]


@pytest.fixture
def halls(database: Database, tmp_path: Path) -> Iterator[Halls]:
    made: list[Hall] = []

    def at(site: str) -> Hall:
        rates = Path(str(files("fabriek.funding").joinpath("data", "tariffs", f"{site}.toml")))
        made.append(a_hall(a_town(database, tmp_path / "home", capacity=BIG, rates=rates)))
        return made[-1]

    yield at
    for hall in made:
        hall.worker._starter.close()
        hall.worker._upkeep.close()


def settled(hall: Hall, hours: float, **asked: object) -> Job:
    """The job after it ran for so long."""
    running = hall.runs(wall_seconds_max=int(hours * HOUR), **asked)
    hall.town.clock.move(timedelta(hours=hours))
    hall.executor.end(handle_of(running))
    until(lambda: hall.worker.round() is not None and hall.job(running).settled)
    return hall.job(running)


def test_bill_of_a_job_at_csc_is_12_units_of_cpu(halls: Halls) -> None:
    job = settled(halls("csc"), 2, cpus=4, memory_bytes=16 * GIB)
    assert (job.resource, job.held_micro, job.used_micro) == ("cpu_hour", 12 * UNIT, 12 * UNIT)


def test_bill_of_a_job_at_lumi_counts_the_cores_of_its_nodes(halls: Halls) -> None:
    hall = halls("lumi")
    job = settled(hall, 6, cpus=1, nodes=16)
    assert (job.resource, job.held_micro, job.used_micro) == ("cpu_hour", 12_288 * UNIT, 12_288 * UNIT)
    assert hall.town.services.funding.balanced()


def test_bill_of_a_job_at_surf_is_a_quarter_of_a_node_at_least(halls: Halls) -> None:
    hall = halls("surf")
    asked = JobAsked(("true",), gpus=gpus_of("a100:0.25"), wall_seconds_max=HOUR // 2)
    assert hall.town.services.planner.plan(hall.project, asked, by=hall.person).job.held_micro == 64 * UNIT
    job = settled(hall, 0.5, gpus="a100:0.25")
    assert (job.resource, job.held_micro, job.used_micro) == ("gpu_hour", 64 * UNIT, 64 * UNIT)


def test_a_job_of_more_than_120_hours_is_refused_at_surf_and_holds_nothing(halls: Halls) -> None:
    hall = halls("surf")
    project = hall.town.services.access.project(hall.project).id
    before = hall.town.services.funding.left(project)
    with pytest.raises(InvalidInput, match="by its tariff a job runs for 120 hours at most") as refused:
        hall.ask(wall_seconds_max=121 * HOUR)
    assert "--hours 120" in refused.value.fix
    assert hall.town.services.funding.left(project) == before
    assert hall.ask(wall_seconds_max=120 * HOUR).state is State.QUEUED


def test_a_file_of_rates_that_is_not_there_keeps_the_server_from_starting(database: Database, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cannot be read \(FileNotFoundError\)"):
        a_town(database, tmp_path / "home", rates=tmp_path / "none.toml")
