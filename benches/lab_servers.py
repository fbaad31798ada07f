"""The servers that `benches.lab` measures side by side: ours as `fabriek up` starts it, MLflow's own, and one that only commits."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from tests.servers.factory import clean_environment, quickstarted

START_SECONDS_MAX = 90


@dataclass(frozen=True)
class Server:
    """Where MLflow's client finds it, and what it runs as."""

    name: str
    uri: str
    pid: int
    file: Path
    token: str = ""

    def client_environment(self) -> dict[str, str]:
        """For a child that uses MLflow's client."""
        named = {
            "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        }
        return clean_environment(self.file.parent) | named | ({"MLFLOW_TRACKING_TOKEN": self.token} if self.token else {})  # fmt: skip

    def idle_bytes(self) -> int:
        """Memory of all its processes, shared pages counted once."""
        return sum(_memory(pid) for pid in _family(self.pid))

    def processor_seconds(self) -> float:
        """Used so far by all its processes: a measure that the rest of the machine does not change."""
        ticks = 0
        for pid in _family(self.pid):
            said = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(said[11]) + int(said[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stored_bytes(self) -> int:
        """Pages of its database that are in use, those in the write-ahead log too."""
        connection = sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)
        (pages,), (free,), (size,) = (
            connection.execute(f"pragma {name}").fetchone() for name in ("page_count", "freelist_count", "page_size")
        )
        connection.close()
        return int((pages - free) * size)


@contextmanager
def ours(work: Path) -> Iterator[Server]:
    home = work / "home"
    with quickstarted(home) as running:
        said = running.variables
        uri = said["MLFLOW_TRACKING_URI"].replace("//localhost:", "//127.0.0.1:")
        yield Server("ours", uri, int(said["pid"]), home / "fabriek.db", said["MLFLOW_TRACKING_TOKEN"])


@contextmanager
def mlflow(work: Path, python: str) -> Iterator[Server]:
    """MLflow's own on SQLite, one worker, with the loop and the parser that spare it 44 ms a request."""
    port, folder = _free_port(), work / "mlflow"
    folder.mkdir()
    argv = [python, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination",
            str(folder / "artifacts"), "--port", str(port), "--workers", "1"]  # fmt: skip
    with _started(argv, folder, port) as pid:
        yield Server("mlflow", f"http://127.0.0.1:{port}", pid, folder / "mlflow.db")


@contextmanager
def commit_only(work: Path) -> Iterator[Server]:
    port, folder = _free_port(), work / "commit-only"
    folder.mkdir()
    with _started(
        [sys.executable, "-m", "benches.lab_commit_only", str(folder / "rows.db"), str(port)], folder, port
    ) as pid:
        yield Server("commit only", f"http://127.0.0.1:{port}", pid, folder / "rows.db")


def why_no_mlflow(python: str) -> str:
    """Empty where this Python can be MLflow's server as it is fastest; else the reason."""
    program = "import mlflow.server, uvloop, httptools"
    tried = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    return tried.stderr.strip().rpartition("\n")[2]


@contextmanager
def _started(argv: list[str], folder: Path, port: int) -> Iterator[int]:
    """In a process group of its own, which ends with it: MLflow's server has children that it leaves behind."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            argv, env=clean_environment(folder), stdout=log, stderr=log, start_new_session=True
        )  # fmt: skip
    try:
        _wait_for(port, process)
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < give_up:
        assert process.poll() is None, "the server ended before it answered"
        try:
            httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server does not start")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _family(pid: int) -> list[int]:
    """The process and what it started, from whichever thread."""
    said = [task.read_text().split() for task in Path(f"/proc/{pid}/task").glob("*/children")]
    return [pid, *(one for children in said for child in children for one in _family(int(child)))]


def _memory(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
