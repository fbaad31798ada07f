"""Which job goes first, and that none starves."""

from datetime import timedelta

from fabriek.compute.admission import admit
from fabriek.compute.capacity import Capacity
from fabriek.compute.contenders import Waiting
from fabriek.compute.jobs import Priority
from fabriek.compute.order import Order, Stretch
from fabriek.compute.simulator.replay import Machine, Policy, replay
from tests.factories.compute import GIB, NOON, a_row, a_running, a_snapshot, a_table, a_waiting

HOUR = timedelta(hours=1)
STRETCH = Stretch()


def turns(*queued: Waiting, order: Order = STRETCH, **shot: object) -> list[str]:
    return [one.job for one in admit(a_snapshot(*queued, order=order, **shot), NOON + HOUR)]


def test_an_hour_is_much_for_a_short_job_and_little_for_a_long_one() -> None:
    long, short = a_waiting("long", seconds=36_000), a_waiting("short", seconds=600, at=NOON + HOUR / 2)
    assert turns(long, short) == ["short", "long"]


def test_of_two_as_long_the_smaller_goes_first_and_of_two_alike_the_one_that_came_first() -> None:
    assert turns(a_waiting("wide", cpus=4), a_waiting("narrow", cpus=1)) == ["narrow", "wide"]
    assert turns(a_waiting("later", at=NOON + HOUR / 2), a_waiting("first")) == ["first", "later"]


def test_urgent_comes_first_whatever_else_waits_and_eco_last() -> None:
    eco = a_waiting("eco", seconds=60, priority=Priority.ECO)
    urgent = a_waiting("urgent", seconds=360_000, at=NOON + HOUR, priority=Priority.URGENT)
    assert turns(eco, a_waiting("normal"), urgent) == ["urgent", "normal", "eco"]


def test_who_waited_too_long_goes_before_all_but_the_urgent() -> None:
    old = a_waiting("old", cpus=8, seconds=360_000, at=NOON - 36 * HOUR)
    urgent = a_waiting("urgent", seconds=360_000, at=NOON + HOUR, priority=Priority.URGENT)
    fresh = [a_waiting(f"fresh{number}", seconds=60) for number in range(3)]
    assert turns(*fresh, old, urgent)[:2] == ["urgent", "old"]


def test_what_is_too_long_grows_with_what_those_waited_that_stand() -> None:
    old, fresh = a_waiting("old", cpus=8, seconds=360_000, at=NOON - 36 * HOUR), a_waiting("fresh", seconds=60)
    crowded = (a_running(cpus=1, waited_seconds=100 * 3600),)
    assert turns(old, fresh, running=crowded) == ["fresh", "old"]
    assert turns(old, fresh, running=(a_running(cpus=1, waited_seconds=10 * 3600),)) == ["old", "fresh"]


def test_a_wide_job_does_not_starve_behind_an_endless_stream_of_narrow_ones() -> None:
    """Three days of jobs of five minutes on half of the machine, two of which stand at any moment."""
    narrow = [
        a_row(f"n{number:04}", cpus=4, after_seconds=150 * number, seconds=300, ran_seconds=299)
        for number in range(1_728)
    ]
    wide = a_row("wide", cpus=8, after_seconds=60, seconds=7200, ran_seconds=7200)
    machine = Machine(Capacity(8, 0, 64 * GIB), a_table())

    def waited(order: Order) -> float:
        [found] = [one for one in replay([*narrow, wide], machine, Policy({}, order)).placed if one.row.job == "wide"]
        return found.wait_seconds

    assert STRETCH.overdue_seconds <= waited(STRETCH) <= STRETCH.overdue_seconds + 600
    assert waited(Stretch(overdue_seconds=10**9)) > STRETCH.overdue_seconds + 600
