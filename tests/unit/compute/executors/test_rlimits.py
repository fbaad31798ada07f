"""The same bounds on a machine where no control group can be made: under a uid of its own, and as an ordinary user."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.machine import TWIN, Machine, a_machine
from tests.servers.processes import processes_saying
from tests.unit.compute.executors.test_tree import FORK_BOMB

pytestmark = pytest.mark.sandbox

ROOT = Path(__file__).parents[4]
SYSTEM_PYTHON = "/usr/bin/python3"
MEMORY_BOMB = "kept = []\nwhile True: kept.append(bytearray(8 << 20))"
TOGETHER = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        kept = bytearray(60 << 20)
        for at in range(0, len(kept), 4096):
            kept[at] = 1
        time.sleep(600)
time.sleep(600)
"""
AS_NOBODY = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from tests.servers.machine import LOG_BYTES_MAX, TWIN, a_machine
from tests.unit.compute.executors.test_rlimits import FORK_BOMB, MEMORY_BOMB
with a_machine((*TWIN, "rlimits")) as machine:
    forked = machine.python(FORK_BOMB, processes_max=24)
    filled = machine.python(MEMORY_BOMB, memory_bytes=128 << 20)
    ended = machine.run("sh", "-c", "exit 3")
    closed = machine.run("sh", "-c", "mkdir shut; chmod 0 shut; id -u")
    machine.executor.release(closed.handle)
    left = list(machine.scratch.glob(closed.handle.job + "*"))
    print(json.dumps([forked.log, filled.state.exit_code, filled.state.reason + filled.log, ended.state.exit_code, closed.log, len(left)]))
"""


@pytest.fixture(scope="module")
def bounded() -> Iterator[Machine]:
    with a_machine((*TWIN, "rlimits")) as made:
        yield made


def test_a_process_gets_no_more_memory_than_its_job(bounded: Machine) -> None:
    seen = bounded.python(MEMORY_BOMB, memory_bytes=128 << 20)
    assert seen.state.exit_code != 0
    assert "MemoryError" in seen.log or "memory limit" in seen.state.reason


def test_several_processes_together_get_no_more_memory_than_their_job(bounded: Machine) -> None:
    seen = bounded.python(TOGETHER, memory_bytes=128 << 20)
    assert "memory limit of 128 MiB" in seen.state.reason


def test_files_count_as_memory(bounded: Machine) -> None:
    seen = bounded.run(
        "sh",
        "-c",
        "for n in 1 2 3 4; do head -c 60000000 /dev/zero > /output/$n; done; sleep 600",
        memory_bytes=128 << 20,
    )
    assert "memory limit" in seen.state.reason


@pytest.mark.parametrize("folder", ["/output", "/home/job", "/run/job"])
def test_every_folder_that_leads_outside_counts_as_memory(bounded: Machine, folder: str) -> None:
    script = f"cd {folder}; for n in 1 2 3 4; do head -c 60000000 /dev/zero > $n; done; sleep 600"
    assert "memory limit" in bounded.run("sh", "-c", script, memory_bytes=128 << 20).state.reason


def test_files_without_content_count_for_what_the_kernel_keeps_of_them(bounded: Machine) -> None:
    code = "import os, time\nos.chdir('/run/job')\nfor n in range(40_000): os.close(os.open(str(n), os.O_CREAT))\ntime.sleep(600)"
    assert "memory limit" in bounded.python(code, memory_bytes=32 << 20).state.reason


def test_nothing_lives_on_when_the_job_is_done(bounded: Machine) -> None:
    seen = bounded.run("sh", "-c", "setsid sleep 63.5519 > /dev/null 2>&1 & exit 0")
    assert seen.state.exit_code == 0
    assert processes_saying("63.5519") == []


def test_a_fork_bomb_gets_no_further_than_its_bound(bounded: Machine) -> None:
    assert int(bounded.python(FORK_BOMB, processes_max=24).log) <= 24


@pytest.mark.skipif(os.getuid() != 0, reason="every other test here runs as an ordinary user already")
@pytest.mark.skipif(not Path(SYSTEM_PYTHON).exists(), reason="an ordinary user needs a Python that he can reach")
def test_an_ordinary_users_server_bounds_its_jobs_too() -> None:
    paths = [str(ROOT), *(path for path in sys.path if path.startswith(str(ROOT)))]
    argv = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        SYSTEM_PYTHON,
        "-B",
        "-c",
        AS_NOBODY,
        json.dumps(paths),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/", env={"PATH": os.defpath})
    assert done.returncode == 0, done.stderr
    forked, code, why, kept, inside, left = json.loads(done.stdout)
    assert int(forked) <= 24
    assert code != 0
    assert "MemoryError" in why or "memory limit" in why
    assert (kept, inside, left) == (3, "1000\n", 0)
