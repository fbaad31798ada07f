"""What a job takes of its node, looked at every few seconds and logged to its run under the names that MLflow gives system metrics.

The supervisor looks, since it knows the job's group; a process of ours beside the job tells the lab, over the socket on which the job itself
reaches it and with the job's own token. So whatever holds for what the job logs holds for this too, and nothing here waits for a server.
"""

import http.client
import json
import math
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fabriek.node.limits.limiter import Limiter
from fabriek.node.room import LAB_SOCKET
from fabriek.node.staging import become, ends_with_parent
from fabriek.schemas.node import JobSpec

FIRST_SECONDS = 1.0
"""Before the first look. What is over sooner has no curve, and pays nothing for one."""

SLOWER_AFTER = 360
"""Looks before the pause between two doubles: a job of a week has some thousand points, and not sixty thousand."""

END_SECONDS_MAX = 1.0
"""How long the end of a job waits until its last look is told."""

ANSWER_SECONDS_MAX = 30.0
KEPT_MAX = 512
"""Looks that wait for a server that is away."""

MEGABYTE = 1e6
LOG_BATCH = "/api/2.0/mlflow/runs/log-batch"
GPU_ASKED = ("index", "utilization.gpu", "memory.used", "memory.total", "power.draw")
SMI_SECONDS_MAX = 5.0


@dataclass(frozen=True, slots=True)
class Look:
    """One: its number, the instant in milliseconds since 1970, and metric → value."""

    number: int
    at_ms: int
    values: Mapping[str, float]


class Tells(Protocol):
    """Who is told of looks."""

    def tell(self, look: Look) -> None:
        """Never waits: a look that does not fit, or that nobody takes any more, is left out."""

    def end(self) -> None:
        """Returns when everything is told, or soon."""


