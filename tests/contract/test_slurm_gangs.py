"""Jobs of several nodes on a real cluster: members meet over the network of their hosts, and end together."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabriek.compute.executors.contract import Handle, ObservedState, Phase
from fabriek.compute.executors.slurm import SlurmExecutor
from fabriek.compute.slurm_words import slurm_variables
from fabriek.schemas.node import PREEMPT, OutputSpec, SecretSpec
from tests.factories.compute import a_job
from tests.factories.executor import a_spec
from tests.factories.gangs import MEETING
from tests.factories.waiting import until
from tests.servers import slurm
from tests.servers.machine import why_no_sandbox
from tests.servers.node_twin import GIVEN
from tests.servers.on_slurm import on_slurm

pytestmark = [pytest.mark.sandbox, pytest.mark.slurm, pytest.mark.xdist_group("slurm")]


@pytest.fixture
def executor(slurm_cluster: slurm.Cluster) -> Iterator[SlurmExecutor]:
    if reason := why_no_sandbox():
        pytest.skip(f"no sandbox here: {reason}")
    with on_slurm(slurm_cluster) as made:
        yield made


def begin(executor: SlurmExecutor, lab: Path, nodes: int, *argv: str, **changes: object) -> Handle:
    words = slurm_variables(a_job(nodes=nodes, number=17, attempts=1))
    asked = {"nodes": nodes, "slurm": words, "host_network": True, "lab_socket_dir": str(lab)}
    return executor.submit(a_spec(*argv, **(asked | changes)))


def over(executor: SlurmExecutor, handle: Handle) -> ObservedState:
    until(lambda: executor.poll([handle])[0].phase in {Phase.DONE, Phase.LOST})
    return executor.poll([handle])[0]


def log_of(executor: SlurmExecutor, handle: Handle) -> str:
    return executor.logs(handle, 0, 1 << 24).decode()


def lines_of(executor: SlurmExecutor, handle: Handle, member: int) -> list[str]:
    lines = log_of(executor, handle).splitlines()
    return [line.partition(": ")[2] for line in lines if line.startswith(f"{member}: ")]


def processes_of(handle: Handle) -> list[int]:
    """What runs with the job's id among its variables, or is one of our programs for it."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal() and int(folder.name) != os.getpid():
                told = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
                if (
                    f"FABRIEK_JOB_ID={handle.job}\0".encode() in told
                    or f"/{handle.job}-{handle.attempt}/".encode() in told
                ):
                    found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_members_on_nodes_of_their_own_meet(executor: SlurmExecutor, tmp_path: Path) -> None:
    handle = begin(executor, tmp_path, 3, "python", "-c", MEETING)
    state = over(executor, handle)
    assert (state.exit_code, state.reason) == (0, ""), log_of(executor, handle)
    nodes = "job-0,job-1,job-2"
    assert lines_of(executor, handle, 0) == [f"met job-1 of {nodes} job-2 of {nodes}"]
    assert state.started_at is not None
    until(lambda: processes_of(handle) == [])


def test_each_name_leads_to_the_member_of_that_name(executor: SlurmExecutor, tmp_path: Path) -> None:
    code = (
        "import os, socket; own = socket.gethostbyname(f\"job-{os.environ['RANK']}\");"
        "print(own == socket.gethostbyname('job'), os.environ['SLURM_NODEID'], os.environ['NODE_RANK'])"
    )
    handle = begin(executor, tmp_path, 2, "python", "-c", code)
    assert over(executor, handle).exit_code == 0, log_of(executor, handle)
    assert [lines_of(executor, handle, member) for member in range(2)] == [["True 0 0"], ["True 1 1"]]


def test_a_member_that_fails_ends_the_other_and_its_code_is_the_jobs(executor: SlurmExecutor, tmp_path: Path) -> None:
    script = 'if [ "$RANK" = 1 ]; then exit 7; fi; trap "" TERM; while :; do sleep 1; done'
    handle = begin(executor, tmp_path, 2, "sh", "-c", script)
    state = over(executor, handle)
    assert (state.phase, state.exit_code, state.reason) == (Phase.DONE, 7, "")
    assert "member 1 ended with 7, and ends all" in log_of(executor, handle)
    until(lambda: processes_of(handle) == [])


def test_a_cancelled_gang_hears_it_and_leaves_no_process(executor: SlurmExecutor, tmp_path: Path) -> None:
    hears = 'trap "echo heard; exit 0" TERM; echo ready; while :; do sleep 0.05; done'
    handle = begin(executor, tmp_path, 2, "sh", "-c", hears)
    until(lambda: log_of(executor, handle).count("ready") == 2)
    assert len(processes_of(handle)) >= 4
    executor.cancel(handle)
    state = over(executor, handle)
    assert state.reason == "cancelled"
    assert [lines_of(executor, handle, member)[-1] for member in range(2)] == ["heard", "heard"]
    until(lambda: processes_of(handle) == [])


