"""The figures of a replay, counted by hand."""

from datetime import timedelta

import pytest

from fabriek.compute.capacity import Capacity
from fabriek.compute.simulator.figures import figures_of
from fabriek.compute.simulator.replay import Machine, Policy, replay
from tests.factories.compute import GIB, a_row, a_table

MACHINE = Machine(Capacity(8, 0, 64 * GIB), a_table(idle=0, cpu=1000))


def test_waits_slowdowns_and_use() -> None:
    rows = [
        a_row("a", share="eu", cpus=8, ran_seconds=100),
        a_row("b", share="nl", cpus=8, ran_seconds=300),
        a_row("c", share="nl", cpus=4, ran_seconds=1),
    ]
    found = figures_of("mine", replay(rows, MACHINE, Policy({})), MACHINE, {"eu": 500_000, "nl": 500_000})
    assert (found.jobs, found.unstarted, found.policy) == (3, 0, "mine")
    assert (found.mean_wait_seconds, found.median_wait_seconds, found.wait_seconds_max) == (500 / 3, 100, 400)
    # A job of a second counts as ten: (400 + 1) / 10.
    assert found.mean_bounded_slowdown == pytest.approx((1 + 400 / 300 + 40.1) / 3)
    assert found.utilisation == pytest.approx((8 * 400 + 4) / (8 * 401))
    assert found.kwh == pytest.approx((8 * 400 + 4) / 3600)
    assert found.used_by_share["eu"] == pytest.approx(800 / 3204)
    assert found.share_gap == pytest.approx(0.5 - 800 / 3204)
    assert found.makespan_seconds == timedelta(seconds=401).total_seconds()


def test_of_nothing_there_is_nothing() -> None:
    found = figures_of("mine", replay([], MACHINE, Policy({})), MACHINE, {})
    assert (found.jobs, found.mean_bounded_slowdown, found.wait_seconds_p95, found.share_gap) == (0, 0, 0, 0)
