"""Promise P14 on a real cluster: whatever dies between us and Slurm, an attempt runs once and nobody calls it a success that was none."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabriek.compute.executors.contract import Handle, ObservedState, Phase
from fabriek.compute.executors.slurm import SlurmExecutor
from fabriek.compute.executors.slurm_commands import SlurmCommands
from fabriek.compute.executors.slurm_dialect import BatchJob
from fabriek.compute.executors.slurm_notes import ID_FILE
from fabriek.compute.executors.slurm_script import script_of
from fabriek.kernel.errors import InvalidInput, Unavailable
from tests.factories.executor import a_spec
from tests.factories.waiting import until
from tests.servers import slurm
from tests.servers.machine import why_no_sandbox
from tests.servers.on_slurm import on_slurm
from tests.servers.processes import processes_saying

pytestmark = [pytest.mark.sandbox, pytest.mark.slurm, pytest.mark.xdist_group("slurm")]

ROUNDS = 10
ROUNDS_OF_CONTROLLER = 1


@pytest.fixture
def executor(slurm_cluster: slurm.Cluster) -> Iterator[SlurmExecutor]:
    if reason := why_no_sandbox():
        pytest.skip(f"no sandbox here: {reason}")
    with on_slurm(slurm_cluster) as made:
        yield made


@pytest.fixture
def lab(tmp_path: Path) -> str:
    return str(tmp_path)


def state(executor: SlurmExecutor, handle: Handle) -> ObservedState | None:
    """None while the controller cannot say."""
    try:
        return executor.poll([handle])[0]
    except Unavailable:
        return None


def over(executor: SlurmExecutor, handle: Handle) -> ObservedState:
    def look() -> ObservedState | None:
        seen = state(executor, handle)
        return seen if seen is not None and seen.phase in {Phase.DONE, Phase.LOST} else None

    found = until(look)
    assert found is not None
    return found


def batch_jobs(cluster: slurm.Cluster, handle: Handle) -> list[str]:
    """Slurm's ids of all batch jobs of an attempt."""
    return cluster.command(
        "squeue", "-h", "-t", "all", "-o", "%i", "--name", f"fabriek-{handle.job}-{handle.attempt}"
    ).split()


def living(cluster: slurm.Cluster) -> list[str]:
    """Slurm's ids of all batch jobs that wait or run."""
    return cluster.command("squeue", "-h", "-o", "%i").split()


def test_an_answer_of_sbatch_that_was_never_noted_makes_no_second_job(
    executor: SlurmExecutor, slurm_cluster: slurm.Cluster, lab: str
) -> None:
    """The server dies between sbatch and its note; the next one asks again with the same attempt."""
    specs = [a_spec("echo", str(number), lab_socket_dir=lab) for number in range(ROUNDS)]
    handles = [executor.submit(spec) for spec in specs]
    for handle in handles:
        (executor._folders.of(handle) / ID_FILE).unlink()
    assert [executor.submit(spec) for spec in specs] == handles
    for number, handle in enumerate(handles):
        assert over(executor, handle).exit_code == 0
        assert executor.logs(handle, 0, 100) == f"{number}\n".encode()
        assert len(batch_jobs(slurm_cluster, handle)) == 1


def test_two_batch_jobs_of_one_attempt_run_it_once(
    executor: SlurmExecutor, slurm_cluster: slurm.Cluster, lab: str
) -> None:
    """Even where nobody knows of the first: the lock and the state in the attempt's folder let one through. Its end is taken for the attempt's."""
    spec = a_spec("sh", "-c", "echo once; sleep 3", lab_socket_dir=lab)
    handle = executor.submit(spec)
    folder = executor._folders.of(handle)
    executor._ask(handle, executor._whole(spec))
    assert len(batch_jobs(slurm_cluster, handle)) == 2
    until(lambda: len(living(slurm_cluster)) == 1 and executor.logs(handle, 0, 100) == b"once\n")
    for one in batch_jobs(slurm_cluster, handle):
        (folder / ID_FILE).write_text(one)  # whichever of the two was noted last
        assert executor.poll([handle])[0].phase is Phase.RUNNING
    assert over(executor, handle).exit_code == 0
    until(lambda: living(slurm_cluster) == [])
    assert executor.logs(handle, 0, 100) == b"once\n"


def test_a_killed_controller_loses_nothing_and_doubles_nothing(
    executor: SlurmExecutor, slurm_cluster: slurm.Cluster, lab: str
) -> None:
    for _ in range(ROUNDS_OF_CONTROLLER):
        before = [executor.submit(a_spec("sh", "-c", "sleep 0.5; exit 3", lab_socket_dir=lab)) for _ in range(4)]
        slurm_cluster.kill("slurmctld")
        waiting = a_spec("echo", "late", lab_socket_dir=lab)
        with pytest.raises(Unavailable):
            executor.submit(waiting)
        with pytest.raises(Unavailable):
            executor.poll(before)
        slurm_cluster.start_controller()
        until(slurm_cluster.is_up)
        late = executor.submit(waiting)
        assert [over(executor, handle).exit_code for handle in before] == [3] * 4
        assert over(executor, late).exit_code == 0
        assert [len(batch_jobs(slurm_cluster, handle)) for handle in [*before, late]] == [1] * 5


