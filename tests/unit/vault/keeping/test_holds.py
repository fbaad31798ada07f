from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from fabriek.kernel.errors import InvalidInput, WrongState
from fabriek.vault.keeping.holds import Hold, Retention, changed, check_reason, lift, refuse_removal

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
TODAY = NOW.date()
HOLD = Hold("hold_1", "ds_1", "a court asked", "per_1", NOW)


def test_a_hold_is_lifted_once_and_remembers_by_whom() -> None:
    lifted = lift(HOLD, "per_2", "the case is over", NOW)
    assert (lifted.lifted_by, lifted.lifted_because, lifted.lifted_at) == ("per_2", "the case is over", NOW)
    with pytest.raises(WrongState, match="lifted already"):
        lift(lifted, "per_2", "again", NOW)


def test_a_standing_hold_keeps_everything_and_a_lifted_one_nothing() -> None:
    with pytest.raises(WrongState, match="a court asked"):
        refuse_removal([HOLD], Retention(), TODAY)
    refuse_removal([replace(HOLD, lifted_at=NOW)], Retention(), TODAY)


def test_the_day_until_which_data_is_kept_counts() -> None:
    with pytest.raises(WrongState, match="kept until"):
        refuse_removal([], Retention(TODAY), TODAY)
    refuse_removal([], Retention(TODAY), date(2026, 11, 28))


def test_keeping_is_promised_for_longer_and_never_for_shorter() -> None:
    before = Retention(date(2027, 1, 1))
    assert changed(before, Retention(date(2028, 1, 1)), TODAY).keep_until == date(2028, 1, 1)
    for shorter in (Retention(date(2026, 12, 31)), Retention()):
        with pytest.raises(WrongState, match="promised"):
            changed(before, shorter, TODAY)
    assert changed(before, Retention(), date(2027, 1, 2)) == Retention()


@pytest.mark.parametrize("wanted", [Retention(None, date(2026, 11, 26)), Retention(date(2027, 2, 1), date(2027, 1, 1))])
def test_dates_that_cannot_both_hold_are_refused(wanted: Retention) -> None:
    with pytest.raises(InvalidInput):
        changed(Retention(), wanted, TODAY)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2_001])
def test_a_reason_says_something(reason: str) -> None:
    with pytest.raises(InvalidInput):
        check_reason(reason)
