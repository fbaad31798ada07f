"""A job without walls is still a job: its files, its word, its bounds, its end."""

import os
from pathlib import Path

from fabriek.compute.executors.contract import InputSpec, OutputSpec, Phase
from tests.servers.machine import Machine
from tests.servers.processes import processes_saying


def test_it_finds_its_files_and_leaves_its_results(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("what was read")
    data = InputSpec("cells", 1, str(tmp_path / "in"), "/data")
    script = 'cat "$FABRIEK_DATA_CELLS/a.txt"; cp "$FABRIEK_DATA_CELLS/a.txt" "$FABRIEK_OUTPUT/"; pwd'
    spec = {"inputs": (data,), "output": OutputSpec(str(tmp_path / "out")), "unsandboxed": True}
    seen = machine.run("sh", "-c", script, **spec)
    assert (seen.state.phase, seen.state.exit_code) == (Phase.DONE, 0)
    assert seen.log.startswith("what was read")
    assert str(machine.scratch) in seen.log
    assert (tmp_path / "out" / "a.txt").read_text() == "what was read"


def test_its_exit_code_and_its_own_uid_are_what_they_are(machine: Machine) -> None:
    seen = machine.run("sh", "-c", "id -u; exit 3", unsandboxed=True)
    assert (seen.state.exit_code, seen.log) == (3, f"{os.getuid()}\n")


def test_its_time_limit_ends_it_and_all_that_it_started(machine: Machine) -> None:
    script = "setsid sleep 61.7311 & (trap '' TERM; sleep 61.7311) & sleep 61.7311"
    seen = machine.run("sh", "-c", script, unsandboxed=True, wall_seconds_max=1, grace_seconds=1)
    assert "time limit" in seen.state.reason
    assert processes_saying("61.7311") == []


def test_what_it_leaves_behind_ends_with_it(machine: Machine) -> None:
    seen = machine.run("sh", "-c", "setsid sleep 61.7312 & echo left", unsandboxed=True)
    assert seen.state.exit_code == 0
    assert processes_saying("61.7312") == []


def test_it_is_cancelled_with_a_word_first(machine: Machine) -> None:
    handle = machine.start(
        "sh", "-c", "trap 'echo stopping; exit 0' TERM; echo ready; while :; do sleep 0.05; done", unsandboxed=True
    )
    machine.said(handle, "ready")
    machine.executor.cancel(handle)
    seen = machine.ended(handle)
    assert seen.state.reason == "cancelled"
    assert "stopping" in seen.log


def test_a_memory_bomb_is_ended(machine: Machine) -> None:
    seen = machine.python(
        "kept = []\nwhile True: kept.append(bytearray(8 << 20))", memory_bytes=256 << 20, unsandboxed=True
    )
    assert seen.state.exit_code != 0
