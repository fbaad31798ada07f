"""Terms of a review of access are dated data, and say when somebody is reminded."""

from datetime import date, timedelta

import pytest

from fabriek.access.joining.reviews import Review, reminder_due, terms_of, terms_on
from fabriek.kernel.errors import InvalidInput

OPENED = date(2027, 1, 1)
ROW = '[[review]]\ndays = {days}\nremind_before = {before}\nsource = "ours"\nvalid_from = 2025-01-01\n'


def test_half_time_and_a_day_before_the_end_are_in_the_data() -> None:
    terms = terms_on(OPENED)
    review = Review("rvw_1", "prj_1", "2027-Q1", OPENED, OPENED + timedelta(days=terms.days))
    due = [reminder_due(review, terms.remind_before, OPENED + timedelta(days=day)) for day in range(terms.days + 2)]
    assert due == [None] * 7 + [7] * 6 + [1, 1, None]


@pytest.mark.parametrize(("days", "before"), [(0, "[]"), (14, "[14]"), (14, "[-1]"), (14, "[3, 3]"), (14, '["x"]')])
def test_terms_that_remind_outside_of_their_days_are_refused_with_the_row(days: int, before: str) -> None:
    with pytest.raises(InvalidInput, match=r"\[\[review\]\] number 1"):
        terms_of(ROW.format(days=days, before=before))
