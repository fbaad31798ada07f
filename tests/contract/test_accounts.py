"""Built-in accounts, on both databases: password with code, recovery codes, guesses that slow the next one down."""

from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import MetaData, select

from fabriek.access.login.factors import recovery_codes
from fabriek.access.login.passwords import Hashing
from fabriek.access.login.throttle import ACCOUNT_FREE, NETWORK_FREE
from fabriek.adapters.database import Database
from fabriek.bootstrap.accounts import AppKeys
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import FabriekError, InvalidInput, NotAuthenticated, NotPermitted, RateLimited, WrongState
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once

PASSWORD = "canary veldmuis trombone lantaarn"
LONG_AGO = timedelta(seconds=120)


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    made = a_town(database, tmp_path / "home")
    made.services.accounts._hashing = Hashing(passes=1, memory_kib=1024)  # what it costs is measured elsewhere
    return made


def enrolled(town: Town, person: Caller) -> tuple[str, list[str]]:
    """(the app's secret, recovery codes) of somebody with a password and app."""
    accounts = town.services.accounts
    accounts.begin(PASSWORD, by=person)
    secret = accounts.beginning(by=person).secret
    codes = accounts.finish(code(town, secret), by=person)
    town.clock.move(LONG_AGO)
    return secret, list(codes)


def code(town: Town, secret: str, *, off_seconds: int = 0) -> str:
    return pyotp.TOTP(secret).at(town.clock.now() + timedelta(seconds=off_seconds))


def email_of(town: Town, person: Caller) -> str:
    return town.services.access.person(person.person).email


def come(town: Town, email: str, password: str, shown: str, address: str = "203.0.113.7") -> str:
    return town.services.accounts.sign_in(email, password, shown, address=address, session=True)[1]


def test_password_and_code_open_a_strong_session(town: Town) -> None:
    person = town.person("weefsel")
    secret, _ = enrolled(town, person)
    cookie = come(town, email_of(town, person).upper(), PASSWORD, code(town, secret))
    caller = town.services.identity.caller_of_session(cookie)
    assert caller.person == person.person
    assert not caller.unconfirmed
    assert town.again(person).unconfirmed, "a token that no factor was shown through"


def test_a_code_counts_once_and_one_step_off(town: Town) -> None:
    person = town.person("weefsel")
    secret, _ = enrolled(town, person)
    email, now = email_of(town, person), code(town, secret)
    for off in (-61, 61):
        with pytest.raises(NotAuthenticated):
            come(town, email, PASSWORD, code(town, secret, off_seconds=off))
    come(town, email, PASSWORD, code(town, secret, off_seconds=-30))
    come(town, email, PASSWORD, f"{now[:3]} {now[3:]}")
    for old in (now, code(town, secret, off_seconds=-30)):
        with pytest.raises(NotAuthenticated):
            come(town, email, PASSWORD, old)


def test_of_eight_with_one_code_at_once_exactly_one_gets_in(town: Town) -> None:
    person = town.person("weefsel")
    secret, recovery = enrolled(town, person)
    for recovering in (True, False):
        shown = recovery[0] if recovering else code(town, secret)
        outcomes = at_once(
            lambda number, shown=shown: come(town, email_of(town, person), PASSWORD, shown, f"203.0.113.{number}"),
            times=8,
        )
        assert sum(isinstance(one, str) for one in outcomes) == 1, outcomes
        assert all(isinstance(one, str | NotAuthenticated | RateLimited) for one in outcomes), outcomes
        town.clock.move(timedelta(days=2))
    assert town.services.accounts.held(by=person).codes_left == 9


def test_whatever_is_wrong_reads_the_same(town: Town) -> None:
    person = town.person("weefsel")
    secret, recovery = enrolled(town, person)
    email, said = email_of(town, person), set()
    for given in (
        ("nobody@nowhere.example", PASSWORD, code(town, secret)), (email, "another good passphrase", code(town, secret)),
        (email, PASSWORD, "000000"), (email, PASSWORD, recovery[0][:-1]), ("", "", ""), (email, "x" * 100_000, "\u0661" * 6),
        (email_of(town, town.operator), PASSWORD, code(town, secret)),
    ):  # fmt: skip
        with pytest.raises(NotAuthenticated) as wrong:
            come(town, *given, address="")
        said.add((wrong.value.detail, wrong.value.fix, str(wrong.value.fields)))
        town.clock.move(timedelta(hours=1))
    assert len(said) == 1


