"""What srun refuses before it asks anybody."""

import pytest

from fabriek.cli.job import job
from fabriek.cli.slurm import command, srun
from fabriek.kernel.errors import InvalidInput


def test_who_wants_a_terminal_is_told_a_command_that_there_is() -> None:
    with pytest.raises(InvalidInput) as refused:
        srun.run(["--pty", "bash"])
    assert refused.value.fix.startswith("fabriek job shell JOB")
    assert "shell" in job.commands


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main("srun", ["-n", "2"]) == 1
    assert capsys.readouterr().err.startswith("srun: error: no command given to execute")