class Sampling:
    """Of one tree of processes. Nothing is forked before the first look."""

    def __init__(self, job: JobSpec, bounds: Limiter, start: Callable[[], "Tells"]) -> None:
        self._job, self._bounds, self._start = job, bounds, start
        self._telling: Tells | None = None
        self._pause = job.sample_seconds
        self._seen_at = time.monotonic()
        self._cpu_seconds = 0.0
        self._due = self._seen_at + FIRST_SECONDS
        self._number = 0

    def look(self) -> None:
        """Looks, if it is time. What cannot be looked at or told is no reason to end a job."""
        if time.monotonic() < self._due:
            return
        try:
            self._tell(self._used() | self._held())
        except OSError:
            self._due = math.inf
            return
        self._due = time.monotonic() + self._pause
        if self._number % SLOWER_AFTER == 0:
            self._pause *= 2

    def end(self) -> None:
        """A last look at the cores, of a job that was looked at: its memory is given back by now. Returns when it is told, or soon."""
        if self._telling is not None:
            self._tell(self._used())
            self._telling.end()

    def _tell(self, values: Mapping[str, float]) -> None:
        if self._telling is None:
            self._telling = self._start()
        self._telling.tell(Look(self._number, time.time_ns() // 1_000_000, values))
        self._number += 1

    def _used(self) -> dict[str, float]:
        """In hundredths of the cores that the job has: what else the machine does is not its business."""
        now, used = time.monotonic(), self._bounds.cpu_seconds()
        share = max(used - self._cpu_seconds, 0.0) / max(now - self._seen_at, 1e-6) / self._job.cpus
        self._seen_at, self._cpu_seconds = now, used
        return {"cpu_utilization_percentage": share * 100}

    def _held(self) -> dict[str, float]:
        held = self._bounds.memory_bytes_held()
        return {
            "system_memory_usage_megabytes": held / MEGABYTE,
            "system_memory_usage_percentage": held / self._job.memory_bytes * 100,
        }


def sampling_of(job: JobSpec, bounds: Limiter, lab_dir: str, uid: int | None) -> Sampling | None:
    """None where the operator wants none, or the job has no run. uid: the job's own; None where it is ours."""
    token, run = (job.environment.get(name, "") for name in ("MLFLOW_TRACKING_TOKEN", "MLFLOW_RUN_ID"))
    if job.sample_seconds <= 0 or not token or not run:
        return None
    # As MLflow has it where a run has several nodes: each under a name of its own.
    begin = f"system/member-{job.member}/" if job.spread else "system/"
    gpus = sorted({number for each in job.devices for number in each})
    return Sampling(job, bounds, lambda: Telling(lambda: Lab(Path(lab_dir), token, run, begin), gpus, uid))


class Telling:
    """The process that tells; it holds no right that the job has not, and ends with the supervisor. Started when made."""

    def __init__(self, make: Callable[[], "Lab"], gpus: Iterable[int], uid: int | None) -> None:
        """make: called in the new process. Raises OSError."""
        reads, self._line = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _serve(make, reads, list(gpus), uid)
        os.close(reads)
        os.set_blocking(self._line, False)

    def tell(self, look: Look) -> None:
        with suppress(BlockingIOError, BrokenPipeError):
            os.write(self._line, json.dumps([look.number, look.at_ms, dict(look.values)]).encode() + b"\n")

    def end(self) -> None:
        os.close(self._line)
        try:
            gone, poller = os.pidfd_open(self._pid), select.poll()
            poller.register(gone, select.POLLIN)
            poller.poll(END_SECONDS_MAX * 1000)
            os.close(gone)
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        except OSError:  # without walls, it may have ended with all that came from us
            return


class Lab:
    """The run's side: one batch for each look, over the socket of jobs, in whose folder this process is from now on."""

    def __init__(self, folder: Path, token: str, run: str, begin: str) -> None:
        os.chdir(folder)
        self._run, self._begin = run, begin
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Connection": "close"}

    def log(self, look: Look) -> bool:
        """Whether there is nothing more to do about it: it is kept, or refused for good. The same look twice is kept once."""
        points = [
            {"key": self._begin + name, "value": round(value, 1), "timestamp": look.at_ms, "step": look.number}
            for name, value in look.values.items()
            if math.isfinite(value)
        ]
        said = json.dumps({"run_id": self._run, "metrics": points})
        line = _OverSocket()
        try:
            line.request("POST", LOG_BATCH, said, self._headers)
            answer = line.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            line.close()
        return (
            answer.status < http.HTTPStatus.INTERNAL_SERVER_ERROR and answer.status != http.HTTPStatus.TOO_MANY_REQUESTS
        )


class _OverSocket(http.client.HTTPConnection):
    """In the folder that this process is in: the job's uid may reach it by no path."""

    def __init__(self) -> None:
        super().__init__("lab", timeout=ANSWER_SECONDS_MAX)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(LAB_SOCKET)


def _serve(make: Callable[[], Lab], line: int, gpus: list[int], uid: int | None) -> None:
    """Until the supervisor closes its end, and what is told by then is told on."""
    try:
        # None of what the supervisor holds is ours to hold: its lock says that the job lives.
        os.dup2(line, 3)
        os.closerange(4, os.sysconf("SC_OPEN_MAX"))
        lab, waiting = make(), list[Look]()
        if uid is None:
            ends_with_parent()
        else:
            become(uid)
        with open(3, encoding="utf-8") as said:  # a descriptor
            for text in said:
                number, at_ms, values = json.loads(text)
                waiting.append(Look(number, at_ms, values | gpus_now(gpus)))
                del waiting[:-KEPT_MAX]
                while waiting and lab.log(waiting[0]):
                    del waiting[0]
    except Exception:  # noqa: BLE001  # it is told in the node's log, and the job goes on without
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(0)


def gpus_now(numbers: list[int]) -> dict[str, float]:
    """What these GPUs of the machine do; nothing where it has no program that says so."""
    program = shutil.which("nvidia-smi") if numbers else None
    if program is None:
        return {}
    argv = [
        program,
        f"--query-gpu={','.join(GPU_ASKED)}",
        "--format=csv,noheader,nounits",
        f"--id={','.join(map(str, numbers))}",
    ]
    try:
        said = subprocess.run(argv, capture_output=True, text=True, timeout=SMI_SECONDS_MAX, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    return read_gpus(said.stdout)


def read_gpus(said: str) -> dict[str, float]:
    """Lines of `nvidia-smi` about `GPU_ASKED`, the job's GPUs counted from 0 as it sees them. What a GPU does not know, it says in words."""
    found: dict[str, float] = {}
    for index, line in enumerate(filter(None, said.splitlines())):
        _, used, held, room, power = (_number(one) for one in line.split(","))
        mebibytes = 2**20 / MEGABYTE
        share = held / room * 100 if room else math.nan
        known = {
            "utilization_percentage": used, "memory_usage_megabytes": held * mebibytes, "memory_usage_percentage": share,
            "power_usage_watts": power,
        }  # fmt: skip
        found |= {f"gpu_{index}_{name}": value for name, value in known.items() if math.isfinite(value)}
    return found


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return math.nan
