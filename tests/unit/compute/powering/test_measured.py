"""The shipped figures of draw equal what the traces say, where the traces are there."""

from datetime import date
from decimal import Decimal

import pytest
from benches import power as bench

from fabriek.compute.power import Planning, capped_draw, draw, expected_draw, planned, table_on, tables_of
from fabriek.compute.powering.work import works_of
from fabriek.funding.policy.policy import shipped_policy
from fabriek.kernel.units import MICRO
from tests.factories.compute import a_shape, shipped_tables

ON = date(2026, 6, 1)
DATA = bench.data_folder()
traces = pytest.mark.skipif(
    not (DATA / "traces" / bench.ACME).is_file(), reason="FABRIEK_DATA names no folder with traces"
)


@traces
@pytest.mark.parametrize("machine", ["workstation", "gpu_node", "a100_node"])
def test_mean_and_deviation_are_those_of_the_trace_as_parts_of_full_power(machine: str) -> None:
    table = table_on(machine, tables_of(shipped_tables()), ON)
    assert (table.gpu_watts_mean, table.gpu_watts_sd) == bench.mean_and_sd(DATA, int(table.watts_per_gpu))


@traces
def test_the_shipped_kinds_of_work_are_those_of_the_measurements() -> None:
    shipped = {one.name: (one.part_mean, one.part_highest) for one in works_of(shipped_tables())}
    assert shipped == bench.work_parts(DATA)


@traces
def test_each_kind_of_work_was_measured_on_every_gpu() -> None:
    trained = bench.zeus_trained(DATA)
    assert {(one.work, one.gpu) for one in trained} == {
        (work, gpu) for work in bench.ZEUS_WORK.values() for gpu in bench.ZEUS
    }
    assert all(0 < one.mean <= one.highest < 1 for one in trained)


@traces
def test_half_of_all_readings_lie_near_a_quarter_of_full_power() -> None:
    watts = bench.acme_watts(DATA)
    assert 0.2 < watts[len(watts) // 2] / bench.ACME_NAMEPLATE_WATTS < 0.3


@traces
def test_at_the_shipped_bound_training_takes_little_longer_and_keeps_to_it() -> None:
    ladder = shipped_policy().ladder_on(ON)
    assert ladder is not None
    near = [one for one in bench.zeus_caps(DATA) if 0.55 < one.part <= ladder.cap_part / MICRO]
    assert {one.gpu for one in near} == set(bench.ZEUS)
    assert max(one.times for one in near) < 1.15
    assert max(one.drawn_most for one in near) < 1.0


def test_measured_planning_lies_between_mean_and_nameplate_and_nearer_to_the_mean_the_larger_the_machine() -> None:
    table = table_on("a100_node", tables_of(shipped_tables()), ON)
    each = [planned(table, Planning.MEASURED, nodes).watts_per_gpu for nodes in (1, 8, 64, 252)]
    assert each == sorted(each, reverse=True)
    assert each[0] == table.watts_per_gpu
    assert each[-1] == 232
    assert planned(table, Planning.NAMEPLATE, 252) == table


def test_a_bound_is_a_part_of_the_most_that_a_gpu_draws_however_it_is_planned() -> None:
    table = table_on("a100_node", tables_of(shipped_tables()), ON)
    measured, shape = planned(table, Planning.MEASURED, 252), a_shape(gpus=1)
    assert measured.gpu_watts_full == Decimal(400)
    assert draw(shape, measured) - capped_draw(shape, measured, 600_000) == 0  # planned at 232 W, bounded at 240 W
    assert draw(shape, table) - capped_draw(shape, table, 600_000) == 192  # 160 W, at the meter
    assert expected_draw(shape, table) == expected_draw(shape, measured) < draw(shape, measured)
