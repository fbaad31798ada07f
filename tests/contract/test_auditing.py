"""Auditors' links, on both databases: who makes them, how long they open, and how a look is counted and kept."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from fabriek.adapters.database import Database
from fabriek.funding.auditing.links import LOOKS_MAX, OPEN_MAX
from fabriek.funding.auditing.store import links, visits
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import (
    InvalidInput,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    QuotaExhausted,
    RateLimited,
    WrongState,
)
from tests.factories.giving import a_funder
from tests.factories.services import Town, a_town

DAY = timedelta(days=1)


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def made(town: Town, by: Caller | None = None, *, days: int = 3, quarter: str = "") -> tuple[str, str]:
    """Id and secret of a link that opens for so many days."""
    until = town.clock.today() + DAY * days
    link, secret = town.services.auditing.make(
        "Ada  Auditor", "Ada@Audit.example", until, quarter=quarter, by=by or town.operator
    )
    return link.id, secret


def test_it_opens_until_the_end_of_its_day_and_each_look_is_in_the_log(town: Town, database: Database) -> None:
    auditing = town.services.auditing
    link, secret = made(town)
    cookie = auditing.enter(secret)
    found, by = auditing.look(cookie, "ledger")
    assert (found.id, found.name, found.email) == (link, "Ada Auditor", "ada@audit.example")
    assert by.rights == {"funding.view", "audit.read"}
    assert len(town.services.exporting.page("", "", 5, by=by)) == 5
    events = town.services.audit.events(by=town.operator, person=link).items
    assert [one.action for one in events] == ["auditor_link.looked", "auditor_link.entered"]
    kept = str(database.rows(select(links))) + str(database.rows(select(visits)))
    assert secret not in kept
    assert cookie not in kept
    town.clock.sleep(timedelta(hours=8).total_seconds())
    with pytest.raises(NotAuthenticated):
        auditing.look(cookie, "ledger")
    again = auditing.enter(secret)
    town.clock.sleep(timedelta(days=3, hours=6).total_seconds())
    for act in (lambda: auditing.enter(secret), lambda: auditing.look(again, "ledger")):
        with pytest.raises(NotAuthenticated):
            act()
    assert {one.id for one in auditing.list(by=town.operator)} == {link}


def test_ended_it_is_shut_in_every_browser(town: Town) -> None:
    auditing = town.services.auditing
    link, secret = made(town)
    cookies = [auditing.enter(secret) for _ in range(2)]
    auditing.end(link, by=town.operator)
    for cookie in cookies:
        with pytest.raises(NotAuthenticated):
            auditing.look(cookie, "ledger")
    with pytest.raises(NotAuthenticated):
        auditing.enter(secret)
    with pytest.raises(WrongState):
        auditing.end(link, by=town.operator)


def test_one_that_leaks_is_ended_and_a_cookie_that_leaks_with_its_visit(town: Town) -> None:
    auditing = town.services.auditing
    _, secret = made(town)
    cookie = auditing.enter(secret)
    assert auditing.revoke_leaked([cookie, "fbk_" + "x" * 43]) == 1
    with pytest.raises(NotAuthenticated):
        auditing.look(cookie, "ledger")
    kept = auditing.enter(secret)
    assert auditing.revoke_leaked([secret, secret]) == 1
    with pytest.raises(NotAuthenticated):
        auditing.look(kept, "ledger")


def test_only_who_gives_or_looks_after_all_makes_them_confirmed_and_with_a_whole_token(town: Town) -> None:
    mine, none = town.person("factory", "operator"), town.person("weefsel")
    other = a_funder(town, "region")
    link, _ = made(town, mine)
    until = town.clock.today()
    auditing = town.services.auditing
    for caller in (none, Caller(mine.person, mine.organisation, rights=mine.rights, narrowed=True)):
        with pytest.raises(NotPermitted):
            auditing.make("Ada", "ada@audit.example", until, by=caller)
    with pytest.raises(NotPermitted) as refused:
        auditing.make(
            "Ada",
            "ada@audit.example",
            until,
            by=Caller(mine.person, mine.organisation, rights=mine.rights, unconfirmed=True),
        )
    assert refused.value.fields["rule"] == "login.confirm"
    with pytest.raises(NotPermitted):
        auditing.list(by=none)
    assert auditing.list(by=other) == []
    with pytest.raises(NotFound):
        auditing.end(link, by=other)
    with pytest.raises(NotFound):
        auditing.end("aud_nobody", by=other)
    assert [one.id for one in auditing.list(by=town.operator)] == [link]
    assert auditing.end(link, by=mine).ended_at is not None


@pytest.mark.parametrize(
    ("name", "email", "days", "quarter"),
    [
        ("", "ada@audit.example", 1, ""),
        ("   ", "ada@audit.example", 1, ""),
        ("A" * 201, "ada@audit.example", 1, ""),
        ("Ada\x1b[2J", "ada@audit.example", 1, ""),
        ("Ada", "nobody", 1, ""),
        ("Ada", "ada@audit.example", -1, ""),
        ("Ada", "ada@audit.example", 367, ""),
        ("Ada", "ada@audit.example", 1, "2026Q9"),
    ],
)
def test_what_makes_no_link(town: Town, name: str, email: str, days: int, quarter: str) -> None:
    until = town.clock.today() + DAY * days
    with pytest.raises(InvalidInput):
        town.services.auditing.make(name, email, until, quarter=quarter, by=town.operator)
    assert town.services.auditing.list(by=town.operator) == []


def test_looks_and_links_have_an_end(town: Town) -> None:
    auditing = town.services.auditing
    _, secret = made(town)
    cookie = auditing.enter(secret)
    for _ in range(LOOKS_MAX):
        auditing.look(cookie, "ledger")
    with pytest.raises(RateLimited) as refused:
        auditing.look(cookie, "ledger")
    assert refused.value.fields["retry_after_seconds"] == 61
    town.clock.sleep(60)
    auditing.look(cookie, "ledger")
    for _ in range(OPEN_MAX - 1):
        made(town)
    with pytest.raises(QuotaExhausted):
        made(town)


@pytest.mark.parametrize("secret", ["", "x", "fbk_", "fbk_" + "y" * 43, "' or 1=1 --"])
def test_a_guess_opens_nothing(town: Town, secret: str) -> None:
    made(town)
    for act in (town.services.auditing.enter, lambda one: town.services.auditing.look(one, "ledger")):
        with pytest.raises(NotAuthenticated):
            act(secret)


def test_a_link_opens_nothing_once_who_made_it_has_left(town: Town) -> None:
    auditing, maker = town.services.auditing, town.person("factory", "operator")
    _, secret = made(town, maker)
    cookie = auditing.enter(secret)
    town.services.joining.leavers.let_go(maker.person, "left")
    with pytest.raises(NotAuthenticated):
        auditing.look(cookie, "ledger")
    with pytest.raises(NotAuthenticated):
        auditing.enter(secret)


def test_a_funder_who_sees_one_share_shows_nobody_all_of_them(town: Town) -> None:
    with pytest.raises(NotPermitted) as refused:
        made(town, a_funder(town, "state"))
    assert refused.value.fields["rule"] == "funding.all"