def test_who_is_not_here_costs_the_same_work(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    person, hashing = town.person("weefsel"), town.services.accounts._hashing
    enrolled(town, person)
    counted: list[str] = []
    real_hash, real_open = hashing.is_of, town.services.accounts._keys.unwrap
    monkeypatch.setattr(hashing, "is_of", lambda *given: (counted.append("hash"), real_hash(*given))[1])
    monkeypatch.setattr(
        town.services.accounts._keys, "unwrap", lambda *given: (counted.append("key"), real_open(*given))[1]
    )
    work = []
    with pytest.raises(NotAuthenticated):
        come(town, "first@nowhere.example", "x", "1")  # makes nobody's key
    for email in ("second@nowhere.example", email_of(town, person)):
        counted.clear()
        with pytest.raises(NotAuthenticated):
            come(town, email, "wrong", "123456")
        work.append(list(counted))
    assert work[0] == work[1] == ["key", "hash"]


@pytest.mark.parametrize("known", [True, False])
def test_a_hundred_guesses_at_one_account_from_a_hundred_addresses_are_slowed(town: Town, *, known: bool) -> None:
    person = town.person("weefsel")
    secret, _ = enrolled(town, person)
    email, looked_at, waits = email_of(town, person) if known else "nobody@nowhere.example", 0, []
    for number in range(100):
        try:
            come(town, email, f"wrong {number}", "123456", f"2001:db8:{number:x}::1")
        except NotAuthenticated:
            looked_at += 1
        except RateLimited as slowed:
            waits.append(slowed.fields["retry_after_seconds"])
    assert (looked_at, len(waits)) == (ACCOUNT_FREE + 1, 94)
    with pytest.raises(RateLimited):
        come(town, email_of(town, person) if known else email, PASSWORD, code(town, secret), "198.51.100.1")
    link = town.services.identity.issue_link(person.person, by=town.operator)
    assert town.services.identity.redeem(link, session=True)[0].id == person.person
    town.clock.move(timedelta(minutes=15))
    if known:
        come(town, email, PASSWORD, code(town, secret))


def test_a_hundred_accounts_from_one_network_are_slowed_and_other_networks_are_not(town: Town) -> None:
    person = town.person("weefsel")
    secret, _ = enrolled(town, person)
    outcomes: list[type[FabriekError]] = []
    for number in range(100):
        with pytest.raises((NotAuthenticated, RateLimited)) as wrong:
            come(town, f"person{number}@nowhere.example", "wrong", "123456", f"2001:db8:1:2::{number:x}")
        outcomes.append(type(wrong.value))
    assert outcomes.count(NotAuthenticated) == NETWORK_FREE + 1
    come(town, email_of(town, person), PASSWORD, code(town, secret), "2001:db8:1:3::1")


def test_waits_double_and_end_at_a_quarter_of_an_hour(town: Town) -> None:
    waits = []
    for _ in range(18):
        try:
            come(town, "a@nowhere.example", "wrong", "1", "")
        except NotAuthenticated:
            continue
        except RateLimited as slowed:
            seconds = slowed.fields["retry_after_seconds"]
            assert isinstance(seconds, int)
            waits.append(seconds)
            town.clock.move(timedelta(seconds=seconds))
    assert waits == [3, 5, 9, 17, 33, 65]
    town.clock.move(timedelta(hours=25))
    town.services.throttle.forget_old()
    with pytest.raises(NotAuthenticated):
        come(town, "a@nowhere.example", "wrong", "1", "")


def test_factors_change_only_for_who_showed_one_lately(town: Town) -> None:
    person, accounts = town.person("weefsel"), town.services.accounts
    assert not town.again(person).unconfirmed
    secret, _ = enrolled(town, person)
    stolen = town.again(person)
    for act in (
        lambda: accounts.begin("another fine passphrase", by=stolen), lambda: accounts.remove_password(by=stolen, last_too=True),
        lambda: accounts.renew_codes(by=stolen),
    ):  # fmt: skip
        with pytest.raises(NotPermitted) as refused:
            act()
        assert refused.value.fields["rule"] == "login.confirm"
    _, token = accounts.sign_in(email_of(town, person), PASSWORD, code(town, secret), address="", session=False)
    fresh = town.services.identity.caller_of(token)
    with pytest.raises(WrongState, match="last way in"):
        accounts.remove_password(by=fresh)
    accounts.remove_password(by=fresh, last_too=True)
    assert not town.services.access.person(person.person).confirms
    with pytest.raises(NotAuthenticated):
        come(town, email_of(town, person), PASSWORD, code(town, secret, off_seconds=30))


def test_a_code_confirms_the_credential_in_use_and_wrong_ones_are_slowed(town: Town) -> None:
    person, accounts = town.person("weefsel"), town.services.accounts
    secret, recovery = enrolled(town, person)
    token = town.services.identity.issue_token(person.person, by=person)
    caller = town.services.identity.caller_of(token)
    assert caller.unconfirmed
    for _ in range(ACCOUNT_FREE + 1):
        with pytest.raises(NotPermitted):
            accounts.confirm("000000", by=caller)
    with pytest.raises(RateLimited):
        accounts.confirm(code(town, secret), by=caller)
    town.clock.move(LONG_AGO)
    accounts.confirm(code(town, secret), by=caller)
    assert not town.services.identity.caller_of(token).unconfirmed
    assert town.again(person).unconfirmed, "another credential of the same person"
    accounts.confirm(recovery[3], by=caller)
    with pytest.raises(NotPermitted):
        accounts.confirm(recovery[3], by=caller)


def test_what_waits_for_its_app_opens_nothing_and_runs_out(town: Town) -> None:
    person, accounts = town.person("weefsel"), town.services.accounts
    accounts.begin(PASSWORD, by=person)
    secret = accounts.beginning(by=person).secret
    with pytest.raises(NotAuthenticated):
        come(town, email_of(town, person), PASSWORD, code(town, secret))
    with pytest.raises(InvalidInput):
        accounts.finish("000000", by=person)
    town.clock.move(timedelta(minutes=15))
    with pytest.raises(FabriekError, match="no password waits"):
        accounts.finish(code(town, secret), by=person)


def test_nothing_that_is_kept_holds_a_secret_and_the_master_key_can_be_renewed(town: Town, database: Database) -> None:
    person = town.person("weefsel")
    secret, recovery = enrolled(town, person)
    with pytest.raises(NotAuthenticated):
        come(town, "canary@nowhere.example", "canary-wrong-password", "123456")
    tables = MetaData()
    tables.reflect(database.engine)
    kept = str(
        [database.rows(select(table)) for table in tables.sorted_tables if not table.name.startswith("knowledge_")]
    )
    for word in (PASSWORD, "canary-wrong-password", "canary@nowhere", secret, *recovery, recovery[0].replace("-", "")):
        assert word not in kept
    town.services.vault.rotating.rotate_master(by=town.operator)
    assert not AppKeys(database).not_under("memory/2")
    assert AppKeys(database).not_under("memory/1")
    come(town, email_of(town, person), PASSWORD, code(town, secret))


def test_who_lost_everything_begins_again_by_a_link(town: Town) -> None:
    person, accounts = town.person("weefsel"), town.services.accounts
    secret, _ = enrolled(town, person)
    cookie = come(town, email_of(town, person), PASSWORD, code(town, secret))
    for by in (
        person,
        town.person("weefsel", "security_officer"),
        town.caller(town.services.access.person(person.person)),
    ):
        with pytest.raises(NotPermitted):
            accounts.forget(person.person, by=by)
    officer = town.person("weefsel", "security_officer")
    for more, why in ((officer, "may do what you may not"), (town.operator, "their own factors")):
        with pytest.raises(NotPermitted, match=why):
            accounts.forget(more.person, by=town.operator)
    accounts.forget(person.person, by=town.operator)
    with pytest.raises(NotAuthenticated):
        town.services.identity.caller_of_session(cookie)
    town.clock.move(LONG_AGO)
    with pytest.raises(NotAuthenticated):
        come(town, email_of(town, person), PASSWORD, code(town, secret))
    link = town.services.identity.issue_link(person.person, by=town.operator)
    _, cookie = town.services.identity.redeem(link, session=True)
    enrolled(town, town.services.identity.caller_of_session(cookie))
    assert town.services.access.person(person.person).confirms


def test_an_administrator_with_a_factor_shows_it_before_forgetting_those_of_others(town: Town) -> None:
    person = town.person("weefsel")
    enrolled(town, town.operator)
    with pytest.raises(NotPermitted) as refused:
        town.services.accounts.forget(person.person, by=town.again(town.operator))
    assert refused.value.fields["rule"] == "login.confirm"


def test_nobody_lets_in_who_may_do_high_acts_that_they_may_not(town: Town) -> None:
    """A link for a security officer would make the administrator one."""
    identity, officer = town.services.identity, town.person("weefsel", "security_officer")
    with pytest.raises(NotPermitted) as refused:
        identity.issue_link(officer.person, by=town.operator)
    assert refused.value.fields["rule"] == "person.above"
    newcomer = town.services.access.invite("weefsel", "New", "new@weefsel.example", ["expert"], by=town.operator)
    assert identity.issue_link(newcomer.id, by=town.operator), "who never came needs a first link"


def test_an_administrator_with_a_factor_shows_it_before_letting_in_who_has_come(town: Town) -> None:
    person = town.person("weefsel")
    enrolled(town, town.operator)
    with pytest.raises(NotPermitted) as refused:
        town.services.identity.issue_link(person.person, by=town.again(town.operator))
    assert refused.value.fields["rule"] == "login.confirm"


def test_recovery_codes_are_ten_that_differ(town: Town) -> None:
    codes = recovery_codes(town.services.ids)
    assert len(set(codes)) == 10
    assert all(len(one) == 19 for one in codes)
