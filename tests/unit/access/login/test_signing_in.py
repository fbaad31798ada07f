"""What a provider's answer counts for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fabriek.access.login.credentials import CONFIRMED_FOR
from fabriek.access.login.signing_in import was_shown_lately

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


def seconds(before: timedelta) -> int:
    return int((NOW - before).timestamp())


@pytest.mark.parametrize(
    ("claims", "lately"),
    [
        ({"auth_time": seconds(timedelta())}, True),
        ({"auth_time": seconds(CONFIRMED_FOR - timedelta(seconds=1))}, True),
        ({"auth_time": seconds(CONFIRMED_FOR)}, False),
        ({"auth_time": seconds(timedelta(days=1))}, False),
        ({}, False),
        ({"auth_time": None}, False),
        ({"auth_time": True}, False),
        ({"auth_time": str(seconds(timedelta()))}, False),
    ],
)
def test_a_provider_that_let_somebody_through_without_a_question_opens_no_high_act(
    claims: dict[str, Any],
    lately: bool,  # noqa: FBT001  # of the table above
) -> None:
    assert was_shown_lately(claims, NOW) is lately
