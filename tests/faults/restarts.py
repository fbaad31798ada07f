"""A server that is killed and started again, round after round, with jobs that outlive it."""

import json
import os
import random
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from fabriek.schemas.compute import JobOut
from fabriek.sdk import Fabriek
from tests.factories.waiting import until
from tests.servers.factory import COMMAND, clean_environment, quickstarted

CODES = (1, 2, 3, 4, 5)
SAYS = "exec 2>/dev/null; trap 'exit {code}' USR1; echo begun; while :; do sleep 0.2; done"
"""A signal goes to all of the tree, and a shell says on its second output that its sleep died of it."""

SETTINGS = {"FABRIEK_JOB_CPUS_MAX": str(len(CODES))}
"""All of them run at once, however small this machine is."""


@dataclass(frozen=True)
class Told:
    """Of each job how it is in the end, and what it said in all."""

    jobs: list[JobOut]
    logs: list[bytes]

    @property
    def kept(self) -> list[tuple[int | None, int, bytes]]:
        """Exit code, attempts, output."""
        return [(job.exit_code, job.attempts, log) for job, log in zip(self.jobs, self.logs, strict=True)]


EXPECTED = [(code, 1, b"begun\n") for code in CODES]


def kill_servers(home: Path, rounds: int) -> Told:
    """Five jobs begin; the server gets SIGKILL and is started again, so many times, each at another moment of its first second. Before the last
    kill they are told to end: most do while nobody is there to see it.
    """
    dice = random.Random(os.urandom(8))  # noqa: S311  # other moments each time
    with quickstarted(home, **SETTINGS) as running:
        port, pid = running.url.rpartition(":")[2], running.variables["pid"]
        with Fabriek(running.url, running.variables["FABRIEK_TOKEN"], running.variables["FABRIEK_PROJECT"]) as factory:
            jobs = [
                factory.jobs.run(["sh", "-c", SAYS.format(code=code)], memory_bytes=64 * 2**20, wall_seconds_max=10 * 3_600).id
                for code in CODES
            ]  # fmt: skip
            until(lambda: all(b"".join(factory.jobs.log(job)) for job in jobs))
            for number in range(rounds):
                if number == rounds - 1:
                    for job in jobs:
                        factory.jobs.signal(job, "USR1")
                os.kill(int(pid), signal.SIGKILL)
                pid = started_again(home, port)
                threading.Event().wait(dice.random())
            ended = [factory.jobs.wait(job) for job in jobs]
            return Told(ended, [b"".join(factory.jobs.log(job)) for job in jobs])


def started_again(home: Path, port: str) -> int:
    """The process id of the new server."""
    argv = [*COMMAND, "up", "--quickstart", "--home", str(home), "--port", port, "--detach", "--json"]
    again = subprocess.run(
        argv, env=clean_environment(home) | SETTINGS, capture_output=True, text=True, check=False, timeout=90
    )
    assert again.returncode == 0, again.stderr
    return int(json.loads(again.stdout)["pid"])
