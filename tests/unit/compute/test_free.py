"""What is free ahead, summed by hand."""

from datetime import timedelta

from fabriek.compute.capacity import Capacity
from fabriek.compute.free import AHEAD, free_ahead
from fabriek.compute.power import Contract
from tests.factories.compute import GIB, NOON, a_limit, a_running, a_snapshot, a_table

HOUR = timedelta(hours=1)


def test_what_stands_is_free_again_at_its_latest_end() -> None:
    running = (
        a_running("a", cpus=2, gpus=1, ends=NOON + 2 * HOUR),
        a_running("b", cpus=3, gpus=0.5, memory_bytes=4 * GIB, ends=NOON + 30 * HOUR),
    )
    found = {one.at - NOON: one for one in free_ahead(a_snapshot(cpus=8, gpus=4, running=running), NOON)}
    assert list(found) == list(AHEAD)
    assert [(found[at * HOUR].cpus, found[at * HOUR].gpus_milli) for at in (0, 1, 4, 24, 48)] == [
        (3, 2_500), (3, 2_500), (5, 3_500), (5, 3_500), (8, 4_000)
    ]  # fmt: skip
    assert (found[0 * HOUR].memory_bytes, found[48 * HOUR].memory_bytes) == (59 * GIB, 64 * GIB)
    assert all(one.watts is None for one in found.values())


def test_of_power_it_is_what_is_left_below_the_lowest_limit_and_never_below_nothing() -> None:
    shot = a_snapshot(
        capacity=Capacity(8, 0, 64 * GIB), table=a_table(idle=28, cpu=10), contract=Contract(100), running=(a_running(cpus=2),),
        limits=(a_limit(40, starts=NOON, hours=0.5), a_limit(20, starts=NOON + HOUR, hours=2)),
    )  # fmt: skip
    assert [one.watts for one in free_ahead(shot, NOON)[:3]] == [0, 0, 72]
