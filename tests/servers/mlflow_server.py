"""MLflow's own server on SQLite, as its command starts it: what ours is compared with."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

START_SECONDS_MAX = 90
NEEDED = ("flask", "flask_cors", "graphene")


def why_absent() -> str:
    """Empty where it can run; else the reason."""
    lacking = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    return f"MLflow's own server needs {', '.join(lacking)}" if lacking else ""


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Its address. In a process group of its own, which ends with it: it leaves children behind."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    argv = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination",
            str(folder / "artifacts"), "--port", str(port), "--workers", "1"]  # fmt: skip
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "PYTHON", "FABRIEK_"))}  # noqa: TID251  # for a child
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            argv, env=kept | {"MLFLOW_DISABLE_TELEMETRY": "true"}, stdout=log, stderr=log, start_new_session=True, cwd=folder
        )  # fmt: skip
    try:
        _wait_for(port, process, folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS_MAX
    while True:
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < give_up, "the server does not start"
        try:
            httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False)
        except httpx.TransportError:
            _ended(process, 0.1)
        else:
            return


def _ended(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
