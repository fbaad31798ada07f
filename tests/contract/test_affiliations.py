"""Who lost what let them in has nothing open a round later, on both databases; a silent provider closes nobody at once."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotAuthenticated, NotPermitted
from fabriek.kernel.signing import wrapped_under
from fabriek.web.callers import SESSION_COOKIE
from tests.factories.providers import Door, a_door
from tests.factories.vault import fill
from tests.servers import oidc
from tests.servers.attacker import Attacker, attacking
from tests.servers.oidc import OidcProvider, Visitor

LINES = """
admits = "anyone"
scopes = ["openid", "profile", "organisation"]
offline = true
organisation_claim = "schac_home_organization"
affiliation_claim = "eduperson_entitlement"
requires = "urn:mace:surf.nl:sram:group:uni:factory*"
"""
MEMBER = {
    "schac_home_organization": "uni.example",
    "eduperson_entitlement": ["urn:mace:surf.nl:sram:group:uni:factory"],
}


@pytest.fixture
def door(database: Database, tmp_path: Path, oidc_provider: OidcProvider) -> Iterator[Door]:
    logout = {"backchannel_logout_session_required": True}
    with a_door(
        database, tmp_path / "home", oidc_provider, lines=LINES, client=logout, identity_grace_minutes=60
    ) as opened:
        yield opened


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    made = Visitor()
    yield made
    made.close()


def round_of(door: Door) -> int:
    door.town.clock.move(timedelta(seconds=30))
    return door.town.services.by_provider.affiliations.round()


def is_in(door: Door, visitor: Visitor, token: str) -> tuple[bool, bool]:
    """By session and by token."""
    identity, found = door.town.services.identity, []
    for look, secret in ((identity.caller_of_session, visitor.cookie(SESSION_COOKIE)), (identity.caller_of, token)):
        try:
            found.append(isinstance(look(secret), Caller))
        except NotAuthenticated:
            found.append(False)
    return found[0], found[1]


@pytest.mark.parametrize("how", ["the account is gone", "the entitlement is gone"])
def test_a_lost_affiliation_closes_everything_in_one_round(
    door: Door, visitor: Visitor, oidc_provider: OidcProvider, how: str
) -> None:
    oidc_provider.account("anna", **MEMBER)
    person = door.signed_in(visitor, "anna").person
    token = door.town.services.identity.issue_token(person, by=Caller(person))
    assert (round_of(door), round_of(door)) == (1, 1), "refresh tokens that are replaced are kept"
    assert is_in(door, visitor, token) == (True, True)
    if how == "the account is gone":
        oidc_provider.remove("anna")
    else:
        oidc_provider.account("anna", **MEMBER | {"eduperson_entitlement": ["urn:mace:surf.nl:sram:group:uni:other"]})
    round_of(door)
    assert is_in(door, visitor, token) == (False, False)
    assert door.town.services.access.person(person).active is False
    with pytest.raises(NotAuthenticated):
        door.town.services.identity.caller_for(person)
    assert round_of(door) == 0, "nobody is asked about who has nothing open"


def test_within_a_minute_the_data_that_they_had_open_is_closed_too_and_their_place_in_projects_gone(
    door: Door, visitor: Visitor, oidc_provider: OidcProvider
) -> None:
    """The whole promise at once: what the provider takes away ends sessions, tokens, grants and memberships in one round of the worker."""
    services, town = door.town.services, door.town
    oidc_provider.account("gerda", **MEMBER)
    lead = town.person("weefsel")
    project = town.project(lead)
    person = door.signed_in(visitor, "gerda").person
    services.access.add_member(project, person, "member", by=town.again(lead))
    token = services.identity.issue_token(person, by=Caller(person))
    theirs = services.identity.caller_of(token)
    lead = town.again(lead)
    scans = services.vault.create(project, "scans", label="internal", by=lead)
    until = services.clock.today() + timedelta(days=30)
    services.vault.agree(scans.id, project=project, purposes=["civilian"], right="take_away", until=until, by=lead)
    upload = services.vault.open_upload(project, "scans", by=lead)
    fill(services, upload, {"a.txt": b"a scan"}, by=lead)
    services.vault.open("scans@1", project=project, by=theirs)
    assert [one.person for one in services.vault.grants_on("scans", project=project, by=lead)] == [person]
    before = town.clock.now()
    oidc_provider.remove("gerda")
    round_of(door)
    assert town.clock.now() - before <= timedelta(seconds=60)
    assert is_in(door, visitor, token) == (False, False)
    assert services.vault.grants_on("scans", project=project, by=lead) == []
    assert [one.person for one, _ in services.access.members(project, by=lead)] == [lead.person]


def test_who_leaves_out_that_they_may_be_asked_again_does_not_come_in(
    door: Door, visitor: Visitor, oidc_provider: OidcProvider
) -> None:
    """The address is in their own browser: without this they would be watched by nobody."""
    oidc_provider.account("jan", **MEMBER)
    sent = door.begun(visitor).replace("+offline_access", "").replace("&prompt=consent", "")
    refused = visitor.get(visitor.through(sent, "jan", stop=door.callback()))
    assert (refused.status_code, "login.offline" in refused.text) == (403, True)


def test_the_account_by_which_somebody_is_watched_is_not_unlinked(
    door: Door, visitor: Visitor, oidc_provider: OidcProvider
) -> None:
    oidc_provider.account("kim", **MEMBER)
    (linked,) = door.signing_in.linked(by=door.signed_in(visitor, "kim"))
    refused = door.sealed_post(visitor, "/account/providers", f"/account/providers/{linked.id}/unlink")
    assert (refused.status_code, "login.unlink" in refused.text) == (403, True)


def test_a_closing_that_failed_is_tried_again(
    door: Door, visitor: Visitor, oidc_provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    oidc_provider.account("lena", **MEMBER)
    person = door.signed_in(visitor, "lena").person
    token = door.town.services.identity.issue_token(person, by=Caller(person))
    oidc_provider.remove("lena")
    with monkeypatch.context() as failing:
        failing.setattr(door.town.services.joining.leavers, "let_go", lambda *_: 1 / 0)
        round_of(door)
    assert is_in(door, visitor, token) == (True, True)
    round_of(door)
    assert is_in(door, visitor, token) == (False, False)


def test_two_servers_ask_once(door: Door, visitor: Visitor, oidc_provider: OidcProvider) -> None:
    oidc_provider.account("bea", **MEMBER)
    door.signed_in(visitor, "bea")
    assert (round_of(door), door.town.services.by_provider.affiliations.round()) == (1, 0)


def test_who_lacks_the_entitlement_does_not_come_in(door: Door, visitor: Visitor, oidc_provider: OidcProvider) -> None:
    oidc_provider.account("cor", schac_home_organization="uni.example")
    assert "login.affiliation" in visitor.get(door.answer(visitor, "cor")).text


def test_a_silent_provider_closes_nobody_before_the_grace_time(database: Database, tmp_path: Path) -> None:
    if reason := oidc.why_absent():
        pytest.skip(reason)
    visitor = Visitor()
    with (
        oidc.running() as provider,
        a_door(database, tmp_path / "home", provider, lines=LINES, identity_grace_minutes=60) as door,
    ):
        provider.account("dien", **MEMBER)
        person = door.signed_in(visitor, "dien").person
        token = door.town.services.identity.issue_token(person, by=Caller(person))
        provider.fall_silent()
        round_of(door)
        assert is_in(door, visitor, token) == (True, True)
        door.town.clock.move(timedelta(minutes=60))
        round_of(door)
        assert is_in(door, visitor, token) == (False, False)
        assert door.town.services.access.person(person).active, "they come in again once it answers"
    visitor.close()


def test_a_refresh_token_is_kept_under_the_master_key(
    door: Door, visitor: Visitor, oidc_provider: OidcProvider, database: Database
) -> None:
    from fabriek.bootstrap.providers import RefreshKeys  # noqa: PLC0415

    oidc_provider.account("evi", **MEMBER)
    door.signed_in(visitor, "evi")
    (kept,) = RefreshKeys(database).not_under("another/1")
    assert wrapped_under(kept.wrapped)
    assert list(RefreshKeys(database).not_under(wrapped_under(kept.wrapped))) == []


def test_a_logout_at_the_provider_ends_the_session_here_and_no_token(
    door: Door, visitor: Visitor, oidc_provider: OidcProvider
) -> None:
    oidc_provider.account("fien", **MEMBER)
    person = door.signed_in(visitor, "fien").person
    identity = door.town.services.identity
    token = identity.issue_token(person, by=Caller(person))
    through = door.caller(visitor).credential
    visit = door.town.services.job_secrets.enter(
        door.town.services.job_secrets.issue_door(person, "job_1", "prj_1", through=through), "job_1"
    )
    page = visitor.get(f"{oidc_provider.issuer}/session/end")
    fields = dict(re.findall(r'name="(xsrf)" value="([^"]+)"', page.text))
    answer = visitor.post(f"{oidc_provider.issuer}/session/end/confirm", logout="yes", **fields)
    assert answer.status_code < 400, answer.text
    assert is_in(door, visitor, token) == (False, True)
    with pytest.raises(NotAuthenticated):
        identity.caller_at_door(visit, "job_1")


@pytest.fixture
def attacker() -> Iterator[Attacker]:
    with attacking() as opened:
        yield opened


def test_logout_tokens_that_do_not_hold_end_nothing(database: Database, tmp_path: Path, attacker: Attacker) -> None:
    event = {"http://schemas.openid.net/event/backchannel-logout": {}}
    good = {"events": event, "jti": "1", "sid": "s", "nonce": None}
    with a_door(database, tmp_path / "home", None, more={"evil": (attacker.issuer, "")}) as door:

        def sent(sign: str = "RS256", **claims: object) -> int:
            attacker.sign, attacker.claims = sign, good | claims
            where = f"{door.url}/sign-in/providers/evil/logout"
            return httpx.post(where, data={"logout_token": attacker.id_token()}, trust_env=False).status_code

        assert (sent(), sent()) == (200, 400), "a token counts once"
        bad: list[dict[str, object]] = [
            {"jti": None}, {"events": None}, {"events": {}}, {"aud": "them"}, {"iss": "https://them.example"}, {"nonce": "n"},
            {"sid": None, "sub": None}, {"exp": 1},
        ]  # fmt: skip
        for number, claims in enumerate(bad):
            assert sent(**({"jti": f"bad {number}"} | claims)) == 400, claims
        for sign in ("none", "HS256", "other"):
            assert sent(sign, jti=sign) == 400, sign


def test_a_logout_that_names_nobody_by_our_words_ends_nobody(
    database: Database, tmp_path: Path, attacker: Attacker
) -> None:
    """Where somebody is known by another claim than `sub`, a `sub` alone once meant every session of that provider."""
    event = {"http://schemas.openid.net/event/backchannel-logout": {}}
    lines = 'subject_claim = "acting"'
    with a_door(database, tmp_path / "home", None, more={"evil": (attacker.issuer, lines)}) as door:
        attacker.claims = {"events": event, "jti": "1", "sub": "somebody", "nonce": None}
        with pytest.raises(NotPermitted, match="names neither a person nor a session"):
            door.town.services.by_provider.affiliations.log_out("evil", attacker.id_token())