def test_the_time_limit_ends_every_member(executor: SlurmExecutor, tmp_path: Path) -> None:
    handle = begin(executor, tmp_path, 2, "sleep", "600", wall_seconds_max=1)
    assert over(executor, handle).reason == "the time limit of 1 s was reached"
    until(lambda: processes_of(handle) == [])


def test_who_is_put_back_hears_its_signal_on_every_node(executor: SlurmExecutor, tmp_path: Path) -> None:
    saves = "trap 'echo saved; saved=1' USR1; echo ready; while [ -z $saved ]; do sleep 0.05; done; sleep 600"
    handle = begin(executor, tmp_path, 2, "sh", "-c", saves, signal="USR1", signal_seconds=1)
    until(lambda: log_of(executor, handle).count("ready") == 2)
    executor.tell(handle, PREEMPT)
    assert over(executor, handle).again
    assert [lines_of(executor, handle, member)[-1] for member in range(2)] == ["saved", "saved"]


def test_one_member_that_asks_to_run_again_asks_for_all(executor: SlurmExecutor, tmp_path: Path) -> None:
    script = 'if [ "$RANK" = 1 ]; then scontrol requeue 17; fi; sleep 600'
    state = over(executor, begin(executor, tmp_path, 2, "sh", "-c", script))
    assert (state.again, state.reason) == (True, "it asked to run again")


def test_what_members_leave_is_one_version(executor: SlurmExecutor, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    script = "echo $RANK > /output/rank-$RANK; mkdir /output/both; echo $RANK > /output/both/$((RANK / 2))"
    state = over(executor, begin(executor, tmp_path, 2, "sh", "-c", script, output=OutputSpec(str(kept))))
    assert (state.exit_code, state.output) == (0, "ver_of_output"), state
    assert [(kept / f"rank-{member}").read_text() for member in range(2)] == ["0\n", "1\n"]
    assert (kept / "both" / "0").read_text() == "0\n1\n"
    assert "members left different files at both/0" in state.hint


def test_lines_stay_whole_however_long_and_secrets_are_masked_on_the_node(
    executor: SlurmExecutor, tmp_path: Path
) -> None:
    code = (
        "import os\nfor n in range(200): print(n, 'x' * 3000)\nprint(os.environ['HF_TOKEN'])\nprint('the end', end='')"
    )
    handle = begin(
        executor, tmp_path, 2, "python", "-c", code, secrets=(SecretSpec("TOKEN", "HF_TOKEN"),), log_bytes_max=2**24
    )
    assert over(executor, handle).exit_code == 0
    for member in range(2):
        *lines, token, last = lines_of(executor, handle, member)
        assert [tuple(line.split()) for line in lines] == [(str(n), "x" * 3000) for n in range(200)]
        assert (token, last) == ("***", "the end")
    assert GIVEN["TOKEN"] not in log_of(executor, handle)


def test_every_member_has_the_gpus_of_its_own_node(
    executor: SlurmExecutor, slurm_cluster: slurm.Cluster, tmp_path: Path
) -> None:
    code = "import json, os; print(json.dumps([os.environ['CUDA_VISIBLE_DEVICES'], os.environ['SLURM_CPUS_ON_NODE']]))"
    devices = f"{slurm_cluster.base}/gpu"
    handle = begin(executor, tmp_path, 2, "python", "-c", code, gpus=2, gpu_devices=devices)
    assert over(executor, handle).exit_code == 0, log_of(executor, handle)
    assert [json.loads(lines_of(executor, handle, member)[0])[0] for member in range(2)] == ["0,1", "0,1"]


@pytest.mark.faults  # how soon the rest of a step is missed is Slurm's to say, and it has taken minutes
def test_a_member_whose_node_dies_is_missed_and_ends_the_others(
    executor: SlurmExecutor, slurm_cluster: slurm.Cluster, tmp_path: Path
) -> None:
    handle = begin(executor, tmp_path, 2, "sh", "-c", "echo ready; exec sleep 600")
    until(lambda: log_of(executor, handle).count("ready") == 2)
    slurm_cluster.kill("n2")
    for pid in sorted(programs_on("n2")):
        os.kill(pid, signal.SIGKILL)
    try:
        state = over(executor, handle)
        assert (state.phase, state.exit_code) == (Phase.DONE, None)
        assert state.reason.startswith("member 1 is gone"), state
        until(lambda: processes_of(handle) == [])
    finally:
        slurm_cluster.start_node(2)
        until(slurm_cluster.is_up)


def programs_on(node: str) -> set[int]:
    """What Slurm runs there for a step, and the program that holds the step."""
    found = set()
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal() and f"\0SLURMD_NODENAME={node}\0".encode() in (folder / "environ").read_bytes():
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                found |= {int(folder.name)}
                if Path(f"/proc/{parent}/cmdline").read_bytes().startswith(b"slurmstepd"):
                    found |= {parent}
        except OSError:
            continue
    return found
