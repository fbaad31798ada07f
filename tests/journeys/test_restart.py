"""The server may die; jobs go on, and the next server finds them."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from fabriek.kernel.clock import SystemClock
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
