"""A job's processes from first to last: bounded, stopped, drained, and none left over."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fabriek.compute.executors.contract import Phase
from fabriek.compute.executors.local import LocalExecutor
from fabriek.schemas.node import OutputSpec
from tests.factories.waiting import until
from tests.servers.machine import TWIN, Machine, Seen
from tests.servers.processes import processes_saying

pytestmark = pytest.mark.sandbox

SUBMIT_AND_DIE = """
import os, signal, sys
from pathlib import Path
from fabriek.compute.executors.local import LocalExecutor
from fabriek.schemas.node import JobSpec
home, spec = Path(sys.argv[1]), sys.argv[2]
sys.path.append(os.getcwd())
LocalExecutor(home / "jobs", home / "scratch", node=tuple(sys.argv[3:])).submit(JobSpec.from_json(spec))
os.kill(os.getpid(), signal.SIGKILL)
"""

FORK_BOMB = """
import os, time
made = 0
try:
    while made < 500:
        if os.fork() == 0:
            time.sleep(600)
        made += 1
except OSError:
    print(made)
"""


def test_an_exit_code_is_kept(machine: Machine) -> None:
    seen = machine.run("sh", "-c", "exit 3")
    assert (seen.state.phase, seen.state.exit_code, seen.state.reason) == (Phase.DONE, 3, "")


def test_what_a_job_used_is_known(machine: Machine) -> None:
    seen = machine.python("kept = bytearray(50 << 20)\nfor at in range(3_000_000): kept[at] = 1")
    assert seen.state.cpu_seconds > 0
    assert 50 << 20 < seen.state.memory_bytes_peak <= 256 << 20
    assert seen.state.started_at is not None
    assert seen.state.ended_at is not None
    assert seen.state.started_at < seen.state.ended_at


def test_a_death_by_signal_is_128_and_the_signal(machine: Machine) -> None:
    assert machine.run("sh", "-c", "kill -USR1 $$").state.exit_code == 128 + signal.SIGUSR1


def test_a_command_that_is_not_there_is_named(machine: Machine) -> None:
    seen = machine.run("trian.py")
    assert (seen.state.exit_code, seen.log) == (127, "trian.py: there is no such command in the job\n")


def test_a_missing_module_names_the_flag_that_brings_it(machine: Machine) -> None:
    seen = machine.python("import not_there_at_all.inner")
    assert seen.state.exit_code == 1
    assert "not_there_at_all" in seen.state.hint
    assert "--requirements" in seen.state.hint


def test_a_grandchild_in_a_session_of_its_own_ends_with_the_job(machine: Machine) -> None:
    seen = machine.run("sh", "-c", "setsid sh -c 'setsid sleep 61.7331 & echo born' & wait; sleep 0.2")
    assert "born" in seen.log
    assert processes_saying("61.7331") == []


def test_what_ignores_the_request_to_stop_is_killed_after_the_grace(machine: Machine) -> None:
    handle = machine.start("sh", "-c", "trap '' TERM; echo ready; while true; do sleep 0.1; done", grace_seconds=1)
    machine.said(handle, "ready")
    machine.executor.cancel(handle)
    seen = machine.ended(handle)
    assert (seen.state.exit_code, seen.state.reason) == (137, "cancelled")


def test_what_heeds_the_request_to_stop_may_leave_results(machine: Machine, tmp_path: Path) -> None:
    code = """
import signal, sys
def stop(*_):
    open("/output/checkpoint", "w").write("step 7")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("ready")
