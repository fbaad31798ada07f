"""Which command was called, and errors in the manner of Slurm: a line on standard error that begins with the command's name, and exit code 1."""

import importlib
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from fabriek.kernel.errors import FabriekError
from fabriek.sdk.environment import context_file

COMMANDS = ("sbatch", "squeue", "sacct", "scancel", "scontrol", "sinfo", "srun")
VERSION = "slurm 22.05.8-fabriek"
"""Clients that ask for a version take the first number for the dialect that they must speak."""


def main(name: str, words: Sequence[str]) -> int:
    """Runs one command; its exit code."""
    if any(word in {"-V", "--version"} for word in words):
        sys.stdout.write(f"{VERSION}\n")
        return 0
    try:
        code = importlib.import_module(f"fabriek.cli.slurm.{name}").run(list(words))
        assert isinstance(code, int)
    except FabriekError as error:
        fix = f" ({error.fix})" if error.fix else ""
        sys.stderr.write(f"{name}: error: {error.detail}{fix}\n")
        return 1
    except BrokenPipeError:
        return 1
    return code


def folder() -> Path:
    """Where the shim's scripts are, made anew: they start this very installation of the client."""
    place = context_file().parent / "slurm"
    place.mkdir(parents=True, exist_ok=True, mode=0o755)
    for name in COMMANDS:
        draft = place / f".{name}.{os.getpid()}"
        words = shlex.join([sys.executable, "-m", "fabriek.cli.slurm", name])
        draft.write_text(f'#!/bin/sh\nexec {words} "$@"\n', "utf-8")
        draft.chmod(0o755)
        draft.replace(place / name)
    return place


@click.command("slurm-shim")
def slurm_shim() -> None:
    """Put Slurm's commands before your path, and programs written for Slurm run here.

    \b
    export PATH=$(fabriek slurm-shim):$PATH
    sbatch train.sh

    Works in a folder of the project's workspace, which jobs see too. Elsewhere the folder is sent along, and results are fetched with
    `fabriek job pull`.
    """  # noqa: D301  # the sign that click keeps lines by
    click.echo(folder())