def test_an_id_that_a_killed_controller_gave_to_another_is_not_taken_for_ours(
    executor: SlurmExecutor, slurm_cluster: slurm.Cluster, lab: str
) -> None:
    stranger = slurm_cluster.command(
        "sbatch", "--parsable", "--account", slurm.ACCOUNT, "--output", "/dev/null", "--wrap", "sleep 600"
    ).strip()
    handle = executor.submit(a_spec("echo", "ours", lab_socket_dir=lab))
    over(executor, handle)
    (executor._folders.of(handle) / ID_FILE).write_text(stranger)
    assert executor.poll([handle])[0].exit_code == 0
    slurm_cluster.command("scancel", stranger)


def test_a_node_daemon_that_dies_leaves_its_jobs_alone(
    executor: SlurmExecutor, slurm_cluster: slurm.Cluster, lab: str
) -> None:
    handle = executor.submit(a_spec("sh", "-c", "echo begun; sleep 2; exit 3", lab_socket_dir=lab))
    until(lambda: executor.logs(handle, 0, 100) == b"begun\n")
    for number in range(1, slurm.NODES + 1):
        slurm_cluster.kill(f"n{number}")
        slurm_cluster.start_node(number)
    assert over(executor, handle).exit_code == 3
    until(slurm_cluster.is_up)


def test_a_job_that_somebody_else_cancelled_is_lost_and_no_success(
    executor: SlurmExecutor, slurm_cluster: slurm.Cluster, lab: str
) -> None:
    handle = executor.submit(a_spec("sh", "-c", "trap '' TERM; echo begun; sleep 62.1717", lab_socket_dir=lab))
    until(lambda: executor.logs(handle, 0, 100) == b"begun\n")
    slurm_cluster.command("scancel", *batch_jobs(slurm_cluster, handle))
    seen = over(executor, handle)
    assert (seen.phase, seen.exit_code) == (Phase.LOST, None)
    assert "cancelled" in seen.reason
    until(lambda: processes_saying("62.1717") == [])


def test_a_waiting_job_is_cancelled_without_ever_running(
    executor: SlurmExecutor, slurm_cluster: slurm.Cluster, lab: str
) -> None:
    slurm_cluster.command("scontrol", "update", "PartitionName=batch", "State=DOWN")
    try:
        handle = executor.submit(a_spec("echo", "never", lab_socket_dir=lab))
        assert executor.poll([handle])[0].phase is Phase.STARTING
        executor.cancel(handle)
        assert over(executor, handle).reason == "cancelled"
    finally:
        slurm_cluster.command("scontrol", "update", "PartitionName=batch", "State=UP")
    assert executor.logs(handle, 0, 100) == b""


def test_what_no_node_has_is_refused_in_slurms_words(executor: SlurmExecutor, lab: str) -> None:
    with pytest.raises(InvalidInput, match="Slurm refused"):
        executor.submit(a_spec("true", cpus=slurm.CPUS_PER_NODE + 1, lab_socket_dir=lab))


@pytest.mark.parametrize("word", [";touch /tmp/x", "$(id)", "a\n#SBATCH --uid=0", "--wrap=id", "\x1b[31m"])
def test_words_of_a_user_stay_words(executor: SlurmExecutor, slurm_cluster: slurm.Cluster, word: str, lab: str) -> None:
    handle = executor.submit(a_spec("echo", word, lab_socket_dir=lab, environment={"NOTE": word.replace("\x1b", "")}))
    assert over(executor, handle).exit_code == 0
    assert executor.logs(handle, 0, 1000) == f"{word}\n".encode()
    script = slurm_cluster.command("scontrol", "write", "batch_script", batch_jobs(slurm_cluster, handle)[0], "-")
    assert word not in script


def test_the_script_is_ours_to_the_last_byte() -> None:
    assert script_of(("/usr/bin/python3", "-m", "fabriek.node"), Path("/srv/jobs/job_1-1/job.json")) == (
        "#!/bin/sh\n"
        "# One attempt of a job. Options are given to sbatch as arguments; inputs, limits and walls are the supervisor's work.\n"
        "umask 077\n"
        "exec /usr/bin/python3 -m fabriek.node attempt /srv/jobs/job_1-1/job.json\n"
    )
    with pytest.raises(AssertionError):
        script_of(("/usr/bin/python3",), Path("/srv/$(id)/job.json"))


def test_a_cluster_that_is_not_there_is_away_and_not_a_refusal(tmp_path: Path) -> None:
    configuration = tmp_path / "slurm.conf"
    configuration.write_text(
        "ClusterName=x\nSlurmctldHost=localhost(127.0.0.1)\nSlurmctldPort=9\nAuthType=auth/munge\n"
    )
    commands = SlurmCommands(str(configuration))
    with pytest.raises(Unavailable):
        commands.submit(BatchJob("fabriek-x-1", "#!/bin/sh\n", minutes=1, cpus=1, memory_mib=16, output="/dev/null"))


def test_nothing_is_left_of_a_job_but_its_tombstone(executor: SlurmExecutor, lab: str) -> None:
    handle = executor.submit(a_spec("echo", "secret", lab_socket_dir=lab))
    over(executor, handle)
    until(lambda: list(Path(executor._site.scratch).iterdir()) == [])
    executor.release(handle)
    kept = [file for file in executor._folders.root.rglob("*") if file.is_file()]
    assert {file.name for file in kept} - {"uids.lock"} == {f"{handle.job}-1.json"}
    assert (
        subprocess.run(
            ["grep", "-r", "token-of-the-node", str(executor._folders.root)], capture_output=True, check=False
        ).returncode
        == 1
    )
