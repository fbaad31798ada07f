"""A whole factory as a newcomer starts it: `fabriek up --quickstart --detach`, in a home of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

COMMAND = [sys.executable, "-m", "fabriek.cli"]


@dataclass(frozen=True)
class Running:
    """Its home and what it announced."""

    home: Path
    variables: dict[str, str]

    @property
    def url(self) -> str:
        return self.variables["FABRIEK_URL"]

    def environment(self) -> dict[str, str]:
        """Of somebody who works in this factory."""
        named = {name: value for name, value in self.variables.items() if isinstance(value, str) and name.isupper()}
        return clean_environment(self.home) | named

    def run(self, *arguments: str, cwd: Path | None = None, input_text: str = "") -> "subprocess.CompletedProcess[str]":
        """A command of the command line."""
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=cwd,
            env=self.environment(),
            input=input_text,
            capture_output=True,
            text=True,
            check=False,
            timeout=150,
        )


def clean_environment(home: Path) -> dict[str, str]:
    """Without what this shell happens to say to Python: PYTHONUNBUFFERED hides output that waits for its end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FABRIEK_", "MLFLOW_", "PYTHON"))}  # noqa: TID251  # for a child
    return kept | {"FABRIEK_CONTEXT": str(home.parent / "context.json"), "MLFLOW_DISABLE_TELEMETRY": "true"}


@contextmanager
def quickstarted(home: Path, **settings: str) -> Iterator[Running]:
    """settings: `FABRIEK_JOB_NODES="2"`."""
    environment = clean_environment(home) | settings
    argv = [*COMMAND, "up", "--quickstart", "--home", str(home), "--port", "0", "--detach", "--json"]
    started = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=90)
    assert started.returncode == 0, started.stderr
    try:
        yield Running(home, json.loads(started.stdout))
    finally:
        subprocess.run(
            [*COMMAND, "down", "--home", str(home)], env=environment, capture_output=True, check=False, timeout=60
        )


def why_no_jobs() -> str:
    """Empty where jobs can run; else the reason, for skipping."""
    from fabriek.compute.executors.capabilities import probe  # noqa: PLC0415

    able = probe()
    return "" if able.sandbox else f"jobs cannot be kept apart here: {able.reason}"
