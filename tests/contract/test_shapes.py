"""Nodes, kinds of GPUs and parts of one: from the request to what the executor is told, on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from fabriek.adapters.database import Database
from fabriek.compute.capacity import Capacity
from fabriek.compute.gpus import Gpus, Kind, gpus_of
from fabriek.compute.jobs import EXIT_AGAIN, Job, State
from fabriek.compute.machine import GangNetwork
from fabriek.compute.partitions import Partition
from fabriek.compute.placement import Placement
from fabriek.compute.power import Contract
from fabriek.compute.progress import handle_of
from fabriek.compute.requests import InputAsked, JobAsked
from fabriek.compute.terms import Terms
from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.schemas.node import PREEMPT, JobSpec
from tests.contract.test_worker import Shop, a_worker
from tests.factories.executor import MemoryExecutor
from tests.factories.services import Town, a_town
from tests.factories.vault import fill
from tests.factories.waiting import until

GIB = 2**30
CLUSTER = Capacity(16, 6, 64 * GIB, nodes=2, kinds=(Kind("a100", 4, 250), Kind("h100", 2)))
"""Each node: 8 CPUs, 32 GiB, two a100 that may be shared, and one h100."""


class Hall(Shop):
    """One project on a machine with two nodes."""

    def ask(self, *, gpus: str = "0", terms: Terms | None = None, **asked: object) -> Job:
        wanted = JobAsked(("sleep", "60"), gpus=gpus_of(gpus), terms=terms or Terms(), **asked)  # type: ignore[arg-type]
        if wanted.priority == "urgent":
            self.town.make_urgent(self.project)
        return self.town.services.compute.submit(self.project, wanted, by=self.person)

    def runs(self, **asked: object) -> Job:
        return self.work(self.ask(**asked), State.RUNNING)  # type: ignore[arg-type]

    def spec(self, job: Job) -> JobSpec:
        return self.executor.spec(handle_of(job))


def a_hall(town: Town) -> Hall:
    person = town.person("weefsel")
    project = town.project(person, gpu_hours=100)
    executor = town.services.executor
    assert isinstance(executor, MemoryExecutor)
    return Hall(town, town.again(person), project, a_worker(town), executor)


@pytest.fixture
def hall(database: Database, tmp_path: Path) -> Iterator[Hall]:
    made = a_hall(a_town(database, tmp_path / "home", capacity=CLUSTER))
    yield made
    made.worker._starter.close()
    made.worker._upkeep.close()


def test_a_job_is_given_its_devices_by_number_and_they_are_kept_with_it(hall: Hall) -> None:
    one, other = hall.runs(gpus="a100:2"), hall.runs(gpus="a100:2", nodes=1)
    assert {one.placed, other.placed} == {Placement((0,), ((0, 1),), "a100"), Placement((1,), ((2, 3),), "a100")}
    assert {hall.spec(one).devices, hall.spec(other).devices} == {((0, 1),), ((2, 3),)}
    assert (hall.spec(one).gpus, hall.spec(one).gpu_kind, hall.spec(one).gpu_part_milli) == (2, "a100", 0)


def test_two_halves_share_a_device_and_a_third_has_another(hall: Hall) -> None:
    halves = [hall.runs(gpus="a100:0.5") for _ in range(3)]
    assert [hall.spec(one).devices for one in halves] == [((0,),), ((0,),), ((1,),)]
    assert [(hall.spec(one).gpus, hall.spec(one).gpu_part_milli) for one in halves] == [(0, 500)] * 3


def test_a_server_that_starts_again_gives_no_device_away_twice(database: Database, tmp_path: Path, hall: Hall) -> None:
    standing = [hall.runs(gpus="a100:1"), hall.runs(gpus="a100:0.75")]
    after = hall.town.services.progress.snapshot()
    assert {one.placed for one in after.running} == {one.placed for one in standing}
    given = [
        device for one in (*standing, *(hall.runs(gpus="1") for _ in range(3))) for device in hall.spec(one).devices[0]
    ]
    assert len(set(given)) == 5
    assert hall.work(hall.ask(gpus="0.25"), State.RUNNING).placed == standing[1].placed


def test_a_gang_is_let_in_whole_or_not_at_all(hall: Hall) -> None:
    first = hall.runs(cpus=6)
    gang = hall.ask(cpus=6, nodes=2)
    hall.worker.round()
    waits = hall.job(gang)
    assert waits.state is State.QUEUED
    told = hall.town.services.compute.why(waits)
    assert told.sentence.startswith("Waits for room: this job needs 12 CPUs, the machine has 10 CPUs free")
    hall.executor.end(handle_of(first))
    begun = hall.work(gang, State.RUNNING)
    assert begun.placed == Placement((0, 1), ((), ()), "")
    spec = hall.spec(begun)
    assert (spec.nodes, spec.cpus, spec.slurm["SLURM_JOB_NODELIST"]) == (2, 6, "job-0,job-1")


def test_room_on_two_nodes_is_none_for_a_job_of_one(hall: Hall) -> None:
    for _ in range(2):
        hall.runs(cpus=5)
    waits = hall.ask(cpus=6)
    hall.worker.round()
    assert hall.town.services.compute.why(hall.job(waits)).sentence.startswith(
        "Waits for room: no node has 6 CPUs, 2.0 GiB of memory free together; room is expected at "
    )


BEYOND = [
    ({"nodes": 3}, "--nodes 2"), ({"cpus": 10}, "--cpus 8"), ({"memory_bytes": 33 * GIB}, "--memory 32768MiB"),
    ({"gpus": "h100:3"}, "--gpus h100:1"), ({"gpus": "3"}, "--gpus a100:2"), ({"gpus": "b200:1"}, "one of a100, h100"),
    ({"gpus": "h100:0.5"}, "--gpus h100:1"), ({"gpus": "a100:0.3"}, "--gpus a100:0.5"), ({"gpus": "0.1"}, "--gpus a100:0.25"),
    ({"gpus": "a100:3", "nodes": 2}, "--gpus a100:2"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "nearest"), BEYOND, ids=range(len(BEYOND)))
def test_what_no_node_has_is_refused_with_the_nearest_that_one_has(
    hall: Hall, asked: dict[str, object], nearest: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        hall.ask(**asked)  # type: ignore[arg-type]
    assert nearest in refused.value.fix
    assert hall.town.services.compute.list(hall.project, limit=10, cursor="", by=hall.person).items == []


HUNGRY = [
    ({"cpus": 8, "gpus": "a100:2"}, "the contract of 820 W leaves 764 W", "ask for --cpus 7"),
    ({"gpus": "h100:1", "nodes": 2, "cpus": 8}, "this draws 830 W", "ask for --cpus 3"),
    ({"gpus": "a100:2", "nodes": 2}, "this draws 1,417 W", "ask for --gpus a100:1"),
    ({"gpus": "2", "nodes": 2, "cpus": 3}, "this draws 1,449 W", "ask for --gpus 1"),
    ({"gpus": "1", "nodes": 2, "cpus": 8}, "this draws 830 W", "ask for --cpus 3"),
]


@pytest.mark.parametrize(("asked", "said", "nearest"), HUNGRY, ids=range(len(HUNGRY)))
def test_what_alone_draws_more_than_the_contract_leaves_is_refused_with_the_nearest_that_does_not(
    database: Database, tmp_path: Path, asked: dict[str, object], said: str, nearest: str
) -> None:
    hall = a_hall(a_town(database, tmp_path / "home", capacity=CLUSTER, contract=Contract(820)))
    services = hall.town.services
    project = services.access.project(hall.project).id
    before = services.funding.left(project)
    wanted = JobAsked(("true",), **asked | {"gpus": gpus_of(str(asked["gpus"]))})  # type: ignore[arg-type]
    for ask in (services.planner.plan, services.compute.submit):
        with pytest.raises(InvalidInput) as refused:
            ask(hall.project, wanted, by=hall.person)
        assert said in refused.value.detail
        assert refused.value.fix == nearest
    assert services.compute.list(hall.project, limit=10, cursor="", by=hall.person).items == []
    assert services.funding.left(project) == before


def test_what_the_contract_just_leaves_is_taken_in_and_runs(database: Database, tmp_path: Path) -> None:
    hall = a_hall(a_town(database, tmp_path / "home", capacity=CLUSTER, contract=Contract(820)))
    assert hall.runs(gpus="a100:2", cpus=7).state is State.RUNNING


def test_a_part_pays_its_part_and_a_gang_for_all_its_nodes(hall: Hall) -> None:
    part, gang = hall.ask(gpus="a100:0.25"), hall.ask(gpus="1", nodes=2)
    assert [(one.held_micro, one.resource) for one in (part, gang)] == [(250_000, "gpu_hour"), (2_000_000, "gpu_hour")]
    running = hall.work(part, State.RUNNING)
    hall.town.clock.move(timedelta(minutes=30))
    hall.executor.end(handle_of(running))
    assert hall.work(part, State.SUCCEEDED).resource == "gpu_hour"
    until(lambda: hall.worker.round() is not None and hall.job(part).settled)
    assert hall.job(part).used_micro == 125_000


def test_data_above_the_line_shares_no_gpu(hall: Hall) -> None:
    services, by = hall.town.services, hall.person
    for name, label in (("cells", "personal"), ("plans", "confidential-business")):
        services.vault.create(hall.project, name, label=label, by=by)
        fill(services, services.vault.open_upload(hall.project, name, label="", by=by), {"a.txt": b"a"}, by=by)
    services.vault.agree(
        "cells", home=hall.project, project=hall.project, purposes=["civilian"], right="compute", until=date(2027, 1, 1), by=by
    )  # fmt: skip
    cells, plans = (InputAsked(name, "/data") for name in ("cells", "plans"))
    with pytest.raises(NotPermitted) as refused:
        hall.ask(gpus="a100:0.5", inputs=(cells,))
    assert (refused.value.fields["rule"], refused.value.fix) == ("gpu.shared", "ask for a whole one: --gpus a100:1")
    assert hall.ask(gpus="a100:1", inputs=(cells,)).label == "personal"
    assert hall.ask(gpus="a100:0.5", inputs=(plans,)).gpus == Gpus(500, "a100")


def test_a_gang_whose_members_could_not_meet_is_refused(database: Database, tmp_path: Path) -> None:
    hall = a_hall(a_town(database, tmp_path / "home", capacity=CLUSTER, gangs=GangNetwork.NONE))
    with pytest.raises(NotPermitted) as refused:
        hall.ask(nodes=2)
    assert refused.value.fields["rule"] == "gang.network"
    hall.worker._starter.close()
    hall.worker._upkeep.close()


def test_a_gang_over_hosts_reads_nothing_above_the_lowest_label_and_is_no_batch_script(
    database: Database, tmp_path: Path
) -> None:
    hall = a_hall(a_town(database, tmp_path / "home", capacity=CLUSTER, gangs=GangNetwork.HOST))
    services, by = hall.town.services, hall.person
    services.vault.create(hall.project, "plans", label="confidential-business", by=by)
    fill(services, services.vault.open_upload(hall.project, "plans", label="", by=by), {"a.txt": b"a"}, by=by)
    for rule, asked in (
        ("network.label", {"inputs": (InputAsked("plans", "/data"),)}),
        ("gang.batch", {"terms": Terms(batch=True)}),
    ):
        with pytest.raises(NotPermitted) as refused:
            hall.ask(nodes=2, **asked)
        assert refused.value.fields["rule"] == rule
    assert hall.ask(nodes=2).nodes == 2
    hall.worker._starter.close()
    hall.worker._upkeep.close()


def test_jobs_of_an_older_release_keep_their_meaning(hall: Hall, database: Database) -> None:
    old = hall.ask(gpus="a100:2")
    with database.engine.begin() as connection:
        connection.execute(text("update compute_jobs set gpus = 2, gpus_milli = null, gpu_kind = ''"))
    assert hall.job(old).gpus == Gpus(2_000)
    ((line, _),) = hall.town.services.compute._jobs.waiting()  # type: ignore[attr-defined]
    assert line.shape == replace(hall.job(old).shape, gpus=Gpus(2_000))
    assert hall.work(old, State.RUNNING).placed == Placement((0,), ((0, 1),), "a100")


def test_the_machine_says_what_of_each_kind_is_in_use(hall: Hall) -> None:
    hall.runs(gpus="a100:0.5", cpus=2)
    hall.runs(gpus="h100:1", nodes=2)
    found = hall.town.services.compute.machine_outlook()
    assert (found.cpus_used, found.gpus, found.gpus_used_milli) == (4, 6, 2_500)
    assert [(one.kind.name, one.kind.count, one.used_milli) for one in found.kinds] == [
        ("a100", 4, 500),
        ("h100", 2, 2_000),
    ]


PREEMPTIBLE = Terms(preemptible=True, signal="USR1", signal_seconds=30)


def test_an_urgent_job_has_the_room_of_one_that_may_be_put_back(hall: Hall) -> None:
    kept, back = hall.runs(cpus=8), hall.runs(cpus=8, terms=PREEMPTIBLE, wall_seconds_max=7200)
    hall.town.clock.move(timedelta(minutes=30))
    urgent = hall.ask(cpus=8, priority="urgent")
    hall.worker.round()
    why = hall.town.services.compute.why(hall.job(urgent)).sentence
    assert why.endswith("; a job that may be put back makes room for it.")
    hall.worker.round()
    assert hall.job(back).preempting
    assert (handle_of(back), PREEMPT) in hall.executor.told
    assert not any(handle == handle_of(kept) for handle, _ in hall.executor.told)
    assert "room is expected at 09:31" in hall.town.services.compute.why(hall.job(urgent)).sentence
    hall.executor.end(handle_of(back), exit_code=143, reason="it asked to run again", again=True)
    assert hall.work(urgent, State.RUNNING).state is State.RUNNING
    waits = hall.job(back)
    assert (waits.state, waits.requeues, waits.preempting, waits.shape.wall_seconds_max) == (
        State.QUEUED,
        0,
        False,
        5400,
    )
    hall.executor.end(handle_of(hall.job(urgent)))
    again = hall.work(back, State.RUNNING)
    assert (again.attempts, hall.job(kept).state) == (2, State.RUNNING)


def test_one_that_ended_before_it_heard_has_ended(hall: Hall) -> None:
    back = hall.runs(cpus=8, nodes=2, terms=PREEMPTIBLE)
    urgent = hall.ask(cpus=8, priority="urgent")
    hall.worker.round()
    assert hall.job(back).preempting
    hall.executor.end(handle_of(back))
    hall.work(urgent, State.RUNNING)
    assert hall.job(back).state is State.SUCCEEDED


def test_one_that_saves_its_state_and_says_so_before_it_is_stopped_is_put_back_too(hall: Hall) -> None:
    back = hall.runs(cpus=8, nodes=2, terms=replace(PREEMPTIBLE, requeues_max=1), wall_seconds_max=7200)
    hall.town.clock.move(timedelta(minutes=30))
    urgent = hall.ask(cpus=8, priority="urgent")
    hall.worker.round()
    hall.executor.end(handle_of(hall.job(back)), exit_code=EXIT_AGAIN)
    hall.work(urgent, State.RUNNING)
    waits = hall.job(back)
    assert (waits.state, waits.requeues, waits.preempting) == (State.QUEUED, 0, False)
    assert waits.shape.wall_seconds_max == 5400


@pytest.mark.parametrize("how", ["not asked", "not urgent", "would not help"])
def test_nobody_is_put_back_without_need(hall: Hall, how: str) -> None:
    stands = hall.runs(cpus=8, nodes=2 if how != "would not help" else 1, terms=Terms(preemptible=how != "not asked"))
    if how == "would not help":
        hall.runs(cpus=1)
    hall.ask(cpus=8, nodes=2, priority="normal" if how == "not urgent" else "urgent")
    for _ in range(3):
        hall.worker.round()
    assert not hall.job(stands).preempting
    assert hall.executor.told == []


SEALED = Partition("sealed", frozenset({1}), labels=frozenset({"personal"}))


def test_nodes_that_are_kept_for_a_label_take_no_other_job(database: Database, tmp_path: Path) -> None:
    town = a_town(database, tmp_path / "home", capacity=CLUSTER, partitions=(SEALED,))
    hall = a_hall(town)
    first, second = hall.ask(cpus=8), hall.ask(cpus=8)
    hall.worker.round()
    assert [hall.job(one).placed for one in (first, second)] == [Placement((0,), ((),)), None]
    why = town.services.compute.why(hall.job(second)).sentence
    assert "no node of the 1 that take such jobs has 8 CPUs" in why
    with pytest.raises(InvalidInput, match="may stand on one node of this machine, which this does not fit"):
        hall.ask(cpus=8, nodes=2)
    hall.worker._starter.close()
    hall.worker._upkeep.close()


def test_where_no_node_takes_a_job_it_is_refused_when_it_is_submitted(database: Database, tmp_path: Path) -> None:
    both = replace(SEALED, nodes=frozenset({0, 1}))
    hall = a_hall(a_town(database, tmp_path / "home", capacity=CLUSTER, partitions=(both,)))
    with pytest.raises(NotPermitted) as refused:
        hall.ask()
    assert refused.value.fields["rule"] == "partition"
    hall.worker._starter.close()
    hall.worker._upkeep.close()


def test_only_the_directors_part_pays_for_urgent_jobs(hall: Hall) -> None:
    wanted = JobAsked(("true",), priority="urgent")
    with pytest.raises(NotPermitted) as refused:
        hall.town.services.compute.submit(hall.project, wanted, by=hall.person)
    assert refused.value.fields["rule"] == "job.urgent"
    hall.town.make_urgent(hall.project)
    assert hall.town.services.compute.submit(hall.project, wanted, by=hall.person).state is State.QUEUED
