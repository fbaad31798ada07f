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


def script_of(node: Sequence[str], job_file: Path) -> str:
    """Raises AssertionError on a word that a shell would read otherwise: they are all our own."""
    words = [*node, "attempt", str(job_file)]
    assert all(PLAIN.fullmatch(word) for word in words), f"{words} cannot stand in a batch script"
    return TEMPLATE.format(words=" ".join(words))
