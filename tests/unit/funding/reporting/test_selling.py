"""What was sold of the machine, against what it gives until each end."""

from datetime import date, timedelta

from fabriek.funding.reporting.selling import sold_of
from fabriek.funding.resources import Resource

TODAY = date(2026, 11, 24)


def test_each_end_has_all_that_ends_before_it() -> None:
    first, second = TODAY + timedelta(days=9), TODAY + timedelta(days=19)
    found = sold_of(Resource.GPU_HOUR, [(second, 40), (first, 60), (first, 60)], lambda _: 10, TODAY)
    assert [(one.on, one.sold, one.there, one.percent, one.is_over) for one in found.dues] == [
        (first, 120, 100, 120, True),
        (second, 160, 200, 80, False),
    ]
    assert found.tightest == found.dues[0]


def test_a_machine_of_which_nothing_is_said_is_not_full_but_unknown() -> None:
    found = sold_of(Resource.TIB_HOUR, [(TODAY, 5)], lambda _: 0, TODAY)
    assert (found.is_known, found.tightest, found.dues[0].percent) == (False, None, None)
    assert sold_of(Resource.TIB_HOUR, [], lambda _: 0, TODAY).dues == []


def test_supply_that_grows_counts_from_its_day() -> None:
    found = sold_of(Resource.GPU_HOUR, [(TODAY + timedelta(days=3), 5)], lambda day: 10 if day > TODAY else 0, TODAY)
    assert found.dues[0].there == 30