signal.pause()
"""
    handle = machine.start("sh", "-c", f"python -c '{code}'; true", output=OutputSpec(str(tmp_path / "out")))
    machine.said(handle, "ready")
    machine.executor.cancel(handle)
    seen = machine.ended(handle)
    assert seen.state.reason == "cancelled"
    assert (tmp_path / "out" / "checkpoint").read_text() == "step 7"


def test_the_time_limit_ends_a_job(machine: Machine) -> None:
    seen = machine.run("sleep", "600", wall_seconds_max=1, grace_seconds=1)
    assert "time limit" in seen.state.reason
    assert seen.state.exit_code != 0


def test_a_long_log_keeps_its_head_and_never_blocks_the_job(machine: Machine) -> None:
    seen = machine.run("sh", "-c", "echo first; head -c 50000000 /dev/zero; echo; echo last >&2", log_bytes_max=1000)
    assert seen.state.exit_code == 0
    assert seen.log.startswith("first\n")
    assert seen.state.log_bytes_dropped == 50_000_000 + len("first\n\nlast\n") - 1000
    assert seen.log.endswith(f"[fabriek: {seen.state.log_bytes_dropped} more bytes were written and not kept]\n")
    assert len(seen.log) < 1200


def test_what_a_job_says_stays_bytes(machine: Machine) -> None:
    seen = machine.python(r"import sys; sys.stdout.buffer.write(b'\x1b[31m<script>\xff\x00')")
    assert machine.executor.logs(seen.handle, 0, 100) == b"\x1b[31m<script>\xff\x00"


def memory_bomb(machine: Machine) -> Seen:
    return machine.python("kept = []\nwhile True: kept.append(bytearray(8 << 20))", memory_bytes=128 << 20)


def fork_bomb(machine: Machine) -> Seen:
    """Says how many processes it got."""
    return machine.python(FORK_BOMB, processes_max=24)


def test_a_memory_bomb_is_ended_and_says_so(machine: Machine) -> None:
    seen = memory_bomb(machine)
    assert "memory limit of 128 MiB" in seen.state.reason
    assert seen.state.exit_code != 0


def test_a_bomb_in_a_child_ends_the_whole_job(machine: Machine) -> None:
    seen = machine.run("sh", "-c", "python -c 'x = bytearray(300 << 20)'; sleep 600", memory_bytes=128 << 20)
    assert "memory limit" in seen.state.reason


def test_files_in_memory_count_as_memory(machine: Machine) -> None:
    seen = machine.run("sh", "-c", "head -c 300000000 /dev/zero > /output/large; sleep 600", memory_bytes=128 << 20)
    assert "memory limit" in seen.state.reason or "No space" in seen.log


def test_a_fork_bomb_gets_no_further_than_its_bound(machine: Machine) -> None:
    seen = fork_bomb(machine)
    assert int(seen.log) <= 24


def test_folders_nested_beyond_every_walk_are_wiped(machine: Machine) -> None:
    code = """
import os
os.mkdir("/home/job/closed", 0)
for place in ("/home/job", "/output"):
    os.chdir(place)
    for _ in range(3000):
        os.mkdir("d")
        os.chdir("d")
"""
    seen = machine.python(code)
    assert seen.state.phase is Phase.DONE
    machine.executor.release(seen.handle)
    assert not (machine.scratch / f"{seen.handle.job}-1").exists()


def test_a_job_survives_the_death_of_who_submitted_it_and_is_found_again(machine: Machine) -> None:
    spec = machine.spec("sh", "-c", "echo begun; while [ ! -e go ]; do sleep 0.05; done; exit 3")
    argv = [sys.executable, "-c", SUBMIT_AND_DIE, str(machine.home), spec.to_json(), *TWIN]
    assert subprocess.run(argv, check=False, cwd=Path(__file__).parents[4]).returncode == -signal.SIGKILL
    again = LocalExecutor(machine.jobs, machine.scratch, node=TWIN)
    handle = again.submit(spec)
    machine.said(handle, "begun")
    assert again.poll([handle])[0].phase is Phase.RUNNING
    (machine.scratch / f"{spec.job}-1" / "work" / "go").touch()
    until(lambda: again.poll([handle])[0].phase is Phase.DONE)
    assert again.poll([handle])[0].exit_code == 3
    assert again.logs(handle, 0, 100) == b"begun\n"
    again.close()


def test_a_killed_supervisor_is_lost_and_takes_its_tree_along(machine: Machine) -> None:
    handle = machine.start("sh", "-c", "echo ready; sleep 62.9173")
    machine.said(handle, "ready")
    pid = next(pid for pid in processes_saying("62.9173") if _has_bubblewrap(pid))
    os.kill(_parent(pid), signal.SIGKILL)
    state = until(lambda: machine.state(handle) if machine.state(handle).phase is Phase.LOST else None)
    assert state.exit_code is None
    until(lambda: processes_saying("62.9173") == [])
    groups = [Path(line) for line in (machine.jobs / f"{handle.job}-1" / "groups").read_text().splitlines()]
    machine.executor.release(handle)
    assert [group for group in groups if group.exists()] == []
    assert machine.state(handle).phase is Phase.LOST


def test_a_dead_warm_process_is_replaced(machine: Machine) -> None:
    machine.run("true")
    warm = processes_saying("tests.servers.node_twin\0warm")
    mine = [pid for pid in warm if _parent(pid) == os.getpid()]
    os.kill(mine[0], signal.SIGKILL)
    assert machine.run("true").state.exit_code == 0


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _has_bubblewrap(pid: int) -> bool:
    """Whether it is the outermost bubblewrap of its tree."""
    return b"bwrap" in _program(pid) and b"bwrap" not in _program(_parent(pid))


def _program(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
