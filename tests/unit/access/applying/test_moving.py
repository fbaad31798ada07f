"""More than a call gives is led on to the call that takes it, with the answers; at the limit itself nothing moves."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.access.applying.call_files import call
from fabriek.access.applying.calls import Call
from fabriek.access.applying.moving import better_call
from fabriek.access.organisations import OrganisationKind

TODAY = date(2026, 11, 28)
PLAYGROUND = call("playground")
FAST_LANE, LARGE = call("fast-lane"), call("large-scale")


@pytest.mark.parametrize(
    ("asked", "hours", "kind", "to"),
    [
        (PLAYGROUND, 5000, "startup", ""), (PLAYGROUND, 5001, "startup", "fast-lane"), (PLAYGROUND, 5000.5, "startup", "fast-lane"),
        (FAST_LANE, 50_000, "company", ""), (FAST_LANE, 50_001, "company", "large-scale"), (PLAYGROUND, 50_001, "company", "large-scale"),
        (PLAYGROUND, 5001, "university", "science"), (FAST_LANE, 60_000, "public", "science"), (LARGE, 10**6, "company", ""),
    ],
)  # fmt: skip
def test_the_call_that_takes_the_amount_is_named_with_why(asked: Call, hours: float, kind: str, to: str) -> None:
    found = better_call(asked, {"gpu_hours": hours, "purpose": "civilian"}, TODAY, OrganisationKind(kind))
    assert (found.call if found else "") == to
    if found:
        assert f"{hours:,} GPU-hours are more than the {asked.gpu_hours_max:,} of {asked.name}" in found.reason
        assert found.carries["purpose"] == "civilian"


@pytest.mark.parametrize("hours", [None, "60000", True, float("nan"), float("inf"), -1, 0, [60_000]])
def test_what_is_no_amount_moves_nothing(hours: object) -> None:
    assert better_call(PLAYGROUND, {"gpu_hours": hours}, TODAY) is None


@given(st.integers(min_value=1, max_value=10**9))
def test_no_amount_is_led_in_a_circle(hours: int) -> None:
    steps, asked = [PLAYGROUND.name], PLAYGROUND
    while (found := better_call(asked, {"gpu_hours": hours}, TODAY)) is not None:
        assert found.call not in steps
        steps.append(found.call)
        asked = {"fast-lane": FAST_LANE, "large-scale": LARGE}[found.call]
    assert hours <= asked.gpu_hours_max or asked is LARGE
