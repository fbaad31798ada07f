"""The grid operator's desk, on both databases: messages are confirmed, followed and answered once, and by a credential that can do nothing else."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fabriek.access.login.tokens import Wanted
from fabriek.adapters.database import Database
from fabriek.compute.powering.messages import Late, Message, Said, Standing
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import AlreadyExists, FabriekError, InvalidInput, NotFound, NotPermitted, WrongState
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def grid(town: Town) -> Caller:
    """A program of the grid operator: a service whose only role is that."""
    lead = town.person("weefsel")
    slug = town.project(lead)
    made = town.services.service_identities.create(slug, "grid", by=town.again(lead))
    town.services.joining.appointing.appoint(made.person.id, "grid_operator", by=town.operator)
    _, secret = town.services.service_identities.create_token(
        slug, "grid", Wanted("grid", days=30), by=town.again(lead)
    )
    return town.services.identity.caller_of(secret)


def said(town: Town, name: str = "m1", **changes: Any) -> Said:
    begins = town.clock.now() + 2 * DAY
    fields: dict[str, Any] = {
        "announced_at": town.clock.now(),
        "begins_at": begins,
        "ends_at": begins + 4 * HOUR,
        "watts": 40_000,
    }
    return Said(name, **(fields | changes))


def standing(town: Town) -> list[tuple[datetime, int]]:
    return [(one.starts_at, one.watts) for one in town.services.compute.power_outlook().limits]


def test_a_message_is_confirmed_and_holds_and_the_same_again_is_the_same_answer(town: Town) -> None:
    desk, by, what = town.services.grid_desk, grid(town), said(town)
    first = desk.take(what, by=by)
    assert (first.standing, first.late, first.answer) == (Standing.CONFIRMED, Late.NO, "will be followed")
    assert (first.confirmed_by, first.confirmed_at, first.sent_by) == ("system", town.clock.now(), by.person)
    assert standing(town) == [(what.begins_at, 40_000)]
    town.clock.move(HOUR)
    assert desk.take(what, by=by) == first
    assert len(standing(town)) == 1
    assert desk.latest(limit=5, by=town.operator) == [first]


def test_a_message_that_comes_many_times_at_once_is_one(town: Town) -> None:
    by, what = grid(town), said(town)
    answers = at_once(lambda _: town.services.grid_desk.take(what, by=by), times=6)
    assert len({one.confirmation for one in answers if isinstance(one, Message)}) == 1
    assert len(standing(town)) == 1


def test_other_content_by_the_same_id_is_a_conflict_and_what_stood_stands(town: Town) -> None:
    desk, by = town.services.grid_desk, grid(town)
    desk.take(said(town), by=by)
    with pytest.raises(AlreadyExists, match="other content"):
        desk.take(said(town, watts=1), by=by)
    assert [watts for _, watts in standing(town)] == [40_000]


def test_a_change_takes_the_place_of_an_earlier_message_and_a_withdrawal_takes_it_back(town: Town) -> None:
    desk, by = town.services.grid_desk, grid(town)
    desk.take(said(town), by=by)
    town.clock.move(HOUR)
    changed = desk.take(said(town, "m2", watts=30_000, replaces="m1"), by=by)
    assert [watts for _, watts in standing(town)] == [30_000]
    assert [(one.said.id, one.standing, one.followed_by) for one in desk.latest(limit=5, by=town.operator)] == [
        ("m2", Standing.CONFIRMED, ""), ("m1", Standing.REPLACED, "m2"),
    ]  # fmt: skip
    with pytest.raises(WrongState, match="m2"):
        desk.take(said(town, "m3", replaces="m1"), by=by)
    gone = Said("m4", town.clock.now(), replaces="m2", withdraws=True)
    answer = desk.take(gone, by=by)
    assert (answer.answer, answer.limit, standing(town)) == ("taken back", "", [])
    assert desk.take(gone, by=by) == answer
    assert changed.limit
    with pytest.raises(NotFound, match="m9"):
        desk.take(Said("m5", town.clock.now(), replaces="m9", withdraws=True), by=by)


def test_late_messages_are_followed_and_say_so(town: Town) -> None:
    desk, by, now = town.services.grid_desk, grid(town), town.clock.now()
    assert desk.take(said(town, "soon", begins_at=now + HOUR, ends_at=now + 2 * HOUR), by=by).late is Late.DAY
    assert desk.take(said(town, "begun", begins_at=now - HOUR, ends_at=now + HOUR), by=by).late is Late.BEGUN
    assert len(standing(town)) == 2


def test_what_lies_in_the_past_is_refused_each_time_and_on_record(town: Town) -> None:
    desk, by, now = town.services.grid_desk, grid(town), town.clock.now()
    past = said(town, begins_at=now - 2 * HOUR, ends_at=now - HOUR)
    for _ in range(2):
        with pytest.raises(InvalidInput, match="wholly in the past"):
            desk.take(past, by=by)
    kept = desk.latest(limit=5, by=town.operator)
    assert [(one.standing, one.limit) for one in kept] == [(Standing.REFUSED, "")]
    assert standing(town) == []
    # A clock that is set back an hour makes no new message of it.
    town.clock.move(-2 * HOUR)
    with pytest.raises(InvalidInput):
        desk.take(past, by=by)


def test_of_overlapping_limits_the_lowest_holds(town: Town) -> None:
    desk, by, now = town.services.grid_desk, grid(town), town.clock.now()
    for name, watts in (("a", 500), ("b", 300), ("c", 400)):
        desk.take(said(town, name, begins_at=now - HOUR, ends_at=now + HOUR, watts=watts), by=by)
    assert town.services.compute.power_outlook().allowed_watts == 300


def test_the_credential_says_what_may_be_drawn_and_nothing_else(town: Town) -> None:
    by, services = grid(town), town.services
    now = town.clock.now()
    for refused in (
        lambda: services.grid_desk.latest(limit=5, by=by),
        lambda: services.compute.limit_power(starts_at=now, ends_at=now + HOUR, watts=1, source="x", by=by),
        lambda: services.power_record.record(now - HOUR, now, by=by),
    ):
        with pytest.raises(NotPermitted):
            refused()
    stranger = town.person("hospital")
    with pytest.raises(NotPermitted):
        services.grid_desk.take(said(town), by=stranger)
    own = town.services.tokens.create(Wanted("grid only", days=30, scopes=frozenset({"grid"})), by=town.operator)[1]
    narrowed = services.identity.caller_of(own)
    assert services.grid_desk.take(said(town), by=narrowed).standing is Standing.CONFIRMED
    with pytest.raises(FabriekError):
        services.grid_desk.latest(limit=5, by=narrowed)
