"""What Slurm's commands say, taken in: a folder of small programs says it in the words of 22.05."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fabriek.compute.executors.slurm_accounts import SlurmAccounts
from fabriek.compute.executors.slurm_commands import SlurmCommands
from fabriek.kernel.errors import InvalidInput, NotFound, Unavailable

NAME = "fabriek-job_1-1"


@pytest.fixture
def saying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], SlurmCommands]:
    def made(sacct: str) -> SlurmCommands:
        """On a cluster whose queue has job 17 by our name, and whose sacct fails with these words."""
        for program, lines in (
            ("sacct", f"echo '{sacct}' >&2; exit 1"),
            ("squeue", f"echo '17|{NAME}|RUNNING|None'"),
        ):
            (tmp_path / program).write_text(f"#!/bin/sh\n{lines}\n")
            (tmp_path / program).chmod(0o755)
        monkeypatch.setattr(os, "defpath", str(tmp_path))
        return SlurmCommands()

    return made


def test_a_cluster_without_accounts_has_nothing_in_them_and_the_queue_all_the_same(
    saying: Callable[[str], SlurmCommands],
) -> None:
    commands = saying("Slurm accounting storage is disabled")
    assert commands.named(NAME) == ["17"]
    assert commands.ended("17", NAME) == ""
    with pytest.raises(NotFound, match="keeps no accounts"):
        SlurmAccounts(commands).of({"17": NAME})


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("sacct: error: slurm_persist_conn_open_without_init: failed to open persistent connection: Connection refused", Unavailable),
        ("sacct: fatal: Invalid field requested: Job", InvalidInput),
    ],
)  # fmt: skip
def test_accounts_that_are_away_or_refuse_are_not_taken_for_none(
    saying: Callable[[str], SlurmCommands], words: str, error: type[Exception]
) -> None:
    commands = saying(words)
    for ask in (lambda: commands.named(NAME), lambda: commands.ended("17", NAME)):
        with pytest.raises(error):
            ask()
