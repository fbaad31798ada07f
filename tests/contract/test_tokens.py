"""Personal tokens and what people have open, on both databases: narrowed, noted, revoked, ended, and never widened by themselves."""

from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.access.login.credentials import NOTED_EVERY, PREFIX, SESSION_FOR, hash_of
from fabriek.access.login.identity import Shown
from fabriek.access.login.logins import Method
from fabriek.access.login.store import SqlCredentials
from fabriek.access.login.tokens import DAYS_DEFAULT, OF_ONE_MAX, Wanted
from fabriek.access.login.uses import Uses
from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotAuthenticated, NotFound, NotPermitted, QuotaExhausted
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once

BY_PASSKEY = Shown(Method.PASSKEY, strong=True, acr="high")


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def narrowed(town: Town, person: Caller, *scopes: str, project: str = "") -> Caller:
    name = town.services.ids.new("x")
    _, secret = town.services.tokens.create(Wanted(name, scopes, project), by=person)
    return town.services.identity.caller_of(secret)


def session_of(town: Town, person: Caller, shown: Shown = BY_PASSKEY) -> tuple[str, Caller]:
    _, cookie = town.services.identity.sign_in(person.person, shown, session=True)
    return cookie, town.services.identity.caller_of_session(cookie)


def test_a_token_begins_so_that_scanners_find_it_is_kept_as_a_hash_and_ends_on_its_day(town: Town) -> None:
    services, person = town.services, town.person("weefsel")
    made, secret = services.tokens.create(Wanted("nightly"), by=person)
    assert secret.startswith(PREFIX)
    assert made.hash == hash_of(secret)
    assert made.expires_at == town.clock.now() + timedelta(days=DAYS_DEFAULT)
    assert services.identity.caller_of(secret).person == person.person
    town.clock.move(timedelta(days=DAYS_DEFAULT))
    with pytest.raises(NotAuthenticated):
        services.identity.caller_of(secret)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Wanted(""), "name"),
        (Wanted("-x"), "name"),
        (Wanted("a\nb"), "name"),
        (Wanted("x" * 65), "name"),
        (Wanted("x", ["write"]), "not a scope"),
        (Wanted("x", days=366), "1 to 365"),
        (Wanted("x", days=-1), "1 to 365"),
    ],
)
def test_a_token_that_cannot_be_is_not_made(town: Town, wanted: Wanted, says: str) -> None:
    person = town.person("weefsel")
    with pytest.raises(InvalidInput, match=says):
        town.services.tokens.create(wanted, by=person)
    assert town.services.tokens.list(by=person) == []


def test_a_scope_narrows_and_a_project_narrows_further(town: Town) -> None:
    lead = town.person("weefsel")
    first, second = town.project(lead), town.project(lead)
    lead, services = town.again(lead), town.services
    here, there = services.access.project(first).id, services.access.project(second).id
    lab = narrowed(town, lead, "lab")
    assert lab.project_rights[here] == lab.project_rights[there] == {"project.view", "lab.view", "lab.write"}
    assert lab.rights == frozenset()
    both = narrowed(town, lead, "lab", "jobs")
    assert both.may("lab.write", project=here)
    assert both.may("job.submit", project=here)
    assert not both.may("data.write", project=here)
    only_here = narrowed(town, lead, project=first)
    assert set(only_here.project_rights) == {here}
    assert only_here.may("data.write", project=here)
    assert not only_here.may("project.manage", project=here)
    operator = narrowed(town, town.operator, "operations")
    assert "power.manage" in operator.rights
    assert "audit.read" not in operator.rights


def test_a_scope_never_gives_what_its_person_has_not(town: Town) -> None:
    person = narrowed(town, town.person("weefsel"), "operations", "audit", "jobs")
    assert person.rights == frozenset()
    assert person.project_rights == {}


def test_a_project_that_one_is_not_in_reads_like_none(town: Town) -> None:
    project = town.project(town.person("weefsel"))
    stranger = town.person("elsewhere")
    said = []
    for name in (project, "no-such-project"):
        with pytest.raises(NotFound) as refused:
            town.services.tokens.create(Wanted("x", project=name), by=stranger)
        said.append(str(refused.value.detail))
    assert said[0] == said[1]


def test_a_token_for_a_project_that_its_person_left_opens_nothing_there(town: Town) -> None:
    lead, services = town.person("weefsel"), town.services
    project = town.project(lead)
    member = town.person("partner")
    services.access.add_member(project, member.person, "member", by=town.again(lead))
    _, secret = services.tokens.create(Wanted("x", ["lab"], project), by=town.again(member))
    assert services.identity.caller_of(secret).project_rights
    services.vault.remove_member(project, member.person, by=town.again(lead))
    assert services.identity.caller_of(secret).project_rights == {}


