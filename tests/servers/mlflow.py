"""MLflow's own server, where a whole MLflow is installed: the first `mlflow` on the path that can serve."""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.factories.waiting import until

START_SECONDS_MAX = 120


def program() -> str:
    """Where it is; empty where there is only the client's half of MLflow, or none."""
    for folder in os.get_exec_path():
        found = Path(folder, "mlflow")
        python = found.with_name("python")
        if found.is_file() and python.exists():
            asked = subprocess.run([python, "-c", "import flask, mlflow.server"], capture_output=True, check=False)
            if not asked.returncode:
                return str(found)
    return ""


def why_absent() -> str:
    """Empty where it can be started; else the reason, for skipping."""
    return (
        ""
        if program()
        else "no mlflow on the path can serve: pip install mlflow in an environment, and put its bin first"
    )


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """A fresh one, with SQLite and its artifact proxy; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    argv = [
        program(), "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "artifacts"),
        "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True) as server,
    ):
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(f"{url}/health", trust_env=False).is_success
            return False

        try:
            until(answers, seconds_max=START_SECONDS_MAX, instead=lambda: (folder / "log").read_text()[-2000:])
            yield url
        finally:
            os.killpg(server.pid, 15)
    shutil.rmtree(folder / "artifacts", ignore_errors=True)
