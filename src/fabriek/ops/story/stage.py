"""The stage: a factory of its own in a fresh home, a client for each person, one line a step with its time."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click

from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import FabriekError
from fabriek.schemas.codes import Code
from fabriek.sdk import Fabriek


@dataclass
class Stage:
    """What the steps share. `people`: role → their client; `project`: the one that the story is about."""

    home: Path
    clock: Clock
    url: str = ""
    people: dict[str, Fabriek] = field(default_factory=dict)
    project: str = ""
    sandboxed: bool = True
    results: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    _step: int = 0

    def step(self, title: str, act: Callable[["Stage"], str]) -> None:
        """Runs one step and prints its line: number, time, title, outcome. A step that fails ends the demo."""
        self._step += 1
        started = self.clock.monotonic()
        outcome = act(self)
        seconds = self.clock.monotonic() - started
        click.echo(
            f"{click.style(f'{self._step:2}', bold=True)}  {seconds:5.1f} s  {click.style(title, bold=True)}: {outcome}"
        )

    def say(self, line: str) -> None:
        click.echo(f"             {line}")

    def refused(self, what: str, code: Code, act: Callable[[], object]) -> FabriekError:
        """Shows a wrong way: that it is refused, with which words and what mends it. A wrong way that works ends the demo."""
        try:
            act()
        except FabriekError as error:
            if error.code is not code:
                raise
            rule = f" [{error.fields['rule']}]" if error.fields.get("rule") else ""
            self.say(f"{error.meaning.http} {what}: {error.detail}{rule}")
            self.say(f"    fix: {error.fix}")
            return error
        raise AssertionError(f"{what} was not refused")

    def command(
        self, who: str, *arguments: str, cwd: Path | None = None, show: bool = False
    ) -> "subprocess.CompletedProcess[str]":
        """Runs `fabriek …` as this person, as they would in their terminal."""
        client = self.people[who].client
        environment = self._environment() | {
            "FABRIEK_URL": client.url,
            "FABRIEK_TOKEN": client.token,
            "FABRIEK_PROJECT": self.project,
        }
        argv = [sys.executable, "-m", "fabriek.cli", *arguments]
        if not show:
            return subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        told = []
        with subprocess.Popen(
            argv, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as running:
            assert running.stdout is not None
            for line in running.stdout:
                told.append(line)
                self.say(f"| {line.rstrip()}")
        return subprocess.CompletedProcess(argv, running.returncode, "".join(told), "")

    def up(self, home: Path) -> Mapping[str, str]:
        """Starts a factory on a home, on a free port; what it announced."""
        argv = [sys.executable, "-m", "fabriek.cli", "up", "--home", str(home), "--port", "0", "--detach", "--json"]
        done = subprocess.run(argv, env=self._environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        announced: dict[str, str] = json.loads(done.stdout)
        return announced

    def down(self, home: Path) -> None:
        argv = [sys.executable, "-m", "fabriek.cli", "down", "--home", str(home)]
        done = subprocess.run(argv, env=self._environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def _environment(self) -> dict[str, str]:
        """Ours, without what would send the demo to another factory, and with a context file of its own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("FABRIEK_", "MLFLOW_"))}  # noqa: TID251  # for a child
        if not self.sandboxed:
            kept["FABRIEK_JOBS_UNSANDBOXED"] = "yes"
        return kept | {"FABRIEK_CONTEXT": str(self.home.parent / "context.json")}
