"""The batch script: the one line that Slurm hands to a shell, and nothing in it comes from a user."""

import re
from collections.abc import Sequence
from pathlib import Path

TEMPLATE = """\
#!/bin/sh
# One attempt of a job. Options are given to sbatch as arguments; inputs, limits and walls are the supervisor's work.
umask 077
exec {words}
"""
PLAIN = re.compile(r"[A-Za-z0-9_./=+,:@%-]+")

TASK = '"$SLURM_ARRAY_TASK_ID"'


def script_of(node: Sequence[str], job_file: Path) -> str:
    """Raises AssertionError on a word that a shell would read otherwise: they are all our own."""
    return TEMPLATE.format(words=_plain([*node, "attempt", str(job_file)]))


def array_script_of(node: Sequence[str], roster: Path) -> str:
    """One script for all tasks: each finds its attempt in the roster, by its number. Raises AssertionError."""
    return TEMPLATE.format(words=f"{_plain([*node, 'task', str(roster)])} {TASK}")


def _plain(words: Sequence[str]) -> str:
    assert all(PLAIN.fullmatch(word) for word in words), f"{words} cannot stand in a batch script"
    return " ".join(words)
