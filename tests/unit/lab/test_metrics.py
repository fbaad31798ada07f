"""A value's rank: its 64 bits as a whole number that sorts as the values do."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.metrics import INTEGER_MAX, Metric, check_metrics, newest_first, rank, value_of


@given(st.floats(width=64, allow_nan=False))
def test_a_value_comes_back_to_the_bit(value: float) -> None:
    assert struct.pack("<d", value_of(rank(value))) == struct.pack("<d", value)


@given(st.floats(width=64, allow_nan=False), st.floats(width=64, allow_nan=False))
def test_ranks_sort_as_values_do(one: float, other: float) -> None:
    assert (one < other) <= (rank(one) < rank(other))


def test_nan_is_one_and_above_all_numbers() -> None:
    negative: float = struct.unpack("<d", struct.pack("<Q", 0xFFF8_0000_0000_0001))[0]
    assert rank(negative) == rank(math.nan) > rank(math.inf)
    assert math.isnan(value_of(rank(math.nan)))
    assert -(2**63) <= rank(-math.inf) < rank(math.nan) < 2**63


def test_the_newest_is_of_the_higher_step_then_the_later_clock() -> None:
    places = [Metric("a", 5.0, 90, 1).place, Metric("a", 1.0, 10, 2).place, Metric("a", 2.0, 20, 2).place]
    assert max(places, key=newest_first) == places[2]


@pytest.mark.parametrize(
    "point",
    [
        Metric("", 1.0, 1), Metric("a" * 251, 1.0, 1), Metric("../a", 1.0, 1), Metric("/a", 1.0, 1), Metric("a//b", 1.0, 1),
        Metric("a\x00", 1.0, 1), Metric("a;b", 1.0, 1), Metric("a", 1.0, -1), Metric("a", 1.0, INTEGER_MAX + 1),
        Metric("a", 1.0, 1, INTEGER_MAX + 1), Metric("a", 1.0, 1, -INTEGER_MAX - 2),
    ],
)  # fmt: skip
def test_a_point_that_cannot_be_kept_is_refused(point: Metric) -> None:
    with pytest.raises(InvalidInput):
        check_metrics([Metric("good", 1.0, 1), point])
