from datetime import datetime, timedelta
from typing import Any

import pytest

from fabriek.compute.powering.messages import Late, Said, check, late
from fabriek.kernel.errors import InvalidInput
from tests.factories.compute import NOON

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def said(**changes: Any) -> Said:
    fields: dict[str, Any] = {
        "id": "m1",
        "announced_at": NOON,
        "begins_at": NOON + DAY,
        "ends_at": NOON + DAY + HOUR,
        "watts": 40_000,
    }
    return Said(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": ""}, "1 to 200"),
        ({"id": "a\nb"}, "printable"),
        ({"watts": -1}, "kW is no power"),
        ({"watts": 10**13}, "kW is no power"),
        ({"watts": None}, "how many kW"),
        ({"ends_at": NOON + DAY}, "ends before it begins"),
        ({"ends_at": NOON}, "ends before it begins"),
        ({"begins_at": NOON - DAY, "ends_at": NOON}, "wholly in the past"),
        ({"ends_at": NOON + 40 * DAY}, "31 days"),
        ({"begins_at": NOON + 400 * DAY, "ends_at": NOON + 401 * DAY}, "a year from now"),
        ({"replaces": "m1"}, "own place"),
        ({"withdraws": True}, "takes back"),
        ({"withdraws": True, "replaces": "m0"}, "takes back"),
    ],
)
def test_what_nobody_could_follow_is_refused_in_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        check(said(**changes), NOON)


def test_a_message_a_day_ahead_is_in_time_and_later_ones_say_how_late() -> None:
    check(said(), NOON)
    assert late(said(), NOON) is Late.NO
    assert late(said(), NOON + timedelta(seconds=1)) is Late.DAY
    assert late(said(), NOON + DAY) is Late.BEGUN


def test_the_hour_that_comes_twice_in_autumn_is_two_hours() -> None:
    first, second = datetime.fromisoformat("2026-10-25T02:30+02:00"), datetime.fromisoformat("2026-10-25T02:30+01:00")
    before = datetime.fromisoformat("2026-10-24T01:00+02:00")
    check(said(begins_at=first, ends_at=second), before)
    with pytest.raises(InvalidInput):
        check(said(begins_at=second, ends_at=first), before)


def test_the_same_in_another_zone_is_the_same_message() -> None:
    there = said(begins_at=datetime.fromisoformat((NOON + DAY).isoformat().replace("12:00:00+00:00", "13:00:00+01:00")))
    assert there.digest == said().digest
    assert said(watts=1).digest != said().digest
