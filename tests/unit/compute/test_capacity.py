from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from fabriek.compute.capacity import Room, Timeline
from tests.factories.compute import NOON

HOUR = timedelta(hours=1)

occupations = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(1, 5)), max_size=12)


def a_timeline(taken: list[tuple[int, int, int]], cpus: int = 8) -> Timeline:
    line = Timeline([(NOON, Room(cpus=cpus))])
    for count, start, hours in taken:
        line.occupy(Room(cpus=count), NOON + start * HOUR, NOON + (start + hours) * HOUR)
    return line


@given(occupations, st.integers(1, 8), st.integers(1, 6))
def test_what_fits_is_what_counting_hour_by_hour_says(taken: list[tuple[int, int, int]], need: int, hours: int) -> None:
    free = [8 - sum(count for count, start, length in taken if start <= at < start + length) for at in range(40)]
    fits = [start for start in range(30) if all(left >= need for left in free[start : start + hours])]
    line, room = a_timeline(taken), Room(cpus=need)
    assert line.earliest(room, hours * HOUR, NOON) == NOON + fits[0] * HOUR
    for start in range(20):
        lack = line.lack(room, NOON + start * HOUR, NOON + (start + hours) * HOUR)
        assert (lack is None) == (start in fits)


def test_what_never_fits_has_no_earliest_start() -> None:
    assert a_timeline([]).earliest(Room(cpus=9), HOUR, NOON) is None


def test_a_lack_says_when_and_what_was_free() -> None:
    lack = a_timeline([(6, 1, 2)]).lack(Room(cpus=4), NOON, NOON + 2 * HOUR)
    assert lack is not None
    assert (lack.at, lack.free) == (NOON + HOUR, Room(cpus=2))


def test_a_copy_goes_its_own_way() -> None:
    line = a_timeline([])
    line.copy().occupy(Room(cpus=8), NOON, NOON + HOUR)
    assert line.lack(Room(cpus=8), NOON, NOON + HOUR) is None
