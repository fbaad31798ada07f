"""The server's end of the warm process: it is asked to fork a supervisor, and is started again when it turns out to be dead."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from fabriek.kernel.errors import Unavailable

FORKED = "forked"


class WarmProcess:
    """`node`: the argv of the program beside the jobs. Ends with this process, whatever ends it: its standard input closes."""

    def __init__(self, node: Sequence[str]) -> None:
        self._node = tuple(node)
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Returns at once; what it imports is ready when the first job comes."""
        with self._lock:
            self._running()

    def fork(self, job_file: Path) -> None:
        """Returns once the attempt's supervisor has written its first state. Raises Unavailable, after one try more with a new
        process.
        """
        with self._lock:
            for _ in range(2):
                if self._ask(self._running(), job_file) == FORKED:
                    return
                self._end()
        raise Unavailable("the program beside the jobs does not start", fix="fabriek doctor", retry_after_seconds=10)

    def stop(self) -> None:
        """Supervisors go on."""
        with self._lock:
            self._end()

    def _ask(self, process: "subprocess.Popen[str]", job_file: Path) -> str:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{job_file}\n")
            process.stdin.flush()
            return process.stdout.readline().strip()
        except BrokenPipeError:
            return ""

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = subprocess.Popen(
                [*self._node, "warm"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd="/",
                env=node_environment(),
            )  # fmt: skip
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue


def node_environment() -> dict[str, str]:
    """Hardly anything: what a node passes on by mistake must not be the operator's."""
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
