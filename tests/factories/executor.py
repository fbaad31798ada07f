"""Job specs for tests, and an executor in memory that knows four commands: `echo WORD…`, `false`, and `sleep SECONDS` and `fabriek-serve`, which
only a request to stop ends.
"""

import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fabriek.compute.executors.contract import Handle, JobSpec, ObservedState, Phase
from fabriek.kernel.clock import Clock, FakeClock

_numbers = itertools.count(1)


def a_spec(*argv: str, **changes: Any) -> JobSpec:
    """Every spec is a job of its own, unless `job` says otherwise."""
    fields: dict[str, Any] = {
        "job": f"job_{next(_numbers)}",
        "attempt": 1,
        "argv": argv or ("true",),
        "environment": {},
        "inputs": (),
        "code": None,
        "python": sys.executable,
        "cpus": 1,
        "memory_bytes": 256 * 2**20,
        "processes_max": 64,
        "wall_seconds_max": 120,
        "log_bytes_max": 2**20,
        "grace_seconds": 30,
        "server_url": "http://127.0.0.1:9",
        "node_token": "token-of-the-node",
        "lab_socket_dir": "/nowhere",
        "output": None,
    }
    return JobSpec(**(fields | changes))


@dataclass
class _Attempt:
    spec: JobSpec
    state: ObservedState
    log: bytes = b""


class MemoryExecutor:
    """What is submitted runs at once; `end` and `lose` say how an attempt went on that its command leaves open."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or FakeClock()
        self._attempts: dict[Handle, _Attempt] = {}
        self.told: list[tuple[Handle, str]] = []
        self.doors = Path("/nowhere")

    def submit(self, spec: JobSpec) -> Handle:
        handle = Handle(spec.job, spec.attempt)
        if handle not in self._attempts:
            started = ObservedState(Phase.RUNNING, started_at=self._clock.now())
            self._attempts[handle] = _Attempt(spec, started)
            if spec.argv[0] == "echo":
                self._attempts[handle].log = " ".join(spec.argv[1:]).encode() + b"\n"
            if spec.argv[0] not in {"sleep", "fabriek-serve"}:
                self.end(handle, exit_code=1 if spec.argv[0] == "false" else 0)
        return handle

    def poll(self, handles: Sequence[Handle]) -> list[ObservedState]:
        absent = ObservedState(Phase.ABSENT)
        return [self._attempts[one].state if one in self._attempts else absent for one in handles]

    def cancel(self, handle: Handle) -> None:
        if handle in self._attempts and self._attempts[handle].state.phase is Phase.RUNNING:
            self.end(handle, exit_code=143, reason="cancelled")

    def tell(self, handle: Handle, word: str) -> None:
        self.told.append((handle, word))

    def door(self, handle: Handle) -> Path:
        return self.doors / handle.job

    def logs(self, handle: Handle, offset: int, count: int) -> bytes:
        return self._attempts[handle].log[offset : offset + count] if handle in self._attempts else b""

    def release(self, handle: Handle) -> None:
        if handle in self._attempts:
            self._attempts[handle].log = b""

    def warm_up(self) -> None:
        """There is nothing to make ready."""

    def close(self) -> None:
        """Nothing is held."""

    def end(self, handle: Handle, *, exit_code: int = 0, reason: str = "", again: bool = False) -> None:
        attempt = self._attempts[handle]
        attempt.state = replace(
            attempt.state, phase=Phase.DONE, exit_code=exit_code, reason=reason, again=again, ended_at=self._clock.now()
        )

    def spec(self, handle: Handle) -> JobSpec:
        return self._attempts[handle].spec

    def write(self, handle: Handle, text: bytes) -> None:
        self._attempts[handle].log += text

    def lose(self, handle: Handle) -> None:
        attempt = self._attempts[handle]
        attempt.state = replace(attempt.state, phase=Phase.LOST, reason="its supervisor is gone")