@pytest.mark.parametrize("how", ["scope", "project"])
def test_what_is_narrowed_makes_nothing_with_which_more_could_be_had(town: Town, how: str) -> None:
    lead, services = town.person("weefsel"), town.services
    slug = town.project(lead)
    lead = town.again(lead)
    project, member = services.access.project(slug), town.person("partner")
    services.access.add_member(slug, member.person, "member", by=lead)
    by = narrowed(
        town, lead, *(["read", "lab", "data", "jobs"] if how == "scope" else []), project="" if how == "scope" else slug
    )
    door = services.open_doors.list(by=lead)[0].credential.id
    for act in (
        lambda: services.tokens.create(Wanted("more"), by=by),
        lambda: services.tokens.list(by=by),
        lambda: services.tokens.revoke("x", by=by),
        lambda: services.identity.issue_token(by.person, by=by),
        lambda: services.identity.issue_link(by.person, by=by),
        lambda: services.identity.confirm(BY_PASSKEY, by=by),
        lambda: services.open_doors.list(by=by),
        lambda: services.open_doors.end(door, by=by),
        lambda: services.open_doors.end_others(by=by),
        lambda: services.access.add_member(slug, town.operator.person, "member", by=by),
        lambda: services.access.remove_member(project.id, member.person, by=by),
        lambda: services.access.remove_member(project.id, lead.person, by=by),
        lambda: services.serving.create_key(slug, "smol", budget="9 requests", days=9, by=by),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_a_token_that_may_only_look_does_not_enter_a_notebook(town: Town) -> None:
    lead = town.person("weefsel")
    slug = town.project(lead)
    by = narrowed(town, town.again(lead), "read")
    with pytest.raises(NotPermitted, match=r"job\.submit"):
        town.services.doors.code_for(slug, "job_1", by=by)


def test_a_name_is_taken_once_and_one_person_has_a_limit(town: Town) -> None:
    person, tokens = town.person("weefsel"), town.services.tokens
    outcomes = at_once(lambda _: tokens.create(Wanted("same"), by=person), times=6)
    assert sorted(type(one).__name__ for one in outcomes) == ["AlreadyExists"] * 5 + ["tuple"]
    tokens.revoke("same", by=person)
    for number in range(OF_ONE_MAX):
        tokens.create(Wanted(f"n{number}"), by=person)
    with pytest.raises(QuotaExhausted):
        tokens.create(Wanted("one-more"), by=person)
    with pytest.raises(AlreadyExists):
        tokens.create(Wanted("n0"), by=person)


def test_a_revoked_token_opens_nothing_and_nobody_revokes_anothers(town: Town) -> None:
    person, other, services = town.person("weefsel"), town.person("weefsel"), town.services
    made, secret = services.tokens.create(Wanted("nightly"), by=person)
    for name in ("nightly", made.id):
        with pytest.raises(NotFound):
            services.tokens.revoke(name, by=other)
    services.tokens.revoke(made.id, by=person)
    with pytest.raises(NotAuthenticated):
        services.identity.caller_of(secret)
    with pytest.raises(NotFound):
        services.tokens.revoke("nightly", by=person)


def test_the_last_use_is_kept_by_rounds_and_never_goes_back(town: Town, database: Database) -> None:
    person, services = town.person("weefsel"), town.services
    made, secret = services.tokens.create(Wanted("nightly"), by=person)
    first = town.clock.now()
    services.identity.caller_of(secret)
    assert services.tokens.list(by=person)[0].used_at is None
    assert services.open_doors.last_use(made) == first
    assert services.identity.keep_uses() >= 1
    assert services.tokens.list(by=person)[0].used_at == first
    town.clock.move(NOTED_EVERY / 2)
    services.identity.caller_of(secret)
    services.identity.keep_uses()
    assert services.tokens.list(by=person)[0].used_at == first
    town.clock.move(NOTED_EVERY)
    services.identity.caller_of(secret)
    later = town.clock.now()
    with database.transaction():  # another server, which saw it earlier and writes it later
        SqlCredentials(database).note_uses({made.id: later + timedelta(minutes=9)})
    services.identity.keep_uses()
    assert services.tokens.list(by=person)[0].used_at == later + timedelta(minutes=9)
    with database.transaction():
        SqlCredentials(database).note_uses({made.id: first})
    assert services.tokens.list(by=person)[0].used_at == later + timedelta(minutes=9)


def test_who_is_behind_a_request_is_one_question_asked_by_the_drivers_own_way(
    town: Town, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = town.services.tokens.create(Wanted("x"), by=town.person("weefsel"))

    def asked(*_: object) -> None:
        raise AssertionError("a second question, or the common way")

    for name in ("rows", "plain_rows"):
        monkeypatch.setattr(database, name, asked)
    assert town.services.identity.caller_of(secret).credential


def test_uses_are_taken_once(town: Town) -> None:
    made, _ = town.services.tokens.create(Wanted("x"), by=town.person("weefsel"))
    uses = Uses()
    uses.note(made, town.clock.now())
    assert uses.take() == {made.id: town.clock.now()}
    assert uses.take() == {}


def test_a_session_ends_when_it_is_left_alone_and_lasts_no_longer_for_being_used(town: Town) -> None:
    services, person = town.services, town.person("weefsel")
    idle = timedelta(minutes=services.settings.session_idle_minutes)
    cookie, _ = session_of(town, person)
    left_alone, _ = session_of(town, person)
    for _ in range(5):
        town.clock.move(idle - timedelta(seconds=1))
        services.identity.caller_of_session(cookie)
        services.identity.keep_uses()
        services.identity.forget_expired()
    with pytest.raises(NotAuthenticated):
        services.identity.caller_of_session(left_alone)
    assert len([one for one in services.open_doors.list(by=person) if one.credential.kind == "session"]) == 1
    town.clock.move(SESSION_FOR - 5 * (idle - timedelta(seconds=1)))
    with pytest.raises(NotAuthenticated):
        services.identity.caller_of_session(cookie)


def test_everything_open_is_shown_with_how_it_was_opened_and_which_one_asks(town: Town) -> None:
    services, person = town.services, town.person("weefsel")
    _, here = session_of(town, person)
    services.tokens.create(Wanted("nightly", ["lab"]), by=here)
    services.identity.issue_link(person.person, by=here)
    shown = {one.credential.kind: one for one in services.open_doors.list(by=here) if one.credential.name or one.this}
    assert set(shown) == {"session", "api"}
    assert shown["session"].this
    assert (shown["session"].login.method, shown["session"].login.acr) == ("passkey", "high")  # type: ignore[union-attr]
    assert shown["api"].credential.scope == {"lab"}
    assert not shown["api"].this
    assert "link" in {one.credential.kind for one in services.open_doors.list(by=here)}


def test_ending_a_session_ends_the_visits_that_were_made_through_it_and_no_others(town: Town) -> None:
    services, person = town.services, town.person("weefsel")
    cookie, here = session_of(town, person)
    _, elsewhere = session_of(town, person)
    visits = {}
    for by in (here, elsewhere):
        code = services.job_secrets.issue_door(person.person, "job_1", "prj_1", through=by.credential)
        visits[by.credential] = services.job_secrets.enter(code, "job_1")
    services.open_doors.end(here.credential, by=elsewhere)
    with pytest.raises(NotAuthenticated):
        services.identity.caller_of_session(cookie)
    with pytest.raises(NotAuthenticated):
        services.identity.caller_at_door(visits[here.credential], "job_1")
    assert services.identity.caller_at_door(visits[elsewhere.credential], "job_1").person == person.person


def test_signing_out_ends_visits_too(town: Town) -> None:
    services, person = town.services, town.person("weefsel")
    cookie, here = session_of(town, person)
    visit = services.job_secrets.enter(
        services.job_secrets.issue_door(person.person, "job_1", "prj_1", through=here.credential), "job_1"
    )
    services.identity.end(cookie)
    with pytest.raises(NotAuthenticated):
        services.identity.caller_at_door(visit, "job_1")


def test_ending_all_others_leaves_the_one_that_asks_and_what_came_of_it(town: Town) -> None:
    services, person = town.services, town.person("weefsel")
    _, token = services.tokens.create(Wanted("nightly"), by=person)
    cookie, here = session_of(town, person)
    visit = services.job_secrets.enter(
        services.job_secrets.issue_door(person.person, "job_1", "prj_1", through=here.credential), "job_1"
    )
    assert services.open_doors.end_others(by=here) >= 2
    assert services.identity.caller_of_session(cookie).person == person.person
    assert services.identity.caller_at_door(visit, "job_1").person == person.person
    with pytest.raises(NotAuthenticated):
        services.identity.caller_of(token)
    assert {one.credential.kind for one in services.open_doors.list(by=here)} == {"session", "door"}


def test_only_who_oversees_sees_and_ends_what_others_have_open(town: Town) -> None:
    services, person, other = town.services, town.person("weefsel"), town.person("weefsel")
    officer = town.person("factory", "security_officer")
    cookie, here = session_of(town, person)
    with pytest.raises(NotPermitted, match=r"person\.doors"):
        services.open_doors.list(person.person, by=other)
    with pytest.raises(NotPermitted, match=r"person\.doors"):
        services.open_doors.end_all(person.person, by=other)
    with pytest.raises(NotFound):
        services.open_doors.end(here.credential, by=other)
    assert here.credential in {one.credential.id for one in services.open_doors.list(person.person, by=officer)}
    services.open_doors.end(here.credential, person.person, by=officer)
    with pytest.raises(NotAuthenticated):
        services.identity.caller_of_session(cookie)
    with pytest.raises(NotFound):
        services.open_doors.end_all("per_nobody", by=officer)
    assert services.open_doors.end_all(person.person, by=officer) >= 1
    assert services.open_doors.list(person.person, by=officer) == []
    acts = [event.action for event in services.audit.events(subject=person.person, by=officer).items]
    assert "door.all_ended" in acts
