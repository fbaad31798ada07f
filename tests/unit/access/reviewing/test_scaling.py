"""Scaling out of measured times, and every kind of evidence that proves nothing."""

import pytest

from fabriek.access.reviewing.scaling import read_measured, scaling_of
from fabriek.kernel.errors import InvalidInput


def runs(*pairs: tuple[object, object], on: str = "large") -> list[dict[str, object]]:
    return [{"nodes": nodes, "seconds": seconds, "input": on} for nodes, seconds in pairs]


def test_speed_up_and_efficiency_are_against_the_smallest_count() -> None:
    made = scaling_of(read_measured(runs((8, 200), (2, 600), (4, 330))), counts=3, limit_percent=80)
    assert [(one.nodes, one.speed_up, one.efficiency, one.efficient) for one in made.lines] == [
        (2, 1.0, 1.0, True),
        (4, 1.818, 0.909, True),
        (8, 3.0, 0.75, False),
    ]
    assert made.largest_efficient == 4


def test_exactly_at_the_limit_is_efficient_enough() -> None:
    assert (
        scaling_of(read_measured(runs((1, 600), (2, 400), (4, 250))), counts=3, limit_percent=60).largest_efficient == 4
    )


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (runs((1, 100), (2, 60)), "it takes 3"),
        (runs((1, 100), (2, 60), (4, 70)), "no less time"),
        (runs((1, 100), (2, 60), (4, 60)), "no less time"),
        (runs((1, 100), (2, 0), (4, 30)), "above 0"),
        (runs((1, 100), (2, -5), (4, 30)), "above 0"),
        (runs((1, 100), (2, float("nan")), (4, 30)), "above 0"),
        (runs((1, 100), (2, float("inf")), (4, 30)), "above 0"),
        (runs((0, 100), (2, 50), (4, 30)), "whole number"),
        (runs((True, 100), (2, 50), (4, 30)), "whole number"),
        (runs((1, 100), (1, 90), (2, 60), (4, 30)), "twice"),
        (runs((1, 100), (2, 60)) + runs((4, 30), on="small"), "different inputs"),
        (runs((1, 100), (2, 60), (4, 30), on=" "), "on which input"),
        ("1=100", "a list"),
        ([1, 2, 3], "no table"),
    ],
)
def test_evidence_that_proves_nothing_is_refused(raw: object, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        scaling_of(read_measured(raw), counts=3, limit_percent=60)
    assert says in refused.value.detail
