"""This machine, with folders of a test's own: real jobs behind real walls, only their inputs and results are plain folders."""

import functools
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fabriek.compute.executors.capabilities import probe
from fabriek.compute.executors.contract import Handle, JobSpec, ObservedState, Phase
from fabriek.compute.executors.local import LocalExecutor
from tests.factories.executor import a_spec
from tests.factories.waiting import until

TWIN = (sys.executable, "-m", "tests.servers.node_twin")
LOG_BYTES_MAX = 1 << 24


@functools.cache
def why_no_sandbox() -> str:
    """Empty when jobs can be kept apart and bounded here, else the reason."""
    return probe().reason


@dataclass(frozen=True)
class Seen:
    """How a job ended and what it said."""

    handle: Handle
    state: ObservedState
    log: str


class Machine:
    """An executor with folders below `home`."""

    def __init__(self, home: Path, node: tuple[str, ...] = TWIN) -> None:
        self.home, self.jobs, self.scratch, self.lab = home, home / "jobs", home / "scratch", home / "lab"
        self.lab.mkdir(exist_ok=True)
        self.lab.chmod(0o711)
        self.executor = LocalExecutor(self.jobs, self.scratch, node=node)

    def spec(self, *argv: str, **changes: Any) -> JobSpec:
        return a_spec(*argv, **({"lab_socket_dir": str(self.lab)} | changes))

    def start(self, *argv: str, **changes: Any) -> Handle:
        return self.executor.submit(self.spec(*argv, **changes))

    def run(self, *argv: str, **changes: Any) -> Seen:
        return self.ended(self.start(*argv, **changes))

    def python(self, code: str, **changes: Any) -> Seen:
        """Runs the code as `python -c` in the sandbox."""
        return self.run("python", "-c", code, **changes)

    def state(self, handle: Handle) -> ObservedState:
        return self.executor.poll([handle])[0]

    def log(self, handle: Handle) -> str:
        return self.executor.logs(handle, 0, LOG_BYTES_MAX).decode("utf-8", "backslashreplace")

    def ended(self, handle: Handle) -> Seen:
        until(lambda: self.state(handle).phase in {Phase.DONE, Phase.LOST})
        return Seen(handle, self.state(handle), self.log(handle))

    def said(self, handle: Handle, text: str) -> None:
        """Waits until the job has written the text."""
        until(lambda: text in self.log(handle) or self.state(handle).phase is Phase.DONE)
        assert text in self.log(handle), self.state(handle)


@contextmanager
def a_machine(node: tuple[str, ...] = TWIN) -> Iterator[Machine]:
    """Skips with its reason where there is no sandbox. Its folders lie in memory, as those of a server do."""
    if reason := why_no_sandbox():
        pytest.skip(f"no sandbox here: {reason}")
    with tempfile.TemporaryDirectory(prefix="fabriek-test-", dir="/dev/shm", ignore_cleanup_errors=True) as home:
        machine = Machine(Path(home), node)
        try:
            yield machine
        finally:
            machine.executor.close()
