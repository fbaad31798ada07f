from pathlib import Path

import pytest

from fabriek.compute.executors.contract import Caps
from fabriek.compute.executors.gpu_caps import CommandCaps
from fabriek.kernel.errors import Unavailable


def test_the_operators_command_hears_node_gpu_and_watts_once_for_each_gpu(tmp_path: Path) -> None:
    said, tool = tmp_path / "said", tmp_path / "tool"
    tool.write_text(f'#!/bin/sh\necho "$@" >> {said}\n')
    tool.chmod(0o755)
    caps = CommandCaps([str(tool), "-x"])
    assert isinstance(caps, Caps)
    caps.cap(3, (12, 13), 240)
    assert sorted(said.read_text().splitlines()) == ["-x 3 12 240", "-x 3 13 240"]


@pytest.mark.parametrize("command", ["false", "/nowhere/at-all"])
def test_a_command_that_fails_is_said(command: str) -> None:
    with pytest.raises(Unavailable):
        CommandCaps([command]).cap(0, (0,), 240)
