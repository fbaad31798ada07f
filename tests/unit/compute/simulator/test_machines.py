"""Machines and limits from files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fabriek.compute.capacity import Capacity
from fabriek.compute.power import Contract, Limit
from fabriek.compute.simulator.machines import limits_from, machine_from, machine_of_procs
from fabriek.compute.simulator.recorded import BEGIN
from fabriek.kernel.errors import InvalidInput, NotFound


def test_a_machine_of_nodes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "machine.toml"
    file.write_text('nodes = 252\ncpus = 64\ngpus = 4\nmemory_gib = 512\ncontract_kw = 1500\ntable = "gpu_node"\n')
    made = machine_from(file)
    assert made.capacity == Capacity(252 * 64, 1_008, 252 * 512 * 2**30, 252)
    assert made.contract == Contract(1_500_000)


@pytest.mark.parametrize("text", [
    "cpus = 4", "memory_gib = 4", "cpus = 0\nmemory_gib = 4", "cpus = 1.5\nmemory_gib = 4", "cpus = 4\nmemory_gib = 4\ncolour = 1",
    "cpus = 4\nmemory_gib = 4\ngpus = -1", 'cpus = 4\nmemory_gib = 4\ntable = "none"', "cpus =", "cpus = true\nmemory_gib = 4",
])  # fmt: skip
def test_a_machine_that_cannot_be_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "machine.toml"
    file.write_text(text)
    with pytest.raises(InvalidInput):
        machine_from(file)


def test_what_is_not_there_is_said() -> None:
    for act in (machine_from, limits_from):
        with pytest.raises(NotFound):
            act(Path("none"))
    with pytest.raises(InvalidInput, match="one processor"):
        machine_of_procs(0)


def test_limits_are_instants_or_seconds_of_the_trace(tmp_path: Path) -> None:
    file = tmp_path / "limits.csv"
    file.write_text("from,to,kw\n0,3600,400\n2026-01-05T17:00Z,2026-01-05T20:00:00+01:00,0.5\n")
    evening = datetime(2026, 1, 5, 17, tzinfo=UTC)
    assert limits_from(file) == [
        Limit(BEGIN, BEGIN + timedelta(hours=1), 400_000), Limit(evening, evening + timedelta(hours=2), 500)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["a,b\n1,2\n", "from,to,kw\n5,1,4\n", "from,to,kw\n1,2,-4\n", "from,to,kw\nx,2,4\n", "from,to,kw\n1,2\n", ""],
)
def test_limits_that_cannot_be_name_their_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "limits.csv"
    file.write_text(text)
    with pytest.raises(InvalidInput) as refused:
        limits_from(file)
    assert "limits.csv" in refused.value.detail
