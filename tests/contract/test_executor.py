"""What every executor promises, read aloud to this machine's and to the one in memory."""

import hashlib
import threading
from collections.abc import Iterator

import pytest

from fabriek.compute.executors.contract import Executor, Handle, Hears, ObservedState, Phase, Tells
from fabriek.schemas.node import PREEMPT, ImageSpec, SecretSpec
from tests.factories.executor import MemoryExecutor, a_spec
from tests.factories.images import a_root, a_squashfs, why_no_images
from tests.factories.waiting import until
from tests.servers.machine import a_machine, why_no_sandbox
from tests.servers.node_twin import GIVEN
from tests.servers.on_slurm import on_slurm

SPEC = {"lab_socket_dir": "/dev/null"}


ON_SLURM = (pytest.mark.sandbox, pytest.mark.slurm)
CLUSTERS = {"slurm": "slurm_cluster", "slurm-rest": "newer_slurm_cluster"}


REAL = [
    pytest.param("local", marks=pytest.mark.sandbox),
    pytest.param("slurm", marks=[*ON_SLURM, pytest.mark.xdist_group("slurm")]),
    pytest.param("slurm-rest", marks=[*ON_SLURM, pytest.mark.xdist_group("slurm-rest")]),
]


@pytest.fixture(params=["memory", *REAL])
def executor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    SPEC["lab_socket_dir"] = str(tmp_path_factory.mktemp("lab"))
    if request.param == "memory":
        yield MemoryExecutor()
    elif request.param in CLUSTERS:
        if reason := why_no_sandbox():
            pytest.skip(f"no sandbox here: {reason}")
        with on_slurm(request.getfixturevalue(CLUSTERS[request.param])) as executor:
            yield executor
    else:
        with a_machine() as machine:
            yield machine.executor


def ended(executor: Executor, handle: Handle) -> ObservedState:
    until(lambda: executor.poll([handle])[0].phase is Phase.DONE)
    return executor.poll([handle])[0]


def test_what_a_job_says_is_its_log_and_ending_well_is_zero(executor: Executor) -> None:
    handle = executor.submit(a_spec("echo", "hello", "there", **SPEC))
    state = ended(executor, handle)
    assert (state.exit_code, state.reason) == (0, "")
    assert state.started_at is not None
    assert state.ended_at is not None
    assert executor.logs(handle, 0, 100) == b"hello there\n"


def test_secrets_reach_the_job_and_neither_its_log_nor_what_lies_on_disk(executor: Executor) -> None:
    if isinstance(executor, MemoryExecutor):
        pytest.skip("the executor in memory runs nothing that could read a secret")
    named = (SecretSpec("TOKEN", "HF_TOKEN"), SecretSpec("KEY", file="key"))
    script = "echo $HF_TOKEN; cat $FABRIEK_SECRETS/key; echo; echo ${#HF_TOKEN} $(wc -c < /run/secrets/key); sleep 1"
    handle = executor.submit(a_spec("sh", "-c", script, secrets=named, **SPEC))
    until(lambda: b" " in executor.logs(handle, 0, 1000))
    folder = executor._folders.of(handle)  # type: ignore[attr-defined]
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert {"state.json"} <= {file.name for file in files}
    assert [file for file in files if any(word in file.read_text() for word in ("canary", "KEY-----"))] == []
    assert ended(executor, handle).exit_code == 0
    lengths = " ".join(str(len(value)) for value in GIVEN.values())
    assert executor.logs(handle, 0, 1000).decode() == f"***\n***\n{lengths}\n"


@pytest.mark.sandbox
def test_an_end_is_told_once_it_can_be_seen() -> None:
    heard = threading.Event()
    with a_machine() as machine:
        assert isinstance(machine.executor, Tells)
        machine.executor.when_changed(heard.set)
        handle = machine.executor.submit(a_spec("true", lab_socket_dir=str(machine.lab)))
        assert heard.wait(60)
        assert machine.executor.poll([handle])[0].phase is Phase.DONE


