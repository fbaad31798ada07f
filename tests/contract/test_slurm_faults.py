"""Promise P14 on a real cluster: whatever dies between us and Slurm, an attempt runs once and nobody calls it a success that was none."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
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
from tests.faults import slurm as rounds
from tests.faults.load import Counted, Load
from tests.faults.witness import Witness
from tests.servers import slurm
from tests.servers.machine import why_no_sandbox
from tests.servers.on_slurm import on_slurm
from tests.servers.processes import processes_saying

pytestmark = [pytest.mark.sandbox, pytest.mark.slurm, pytest.mark.timeout(420)]

ROUNDS = 3
"""Of each kind of kill; as many as are asked for: `make faults`."""
NOTHING = Counted(duplicates=0, orphans=0, false_successes=0)


@pytest.fixture
def cluster(any_slurm_cluster: slurm.Cluster) -> Iterator[slurm.Cluster]:
    """As each test found it, the next one does: no job, and every node at work."""
    yield any_slurm_cluster
    rounds.clear(any_slurm_cluster)


@pytest.fixture
def executor(cluster: slurm.Cluster) -> Iterator[SlurmExecutor]:
    if reason := why_no_sandbox():
        pytest.skip(f"no sandbox here: {reason}")
    with on_slurm(cluster) as made:
        yield made


@pytest.fixture
def load(executor: SlurmExecutor, tmp_path: Path) -> Load:
    shared = Path(executor._site.scratch).parent / "shared"  # a job's own user finds the way to it
    shared.parent.chmod(0o711)
    return Load(executor, Witness(shared))


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


def attempts_of(cluster: slurm.Cluster, handle: Handle) -> list[str]:
    return rounds.batch_jobs(cluster, handle.job)


def living(cluster: slurm.Cluster, handle: Handle) -> list[str]:
    """Those of them that wait or run."""
    return cluster.command("squeue", "-h", "-o", "%i", "--name", f"fabriek-{handle.job}-{handle.attempt}").split()


def test_a_server_that_dies_while_it_hands_over_makes_no_second_job(cluster: slurm.Cluster, load: Load) -> None:
    """Before sbatch, between sbatch and its note, and after it; the next server asks again with the same attempt."""
    rounds.kill_servers(cluster, load, ROUNDS)
    assert load.counted(lambda: rounds.left_behind(cluster, load)) == NOTHING
    assert len(load.witness.begun()) == ROUNDS
    assert {len(attempts_of(cluster, handle)) for handle in load.states} == {1}


def test_two_batch_jobs_of_one_attempt_run_it_once(executor: SlurmExecutor, cluster: slurm.Cluster, lab: str) -> None:
    """Even where nobody knows of the first: the lock and the state in the attempt's folder let one through. Its end is taken for the attempt's."""
    spec = a_spec("sh", "-c", "echo once; sleep 3", lab_socket_dir=lab)
    handle = executor.submit(spec)
    folder = executor._folders.of(handle)
    executor._ask(handle, executor._whole(spec))
    assert len(attempts_of(cluster, handle)) == 2
    until(lambda: len(living(cluster, handle)) == 1 and executor.logs(handle, 0, 100) == b"once\n")
    for one in attempts_of(cluster, handle):
        (folder / ID_FILE).write_text(one)  # whichever of the two was noted last
        assert executor.poll([handle])[0].phase is Phase.RUNNING
    assert over(executor, handle).exit_code == 0
    until(lambda: living(cluster, handle) == [])
    assert executor.logs(handle, 0, 100) == b"once\n"


def test_killed_controllers_double_nothing_leave_nothing_and_call_nothing_a_success_that_was_none(
    cluster: slurm.Cluster, load: Load
) -> None:
    if cluster.newer:
        pytest.skip("killed controllers were tried by commands; by REST they are in `make faults`")
    rounds.kill_controllers(cluster, load, ROUNDS)
    assert load.counted(lambda: rounds.left_behind(cluster, load)) == NOTHING
    assert len(load.states) == ROUNDS * (rounds.JOBS_A_ROUND + 1)
    assert (
        len(load.witness.ended()) >= len(load.states) - ROUNDS
    )  # one whose id was given away may be ended with the other


def test_after_all_that_every_node_works_as_before(cluster: slurm.Cluster, load: Load) -> None:
    """Each of these jobs fills a node, and none ends before all of them run."""
    load.waiting = [load.witness.spec(seconds=600, cpus=slurm.CPUS_PER_NODE) for _ in range(slurm.NODES)]

    def all_run() -> bool:
        rounds.put_back(cluster)  # an id that the killed controller forgot may be one of these
        load.step()
        return [state.phase for state in load.states.values()] == [Phase.RUNNING] * slurm.NODES

    until(
        all_run,
        seconds_max=120,
        instead=lambda: [load.states, cluster.command("squeue"), cluster.command("sinfo", "-N", "-R")],
    )
    for handle in load.states:
        load.executor.cancel(handle)
    load.finish()


def test_while_the_controller_is_away_nobody_guesses(
    cluster: slurm.Cluster, executor: SlurmExecutor, load: Load
) -> None:
    load.add(1)
    load.step()
    until(load.witness.begun)  # one whose launch is cut waits for two minutes, which shows nothing here
    cluster.kill("slurmctld")
    try:
        with pytest.raises(Unavailable):
            executor.submit(load.witness.spec())
        with pytest.raises(Unavailable):
            executor.poll(list(load.states))
    finally:
        cluster.start_controller()
        until(cluster.is_up)
    load.finish()
    assert load.counted(lambda: rounds.left_behind(cluster, load)) == NOTHING


def test_jobs_run_while_the_accounts_are_away_and_are_found_in_them_later(cluster: slurm.Cluster, load: Load) -> None:
    cluster.kill("slurmdbd")
    try:
        load.add(4)
        load.finish()
    finally:
        cluster.start_accounts()
    assert load.counted(lambda: rounds.left_behind(cluster, load)) == NOTHING
    names = [f"fabriek-{handle.job}-1" for handle in load.states]
    until(lambda: all(cluster.command("sacct", "-X", "-n", "--name", name) for name in names))


def test_a_job_that_left_the_queue_unseen_is_neither_lost_nor_asked_again_before_the_accounts_can_say(
    cluster: slurm.Cluster, executor: SlurmExecutor, load: Load
) -> None:
    cluster.command("scontrol", "update", "PartitionName=batch", "State=DOWN")
    load.add(1)
    load.step()
    (handle,) = load.states
    noted = executor._folders.of(handle) / ID_FILE
    ours = noted.read_text()
    noted.write_text("4000000")  # which the controller does not know
    cluster.kill("slurmdbd")
    try:
        with pytest.raises(Unavailable):
            executor.poll([handle])
        assert noted.read_text() == "4000000"
    finally:
        noted.write_text(ours)
        cluster.start_accounts()
        cluster.command("scontrol", "update", "PartitionName=batch", "State=UP")
    load.finish()
    assert load.counted(lambda: rounds.left_behind(cluster, load)) == NOTHING


def test_on_a_cluster_that_keeps_no_accounts_what_left_the_queue_without_a_word_is_lost_and_stops_no_other(
    cluster: slurm.Cluster, executor: SlurmExecutor, lab: str, tmp_path: Path
) -> None:
    if cluster.newer:
        pytest.skip("by REST no configuration of ours says whether there are accounts")
    executor._slurm = SlurmCommands(str(without_accounts(cluster, tmp_path)))
    handle = executor.submit(a_spec("sh", "-c", "trap '' TERM; echo begun; sleep 66.1717", lab_socket_dir=lab))
    until(lambda: executor.logs(handle, 0, 100) == b"begun\n")
    (job_id,) = attempts_of(cluster, handle)
    cluster.command("scancel", job_id)
    until(lambda: processes_saying("66.1717") == [] and living(cluster, handle) == [])
    (executor._folders.of(handle) / ID_FILE).write_text("4000000")  # which the controller does not know
    other = executor.submit(a_spec("true", lab_socket_dir=lab))
    assert over(executor, other).exit_code == 0
    lost, ended = executor.poll([handle, other])
    assert (lost.phase, lost.reason) == (Phase.LOST, "its batch job 4000000 is gone")
    assert ended.exit_code == 0
    assert executor._slurm.named(f"fabriek-{handle.job}-1") == [job_id]


def without_accounts(cluster: slurm.Cluster, folder: Path) -> Path:
    """The configuration of the same cluster for commands that are told of no accounts."""
    lines = (cluster.base / "etc" / "slurm.conf").read_text().splitlines(keepends=True)
    configuration = folder / "slurm.conf"
    configuration.write_text("".join(line for line in lines if not line.startswith("Accounting")))
    return configuration


def test_jobs_that_come_while_munge_is_away_run_once_when_it_is_back(cluster: slurm.Cluster, load: Load) -> None:
    cluster.kill("munged")
    load.add(4)
    load.step()
    cluster.start_munge()
    load.finish()
    assert load.counted(lambda: rounds.left_behind(cluster, load)) == NOTHING


def test_what_an_operator_holds_stays_held_until_the_operator_lets_it_go(
    cluster: slurm.Cluster, executor: SlurmExecutor, load: Load
) -> None:
    cluster.command("scontrol", "update", "PartitionName=batch", "State=DOWN")
    try:
        load.add(1)
        load.step()
        (job_id,) = attempts_of(cluster, *load.states)
        cluster.command("scontrol", "hold", job_id)
    finally:
        cluster.command("scontrol", "update", "PartitionName=batch", "State=UP")
    for _ in range(3):
        assert executor.poll(list(load.states))[0].phase is Phase.STARTING
    assert cluster.command("squeue", "-h", "-j", job_id, "-o", "%r").strip() == "JobHeldAdmin"
    cluster.command("scontrol", "release", job_id)
    load.finish()
    assert load.counted(lambda: rounds.left_behind(cluster, load)) == NOTHING


def test_what_a_controller_holds_since_it_could_not_be_launched_is_let_go_and_runs_once(
    cluster: slurm.Cluster, executor: SlurmExecutor, load: Load
) -> None:
    """As a controller leaves it that forgot how far a job was, here for a reason that comes each time: a prolog that fails."""
    with nothing_launched(cluster):
        load.add(1)
        load.step()
        (job_id,) = attempts_of(cluster, *load.states)
        words = ("squeue", "-h", "-j", job_id, "-o", "%T %r")
        until(
            lambda: cluster.command(*words).strip() == "PENDING launch failed requeued held",
            instead=lambda: cluster.command(*words),
        )
    assert not load.witness.begun()
    until(lambda: executor.poll(list(load.states)) and "held" not in cluster.command(*words))
    load.finish()
    assert load.counted(lambda: rounds.left_behind(cluster, load)) == NOTHING
    assert attempts_of(cluster, *load.states) == [job_id]


@contextmanager
def nothing_launched(cluster: slurm.Cluster) -> Iterator[None]:
    """No node can start a job, until each is made well and put to work again by its operator."""
    configuration, prolog = cluster.base / "etc" / "slurm.conf", cluster.base / "prolog"
    before = configuration.read_text()
    prolog.write_text("#!/bin/sh\nexit 1\n")
    prolog.chmod(0o755)
    configuration.write_text(f"{before}Prolog={prolog}\n")
    restart_nodes(cluster)
    until(cluster.is_up)
    try:
        yield
    finally:
        configuration.write_text(before)
        restart_nodes(cluster)
        for line in cluster.command("sinfo", "-h", "-N", "-t", "drain", "-o", "%N|%E").splitlines():
            node, _, reason = line.partition("|")
            assert reason == "Prolog error"
            cluster.command("scontrol", "update", f"NodeName={node}", "State=RESUME")
        until(cluster.is_up)


def restart_nodes(cluster: slurm.Cluster) -> None:
    for number in range(1, slurm.NODES + 1):
        cluster.kill(f"n{number}")
        cluster.start_node(number)


def test_an_id_that_a_killed_controller_gave_to_another_is_not_taken_for_ours(
    executor: SlurmExecutor, cluster: slurm.Cluster, lab: str
) -> None:
    stranger = cluster.command(
        "sbatch", "--parsable", "--account", slurm.ACCOUNT, "--output", "/dev/null", "--wrap", "sleep 600"
    ).strip()
    handle = executor.submit(a_spec("echo", "ours", lab_socket_dir=lab))
    over(executor, handle)
    (executor._folders.of(handle) / ID_FILE).write_text(stranger)
    assert executor.poll([handle])[0].exit_code == 0
    cluster.command("scancel", stranger)


def test_a_node_daemon_that_dies_leaves_its_jobs_alone(
    executor: SlurmExecutor, cluster: slurm.Cluster, lab: str
) -> None:
    handle = executor.submit(a_spec("sh", "-c", "echo begun; sleep 2; exit 3", lab_socket_dir=lab))
    until(lambda: executor.logs(handle, 0, 100) == b"begun\n")
    for number in range(1, slurm.NODES + 1):
        cluster.kill(f"n{number}")
        cluster.start_node(number)
    assert over(executor, handle).exit_code == 3
    until(cluster.is_up)


def test_a_job_that_somebody_else_cancelled_is_lost_and_no_success(
    executor: SlurmExecutor, cluster: slurm.Cluster, lab: str
) -> None:
    handle = executor.submit(a_spec("sh", "-c", "trap '' TERM; echo begun; sleep 62.1717", lab_socket_dir=lab))
    until(lambda: executor.logs(handle, 0, 100) == b"begun\n")
    cluster.command("scancel", *attempts_of(cluster, handle))
    seen = over(executor, handle)
    assert (seen.phase, seen.exit_code) == (Phase.LOST, None)
    assert "cancelled" in seen.reason
    until(lambda: processes_saying("62.1717") == [])


def test_a_waiting_job_is_cancelled_without_ever_running(
    executor: SlurmExecutor, cluster: slurm.Cluster, lab: str
) -> None:
    cluster.command("scontrol", "update", "PartitionName=batch", "State=DOWN")
    try:
        handle = executor.submit(a_spec("echo", "never", lab_socket_dir=lab))
        assert executor.poll([handle])[0].phase is Phase.STARTING
        executor.cancel(handle)
        assert over(executor, handle).reason == "cancelled"
    finally:
        cluster.command("scontrol", "update", "PartitionName=batch", "State=UP")
    assert executor.logs(handle, 0, 100) == b""


def test_what_no_node_has_is_refused_in_slurms_words(executor: SlurmExecutor, lab: str) -> None:
    with pytest.raises(InvalidInput, match="Slurm refused"):
        executor.submit(a_spec("true", cpus=slurm.CPUS_PER_NODE + 1, lab_socket_dir=lab))


@pytest.mark.parametrize("word", [";touch /tmp/x", "$(id)", "a\n#SBATCH --uid=0", "--wrap=id", "\x1b[31m"])
def test_words_of_a_user_stay_words(executor: SlurmExecutor, cluster: slurm.Cluster, word: str, lab: str) -> None:
    handle = executor.submit(a_spec("echo", word, lab_socket_dir=lab, environment={"NOTE": word.replace("\x1b", "")}))
    assert over(executor, handle).exit_code == 0
    assert executor.logs(handle, 0, 1000) == f"{word}\n".encode()
    script = cluster.command("scontrol", "write", "batch_script", attempts_of(cluster, handle)[0], "-")
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
