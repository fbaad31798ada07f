"""The server may die; jobs go on, and the next server finds them."""

import hashlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from fabriek.kernel.clock import SystemClock
from fabriek.node.mounts.mounting import why_not
from tests.faults.restarts import EXPECTED, kill_servers
from tests.servers.factory import COMMAND, clean_environment, quickstarted, why_no_jobs


@pytest.mark.sandbox
def test_a_job_survives_a_restart_of_the_server_and_keeps_its_code(tmp_path: Path) -> None:
    if reason := why_no_jobs():
        pytest.skip(reason)
    home = tmp_path / "home"
    with quickstarted(home) as first:
        port = first.url.rpartition(":")[2]
        job = first.run("run", "--detach", "--", "sh", "-c", "echo before; sleep 4; echo after; exit 5").stdout.strip()
        clock, give_up = SystemClock(), SystemClock().monotonic() + 20
        while json.loads(first.run("job", "show", job, "--json").stdout)["state"] != "running":
            assert clock.monotonic() < give_up
        os.kill(first.variables["pid"], signal.SIGKILL)  # type: ignore[arg-type]
        clock.sleep(0.3)
        argv = [*COMMAND, "up", "--quickstart", "--home", str(home), "--port", port, "--detach", "--json"]
        again = subprocess.run(
            argv, env=clean_environment(home), capture_output=True, text=True, check=False, timeout=60
        )
        assert again.returncode == 0, again.stderr
        done = first.run("job", "follow", job)
        assert done.returncode == 9
        assert "before\nafter" in done.stdout
        shown = json.loads(first.run("job", "show", job, "--json").stdout)
        assert (shown["state"], shown["exit_code"]) == ("failed", 5)


@pytest.mark.sandbox
@pytest.mark.timeout(600)
def test_jobs_outlive_killed_servers_and_keep_their_codes_and_their_one_attempt(tmp_path: Path) -> None:
    """Two of them: one while all jobs run, one while they end. 300: `make faults`."""
    if reason := why_no_jobs():
        pytest.skip(reason)
    assert kill_servers(tmp_path / "home", 2).kept == EXPECTED


@pytest.mark.sandbox
def test_a_job_that_reads_in_place_waits_for_a_server_that_restarts(tmp_path: Path) -> None:
    if reason := why_no_jobs() or why_not():
        pytest.skip(reason)
    home, data = tmp_path / "home", tmp_path / "data"
    data.mkdir()
    (data / "big").write_bytes(body := os.urandom(24 * 2**20))
    code = (
        "import hashlib, time\n"
        "f = open('/data/big', 'rb', buffering=0); h = hashlib.sha256(f.read(2**20)); print('before', flush=True); time.sleep(3)\n"
        "while got := f.read(2**20): h.update(got)\n"
        "print(h.hexdigest())\n"
    )
    with quickstarted(home, FABRIEK_JOB_INPUTS="mount") as first:
        port = first.url.rpartition(":")[2]
        assert first.run("data", "push", str(data), "big").returncode == 0
        job = first.run("run", "--detach", "--data", "big:/data", "--", "python", "-c", code).stdout.strip()
        clock, give_up = SystemClock(), SystemClock().monotonic() + 40
        while "before" not in first.run("job", "log", job).stdout:
            assert clock.monotonic() < give_up
        os.kill(first.variables["pid"], signal.SIGKILL)  # type: ignore[arg-type]
        clock.sleep(5)
        argv = [*COMMAND, "up", "--quickstart", "--home", str(home), "--port", port, "--detach", "--json"]
        again = subprocess.run(
            argv, env=clean_environment(home), capture_output=True, text=True, check=False, timeout=60
        )
        assert again.returncode == 0, again.stderr
        done = first.run("job", "follow", job)
        assert done.returncode == 0, done.stdout + done.stderr
        assert hashlib.sha256(body).hexdigest() in done.stdout