def test_a_job_in_an_image_has_its_files_and_says_its_hash(
    executor: Executor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if isinstance(executor, MemoryExecutor):
        pytest.skip("the executor in memory has no files")
    if reason := why_no_images():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("image")
    file = a_squashfs(a_root(folder / "root"), folder / "image")
    handle = executor.submit(a_spec("cat", "/etc/image", image=ImageSpec(str(file)), **SPEC))
    state = ended(executor, handle)
    assert (state.exit_code, state.image_hash) == (0, hashlib.sha256(file.read_bytes()).hexdigest())
    assert executor.logs(handle, 0, 100) == b"tiny\n"


def test_a_failing_commands_exit_code_is_kept(executor: Executor) -> None:
    assert ended(executor, executor.submit(a_spec("false", **SPEC))).exit_code == 1


def test_the_same_attempt_never_runs_twice(executor: Executor) -> None:
    spec = a_spec("echo", "once", **SPEC)
    handle = executor.submit(spec)
    assert executor.submit(spec) == handle
    first = ended(executor, handle)
    assert executor.submit(spec) == handle
    assert ended(executor, handle) == first
    assert executor.logs(handle, 0, 100) == b"once\n"


def test_a_second_attempt_is_another_one(executor: Executor) -> None:
    spec = a_spec("false", job="job_twice", **SPEC)
    again = a_spec("echo", "well", job="job_twice", attempt=2, **SPEC)
    first, second = executor.submit(spec), executor.submit(again)
    assert ended(executor, second).exit_code == 0
    assert ended(executor, first).exit_code == 1


def test_an_attempt_that_was_never_handed_over_is_absent(executor: Executor) -> None:
    nobody = Handle("job_nobody", 1)
    assert executor.poll([nobody]) == [ObservedState(Phase.ABSENT)]
    assert executor.logs(nobody, 0, 100) == b""
    executor.cancel(nobody)
    executor.release(nobody)
    assert executor.poll([nobody]) == [ObservedState(Phase.ABSENT)]


def test_answers_come_in_the_order_of_the_questions(executor: Executor) -> None:
    well, ill = executor.submit(a_spec("echo", **SPEC)), executor.submit(a_spec("false", **SPEC))
    ended(executor, well)
    ended(executor, ill)
    assert [one.exit_code for one in executor.poll([ill, Handle("job_nobody", 1), well])] == [1, None, 0]


def test_a_cancelled_job_ends_and_says_why(executor: Executor) -> None:
    handle = executor.submit(a_spec("sleep", "600", **SPEC))
    until(lambda: executor.poll([handle])[0].phase is Phase.RUNNING)
    executor.cancel(handle)
    executor.cancel(handle)
    state = ended(executor, handle)
    assert state.reason == "cancelled"
    assert state.exit_code != 0


def test_cancelling_what_has_ended_changes_nothing(executor: Executor) -> None:
    handle = executor.submit(a_spec("echo", **SPEC))
    before = ended(executor, handle)
    executor.cancel(handle)
    assert ended(executor, handle) == before


def test_a_log_is_read_from_an_offset(executor: Executor) -> None:
    handle = executor.submit(a_spec("echo", "0123456789", **SPEC))
    ended(executor, handle)
    assert executor.logs(handle, 3, 4) == b"3456"
    assert executor.logs(handle, 11, 4) == b""
    assert executor.logs(handle, 1000, 4) == b""


def test_what_was_released_is_wiped_and_still_never_runs_again(executor: Executor) -> None:
    spec = a_spec("echo", "secret", **SPEC)
    handle = executor.submit(spec)
    state = ended(executor, handle)
    executor.release(handle)
    executor.release(handle)
    assert executor.logs(handle, 0, 100) == b""
    assert executor.submit(spec) == handle
    assert executor.poll([handle]) == [state]
    assert executor.logs(handle, 0, 100) == b""


SAVES = "trap 'echo saved; saved=1' USR1; echo ready; while [ -z $saved ]; do sleep 0.05; done; sleep 600"


@pytest.mark.parametrize("executor", REAL, indirect=True)
def test_who_is_put_back_for_another_hears_its_signal_first_and_then_has_to_go(executor: Executor) -> None:
    assert isinstance(executor, Hears)
    handle = executor.submit(a_spec("sh", "-c", SAVES, signal="USR1", signal_seconds=1, **SPEC))
    until(lambda: b"ready" in executor.logs(handle, 0, 100))
    for _ in range(2):  # a server that starts again says it again
        executor.tell(handle, PREEMPT)
    assert ended(executor, handle).again
    assert executor.logs(handle, 0, 1_000).endswith(b"\nsaved\n")


HEARS = "exec 2>/dev/null; trap 'echo saved' USR1; echo ready; while :; do sleep 0.05; done"
"""A signal goes to all of the tree, and a shell says on its second output that its sleep died of it."""


@pytest.mark.parametrize("executor", REAL, indirect=True)
def test_a_job_hears_its_signal_before_its_time_is_over_and_is_then_ended(executor: Executor) -> None:
    asked = {"signal": "USR1", "signal_seconds": 4, "wall_seconds_max": 8, "grace_seconds": 1}
    state = ended(executor, handle := executor.submit(a_spec("sh", "-c", HEARS, **asked, **SPEC)))
    assert (state.reason, state.again) == ("the time limit of 8 s was reached", False)
    assert state.exit_code != 0
    assert executor.logs(handle, 0, 1_000) == b"ready\nsaved\n"


COMMANDS = "for one in sbatch squeue sacct scancel sinfo; do $one -j 1 2>/dev/null; echo $one $?; done; srun echo srun; scontrol show hostnames a,b"


@pytest.mark.parametrize("executor", REAL, indirect=True)
def test_slurms_commands_are_on_a_jobs_path_and_those_that_ask_the_queue_refuse(executor: Executor) -> None:
    assert ended(executor, handle := executor.submit(a_spec("sh", "-c", COMMANDS, **SPEC))).exit_code == 0
    said = "sbatch 1\nsqueue 1\nsacct 1\nscancel 1\nsinfo 1\nsrun\na\nb\n"
    assert executor.logs(handle, 0, 1_000) == said.encode()
