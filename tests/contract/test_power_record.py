"""The record of each quarter of an hour, on both databases: counted once, caught up with after a stop, set right by a meter, told once when above."""

from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.compute.power import Contract
from fabriek.compute.powering.quarters import From, Quarter
from fabriek.compute.powering.readings import Reading
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotPermitted
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
IDLE = 28


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    made = a_town(database, tmp_path / "home", contract=Contract(100))
    now = made.clock.now()
    made.clock.move(now.replace(minute=0, second=0, microsecond=0) + HOUR - now)
    return made


def looks(town: Town, minutes: int) -> list[Quarter]:
    """A look each minute; those that were above."""
    record, over = town.services.power_record, list[Quarter]()
    for _ in range(minutes):
        over += record.look()
        town.clock.move(MINUTE)
    return over + list(record.look())


def recorded(town: Town, hours: int = 6) -> list[Quarter]:
    now = town.clock.now()
    return list(town.services.power_record.record(now - hours * HOUR, now + HOUR, by=town.operator))


def says(town: Town, watts: int | None, back: timedelta = timedelta(0), counter: int | None = None) -> None:
    now = town.clock.now()
    town.services.power_record.take(Reading("main", now - back, watts, counter, now), by=town.operator)


def test_each_quarter_has_what_was_planned_allowed_and_by_estimate_drawn(town: Town) -> None:
    looks(town, 31)
    found = recorded(town)
    assert [(one.planned_watts, one.drawn_watts, one.drawn_from, one.allowed_watts, one.closed) for one in found[:2]] == [
        (IDLE, IDLE, From.ESTIMATE, 100, True)
    ] * 2  # fmt: skip
    assert (len(found), found[2].closed, found[2].known_seconds) == (3, False, 60)


def test_workers_that_look_at_once_count_once(town: Town) -> None:
    town.services.power_record.look()
    town.clock.move(MINUTE)
    at_once(lambda _: town.services.power_record.look(), times=5)
    assert recorded(town)[0].known_seconds == 60


def test_after_a_stop_the_quarters_between_are_there_and_unknown_but_for_what_a_meter_and_the_limits_say(
    town: Town,
) -> None:
    looks(town, 16)
    now = town.clock.now()
    town.services.compute.limit_power(
        starts_at=now + 44 * MINUTE, ends_at=now + 45 * MINUTE, watts=40, source="test", by=town.operator
    )  # fmt: skip
    town.clock.move(HOUR)
    says(town, None, 50 * MINUTE, 10_000)
    says(town, None, 28 * MINUTE, 10_011)
    looks(town, 1)
    found = recorded(town)
    assert [one.drawn_from for one in found[:5]] == [
        From.ESTIMATE,
        From.UNKNOWN,
        From.METER,
        From.UNKNOWN,
        From.UNKNOWN,
    ]
    assert [one.planned_watts for one in found[:5]] == [IDLE, None, None, None, None]
    assert found[2].drawn_watts == 30
    assert [one.allowed_watts for one in found[:5]] == [100, 100, 100, 100, 40]
    assert [one.at for one in found] == [found[0].at + number * 15 * MINUTE for number in range(len(found))]


def test_a_quarter_above_what_was_allowed_is_told_once(town: Town) -> None:
    record = town.services.power_record
    record.look()
    says(town, 150)
    town.clock.move(15 * MINUTE)
    over = record.look()
    assert [(one.drawn_watts, one.allowed_watts, one.warned) for one in over] == [(150, 100, True)]
    town.clock.move(MINUTE)
    assert record.look() == []
    says(town, 151, 2 * MINUTE)
    events = [one for one in town.services.audit.events(by=town.operator).items if one.action == "power.exceeded"]
    assert len(events) == 1


def test_what_a_meter_says_late_sets_a_closed_quarter_right(town: Town) -> None:
    looks(town, 16)
    says(town, 60, 10 * MINUTE)
    assert [(one.drawn_watts, one.drawn_from) for one in recorded(town)[:1]] == [(60, From.METER)]
    with pytest.raises(AlreadyExists):
        says(town, 61, 10 * MINUTE)
    says(town, 60, 10 * MINUTE)


def test_a_clock_that_was_set_back_an_hour_takes_nothing_away(town: Town) -> None:
    looks(town, 31)
    before = recorded(town)
    town.clock.move(-HOUR)
    looks(town, 5)
    town.clock.move(55 * MINUTE)
    assert recorded(town) == before


def test_a_record_is_asked_for_within_measure_and_by_who_may(town: Town) -> None:
    now, record = town.clock.now(), town.services.power_record
    for begin, end in ((now, now), (now - timedelta(days=101), now)):
        with pytest.raises(InvalidInput):
            record.record(begin, end, by=town.operator)
    with pytest.raises(NotPermitted):
        record.take(Reading("main", now, 1, None, now), by=town.person("weefsel"))
