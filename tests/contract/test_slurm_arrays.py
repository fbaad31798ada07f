"""Many like attempts as one array on a real cluster: each is still an attempt of its own, and runs once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fabriek.compute.executors.contract import Handle, JobSpec, ObservedState, Phase
from fabriek.compute.executors.slurm import SlurmExecutor
from fabriek.compute.executors.slurm_notes import ID_FILE, noted_in
from fabriek.kernel.errors import InvalidInput, Unavailable
from tests.factories.executor import a_spec
from tests.factories.waiting import until
from tests.servers import slurm
from tests.servers.machine import why_no_sandbox
from tests.servers.on_slurm import on_slurm
from tests.servers.processes import processes_saying

pytestmark = [pytest.mark.sandbox, pytest.mark.slurm]


@pytest.fixture
def executor(any_slurm_cluster: slurm.Cluster) -> Iterator[SlurmExecutor]:
    if reason := why_no_sandbox():
        pytest.skip(f"no sandbox here: {reason}")
    with on_slurm(any_slurm_cluster) as made:
        yield made


@pytest.fixture
def lab(tmp_path: Path) -> str:
    return str(tmp_path)


@pytest.fixture
def closed(any_slurm_cluster: slurm.Cluster) -> Iterator[None]:
    """Jobs wait as long as the test lasts, unless it opens the partition itself."""
    any_slurm_cluster.command("scontrol", "update", "PartitionName=batch", "State=DOWN")
    yield
    any_slurm_cluster.command("scontrol", "update", "PartitionName=batch", "State=UP")


def over(executor: SlurmExecutor, handle: Handle) -> ObservedState:
    def look() -> ObservedState | None:
        try:
            seen = executor.poll([handle])[0]
        except Unavailable:
            return None
        return seen if seen.phase in {Phase.DONE, Phase.LOST} else None

    found = until(look)
    assert found is not None
    return found


def saying(lab: str, count: int) -> list[JobSpec]:
    """Elements that each say their number and end with it."""
    return [a_spec("sh", "-c", f"echo {one}; exit {one}", lab_socket_dir=lab) for one in range(count)]


def batch_jobs(cluster: slurm.Cluster, executor: SlurmExecutor, handle: Handle) -> set[str]:
    """Slurm's ids, without the tasks', of all that bear the name under which this attempt went."""
    noted = noted_in(executor._folders.of(handle))
    assert noted is not None
    named = cluster.command("squeue", "-h", "-t", "all", "-o", "%A %F", "--name", noted.name).split("\n")
    return {line.split()[1] for line in named if line}


def test_like_attempts_are_one_batch_job_and_each_has_its_own_end_and_log(
    executor: SlurmExecutor, any_slurm_cluster: slurm.Cluster, lab: str
) -> None:
    handles = executor.submit_all(saying(lab, 6))
    assert len(batch_jobs(any_slurm_cluster, executor, handles[0])) == 1
    assert [over(executor, one).exit_code for one in handles] == list(range(6))
    assert [executor.logs(one, 0, 100) for one in handles] == [f"{one}\n".encode() for one in range(6)]


def test_what_asks_for_something_else_goes_by_itself(executor: SlurmExecutor, lab: str) -> None:
    specs = saying(lab, 3)
    handles = executor.submit_all([specs[0], replace(specs[1], cpus=2), specs[2]])
    noted = [noted_in(executor._folders.of(one)) for one in handles]
    assert [one.id.partition("_")[2] for one in noted if one] == ["0", "", "1"]
    assert [over(executor, one).exit_code for one in handles] == [0, 1, 2]


@pytest.mark.usefixtures("closed")
def test_an_element_that_waits_is_cancelled_and_the_others_run(
    executor: SlurmExecutor, any_slurm_cluster: slurm.Cluster, lab: str
) -> None:
    handles = executor.submit_all(saying(lab, 4))
    assert {one.phase for one in executor.poll(handles)} == {Phase.STARTING}
    noted = [noted_in(executor._folders.of(one)) for one in handles]
    executor.cancel(handles[2])
    assert over(executor, handles[2]).reason == "cancelled"
    assert [one.phase for one in executor.poll(handles)] == [Phase.STARTING, Phase.STARTING, Phase.DONE, Phase.STARTING]
    assert [noted_in(executor._folders.of(one)) for one in handles] == noted  # none had to be handed over again
    any_slurm_cluster.command("scontrol", "update", "PartitionName=batch", "State=UP")
    assert [over(executor, one).exit_code for one in handles] == [0, 1, None, 3]
    assert executor.logs(handles[2], 0, 100) == b""


@pytest.mark.usefixtures("closed")
def test_an_element_that_somebody_else_cancelled_while_it_waited_is_not_asked_for_again(
    executor: SlurmExecutor, any_slurm_cluster: slurm.Cluster, lab: str
) -> None:
    """Slurm itself forgets that it ever was."""
    handles = executor.submit_all(saying(lab, 4))
    noted = noted_in(executor._folders.of(handles[2]))
    assert noted is not None
    any_slurm_cluster.command("scancel", noted.id)
    seen = over(executor, handles[2])
    assert (seen.phase, seen.reason) == (Phase.LOST, f"its batch job {noted.id} is gone: cancelled")
    any_slurm_cluster.command("scontrol", "update", "PartitionName=batch", "State=UP")
    assert [over(executor, one).exit_code for one in handles] == [0, 1, None, 3]
    assert executor.logs(handles[2], 0, 100) == b""


def test_an_element_that_somebody_else_cancelled_is_lost_and_no_other(
    executor: SlurmExecutor, any_slurm_cluster: slurm.Cluster, lab: str
) -> None:
    going = ["sleep 63.1717; exit 0", "sleep 1; exit 3"]
    handles = executor.submit_all([a_spec("sh", "-c", f"echo begun; {one}", lab_socket_dir=lab) for one in going])
    until(lambda: all(executor.logs(one, 0, 100) == b"begun\n" for one in handles))
    noted = noted_in(executor._folders.of(handles[0]))
    assert noted is not None
    any_slurm_cluster.command("scancel", noted.id)
    assert over(executor, handles[0]).phase is Phase.LOST
    assert over(executor, handles[1]).exit_code == 3
    until(lambda: processes_saying("63.1717") == [])


@pytest.mark.usefixtures("closed")
def test_an_answer_that_was_never_noted_makes_no_second_array(
    executor: SlurmExecutor, any_slurm_cluster: slurm.Cluster, lab: str
) -> None:
    """The server dies between sbatch and its notes, all of them or some; the next one asks again, in other company."""
    specs = saying(lab, 5)
    handles = executor.submit_all(specs[:4])
    first = batch_jobs(any_slurm_cluster, executor, handles[0])
    for one in (handles[0], handles[3]):
        (executor._folders.of(one) / ID_FILE).unlink()
    again = executor.submit_all([specs[4], specs[0]])
    assert executor.submit(specs[3]) == handles[3]
    assert batch_jobs(any_slurm_cluster, executor, handles[0]) == first
    assert batch_jobs(any_slurm_cluster, executor, handles[3]) == first
    any_slurm_cluster.command("scontrol", "update", "PartitionName=batch", "State=UP")
    assert [over(executor, one).exit_code for one in [*handles, again[0]]] == [0, 1, 2, 3, 4]
    assert [executor.logs(one, 0, 100) for one in handles] == [f"{one}\n".encode() for one in range(4)]


def test_an_array_that_never_reached_slurm_is_asked_anew_and_comes_late_to_nothing(
    executor: SlurmExecutor, any_slurm_cluster: slurm.Cluster, lab: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: object) -> str:
        raise Unavailable("Slurm does not answer", fix="sinfo")

    specs = saying(lab, 3)
    with monkeypatch.context() as patched:
        patched.setattr(executor._slurm, "submit", away)
        with pytest.raises(Unavailable):
            executor.submit_all(specs)
    (roster,) = (executor._folders.root / "arrays").iterdir()
    handles = executor.submit_all(specs[1:])
    assert not roster.exists()
    assert [over(executor, one).exit_code for one in handles] == [1, 2]
    assert over(executor, executor.submit(specs[0])).exit_code == 0
    until(lambda: any_slurm_cluster.command("squeue", "-h", "-o", "%i") == "")


def test_a_killed_controller_loses_no_element_and_doubles_none(
    executor: SlurmExecutor, any_slurm_cluster: slurm.Cluster, lab: str
) -> None:
    handles = executor.submit_all([a_spec("sh", "-c", "sleep 0.5; exit 3", lab_socket_dir=lab) for _ in range(4)])
    any_slurm_cluster.kill("slurmctld")
    any_slurm_cluster.start_controller()
    until(any_slurm_cluster.is_up)
    assert [over(executor, one).exit_code for one in handles] == [3] * 4


def test_what_no_node_has_is_refused_for_all_and_says_so(executor: SlurmExecutor, lab: str) -> None:
    wanted = {"cpus": slurm.CPUS_PER_NODE + 1, "lab_socket_dir": lab}
    with pytest.raises(InvalidInput, match="Slurm refused"):
        executor.submit_all([a_spec("true", **wanted), a_spec("false", **wanted)])


@pytest.mark.parametrize("word", [";touch /tmp/x", "$(id)", "a\n#SBATCH --uid=0", "--wrap=id"])
def test_nothing_that_a_user_wrote_stands_in_script_or_roster(
    executor: SlurmExecutor, any_slurm_cluster: slurm.Cluster, word: str, lab: str
) -> None:
    handles = executor.submit_all([a_spec("echo", word, lab_socket_dir=lab) for _ in range(2)])
    assert [over(executor, one).exit_code for one in handles] == [0, 0]
    assert executor.logs(handles[1], 0, 1000) == f"{word}\n".encode()
    (array,) = batch_jobs(any_slurm_cluster, executor, handles[0])
    (roster,) = (executor._folders.root / "arrays").glob("*/roster")
    assert roster.read_text() == "".join(f"{one.job}-1\n" for one in handles)
    assert word not in any_slurm_cluster.command("scontrol", "write", "batch_script", array, "-")


def test_nothing_is_left_of_an_array_but_tombstones(executor: SlurmExecutor, lab: str) -> None:
    handles = executor.submit_all(saying(lab, 3))
    for one in handles:
        over(executor, one)
    until(lambda: list(Path(executor._site.scratch).iterdir()) == [])
    for one in handles[:2]:
        executor.release(one)
    assert list((executor._folders.root / "arrays").iterdir())
    executor.release(handles[2])
    assert list((executor._folders.root / "arrays").iterdir()) == []
    kept = {file.name for file in executor._folders.root.rglob("*") if file.is_file()}
    assert kept - {"uids.lock"} == {f"{one.job}-1.json" for one in handles}
