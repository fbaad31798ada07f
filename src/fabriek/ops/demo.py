"""`fabriek demo`: the whole story in ten steps, on real data, in a fresh home."""

import shutil
import sys
import tempfile
from pathlib import Path

import click

from fabriek.compute.executors.capabilities import probe
from fabriek.kernel.clock import SystemClock
from fabriek.ops.story.centre import centre
from fabriek.ops.story.opening import application, dataset, people
from fabriek.ops.story.powering import power
from fabriek.ops.story.proofs import books, links, proofs
from fabriek.ops.story.refusals import refusals
from fabriek.ops.story.stage import Stage
from fabriek.ops.story.training import cards, origin, training

STEPS = (
    ("People get in", people),
    ("An application becomes a project", application),
    ("A hospital brings its data", dataset),
    ("A model is trained where the data is", training),
    ("Where the result came from", origin),
    ("Others find it, and ask", cards),
    ("What must not work does not", refusals),
    ("Inside the power contract", power),
    ("The expertise centre", centre),
    ("Proofs", proofs),
)


@click.command()
@click.option(
    "--home", type=click.Path(path_type=Path), help="Where to play; default a temporary folder that is removed."
)
@click.option("--stay/--no-stay", default=None, help="Keep the factory running at the end; default: on a terminal.")
def demo(home: Path | None, *, stay: bool | None) -> None:
    """Run the whole story on real data: access, funding, vault, compute, lab, knowledge, assurance and audit.

    Everything goes through the public SDK and command line, against a factory that is started for it.
    """
    able = probe()
    room = (home or Path(tempfile.mkdtemp(prefix="fabriek-demo-"))).absolute()
    stage = Stage(home=room / "home", clock=SystemClock(), sandboxed=able.sandbox)
    if not able.sandbox:
        click.echo(f"jobs cannot be kept apart on this machine ({able.reason}): the job runs on data labelled open")
    started = stage.clock.monotonic()
    try:
        for title, act in STEPS:
            stage.step(title, act)
        books(stage)
        click.echo(f"ten steps in {stage.clock.monotonic() - started:.0f} s")
        if stage.left_out:
            click.echo(f"left out here: {'; '.join(stage.left_out)}. To see it all: {able.fix}")
        if stay if stay is not None else sys.stdout.isatty():
            links(stage, "One link each, good once, within the hour")
            click.echo(f"It stays up. Stop it with Ctrl-C, or: fabriek down --home {stage.home}")
            _wait(stage)
        else:
            links(stage, "It stops now, and the links with it; `fabriek demo --stay` keeps it up to walk through")
    finally:
        if (stage.home / "run" / "server.json").exists():
            stage.down(stage.home)
        if home is None:
            shutil.rmtree(room, ignore_errors=True)


def _wait(stage: Stage) -> None:
    try:
        while (stage.home / "run" / "server.json").exists():
            stage.clock.sleep(0.5)
    except KeyboardInterrupt:
        click.echo("stopping")


__all__ = ["STEPS", "demo"]
