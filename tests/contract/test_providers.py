"""Signing in at a real identity provider, on both databases: who comes in, as whom, and with what."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from fabriek.access.login.logins import Method
from fabriek.access.login.store import credentials
from fabriek.access.store import people
from fabriek.adapters.database import Database
from fabriek.web.callers import SESSION_COOKIE
from tests.factories.providers import MFA, Door, a_door, going
from tests.servers.oidc import OidcProvider, Visitor

ANYONE = """
admits = "anyone"
scopes = ["openid", "profile", "email", "organisation"]
offline = true
organisation_claim = "schac_home_organization"
assurance_claim = "eduperson_assurance"
"""


@pytest.fixture
def door(database: Database, tmp_path: Path, oidc_provider: OidcProvider) -> Iterator[Door]:
    with a_door(database, tmp_path / "home", oidc_provider, lines=ANYONE) as opened:
        yield opened


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    made = Visitor()
    yield made
    made.close()


def test_a_newcomer_comes_in_and_what_they_showed_is_kept(
    door: Door, visitor: Visitor, oidc_provider: OidcProvider
) -> None:
    oidc_provider.account(
        "anna", name="Anna", email="anna@uni.example", email_verified=True, schac_home_organization="uni.example",
        eduperson_assurance=["https://refeds.org/assurance/IAP/high", "https://refeds.org/assurance/ATP/ePA-1m"],
    )  # fmt: skip
    caller = door.signed_in(visitor, "anna", acr=MFA)
    services = door.town.services
    person = services.access.person(caller.person)
    assert (person.name, person.email, person.roles) == ("Anna", "anna@uni.example", frozenset())
    assert services.access.organisation(person.organisation).slug == "uni-example"
    login = services.identity.login_behind(caller)
    assert login is not None
    assert (login.method, login.strong, login.issuer, login.acr) == (Method.OIDC, True, oidc_provider.issuer, MFA)
    assert login.assurance == ("https://refeds.org/assurance/IAP/high", "https://refeds.org/assurance/ATP/ePA-1m")
    assert visitor.get(f"{door.url}/").status_code == 200
    again = Visitor()
    assert door.signed_in(again, "anna").person == caller.person
    again.close()


def test_each_login_has_a_cookie_of_its_own_and_the_one_before_is_worth_nothing(
    door: Door, visitor: Visitor, oidc_provider: OidcProvider
) -> None:
    oidc_provider.account("bart", name="Bart", schac_home_organization="uni.example")
    door.signed_in(visitor, "bart")
    first = visitor.cookie(SESSION_COOKIE)
    door.signed_in(visitor, "bart")
    assert visitor.cookie(SESSION_COOKIE) != first
    with pytest.raises(Exception, match="not known"):
        door.town.services.identity.caller_of_session(first)


def test_an_address_makes_nobody_somebody_else(door: Door, visitor: Visitor, oidc_provider: OidcProvider) -> None:
    services = door.town.services
    boss = services.access.people_of("factory", by=door.town.operator)[0]
    oidc_provider.account("thief", name="T", email=boss.email, email_verified=True, schac_home_organization="factory")
    thief = services.access.person(door.signed_in(visitor, "thief").person)
    assert thief.id != boss.id
    assert thief.email == ""
    assert thief.organisation != boss.organisation, "a provider's word leads into no organisation that was here before"
    second = Visitor()
    oidc_provider.account("liar", name="L", email="new@uni.example", schac_home_organization="factory")
    assert services.access.person(door.signed_in(second, "liar").person).email == "", "nobody checked that address"
    second.close()


def test_groups_that_claim_administration_change_nothing(
    door: Door, visitor: Visitor, oidc_provider: OidcProvider
) -> None:
    claims = {
        "groups": ["administrator", "operator"],
        "roles": ["administrator"],
        "eduperson_entitlement": ["administrator"],
    }
    oidc_provider.account("mighty", name="M", schac_home_organization="uni.example", **claims)
    caller = door.signed_in(visitor, "mighty")
    assert door.town.services.access.person(caller.person).roles == frozenset()
    assert "person.invite" not in caller.rights


def test_a_link_is_used_up_by_signing_in_and_the_account_is_bound_to_its_person(
    door: Door, visitor: Visitor, oidc_provider: OidcProvider
) -> None:
    services, invited = door.town.services, door.town.person("weefsel")
    code = services.identity.issue_link(invited.person, by=door.town.operator)
    oidc_provider.account("carla", name="Carla")
    page = visitor.get(f"{door.url}/sign-in/{code}")
    assert f'name="link" value="{code}"' in page.text
    assert door.signed_in(visitor, "carla", link=code).person == invited.person
    second = Visitor()
    assert door.signed_in(second, "carla").person == invited.person
    oidc_provider.account("dora", name="Dora")
    refused = second.get(door.answer(second, "dora", link=code))
    assert refused.status_code == 401, "the link was used"
    second.close()


@pytest.mark.parametrize("has", ["an account that is linked", "a second factor"])
def test_a_link_binds_no_account_to_who_has_a_way_in(
    door: Door, visitor: Visitor, oidc_provider: OidcProvider, database: Database, has: str
) -> None:
    """Whoever found a link, or a session that makes one, would bring an account of their own, with a factor that opens every high act."""
    services, person = door.town.services, door.town.person("weefsel")
    if has == "a second factor":
        with database.transaction():
            database.execute(update(people).where(people.c.id == person.person).values(confirms=True))
    else:
        oidc_provider.account("hanna", name="Hanna")
        door.signed_in(visitor, "hanna", link=services.identity.issue_link(person.person, by=person))
    oidc_provider.account("thief", name="Thief")
    thief = Visitor()
    code = services.identity.issue_link(person.person, by=person)
    refused = thief.get(door.answer(thief, "thief", link=code, acr=MFA))
    assert (refused.status_code, "login.link" in refused.text) == (403, True)
    assert len(door.signing_in.linked(by=person)) == (0 if has == "a second factor" else 1)
    assert services.identity.redeem(code)[0].id == person.person, "the link itself still opens, as it did"
    thief.close()


def test_whose_factors_are_forgotten_comes_in_by_no_account_either(
    door: Door, visitor: Visitor, oidc_provider: OidcProvider
) -> None:
    services, person = door.town.services, door.town.person("weefsel")
    oidc_provider.account("ida", name="Ida", schac_home_organization="uni.example")
    door.signed_in(visitor, "ida", link=services.identity.issue_link(person.person, by=person))
    services.accounts.forget(person.person, by=door.town.operator)
    assert door.signing_in.linked(by=person) == []
    again = Visitor()
    assert door.signed_in(again, "ida").person != person.person, "the account is a stranger's now"
    again.close()


def test_who_is_signed_in_links_an_account_and_takes_it_away(
    door: Door, visitor: Visitor, oidc_provider: OidcProvider
) -> None:
    services, person = door.town.services, door.town.person("weefsel")
    visitor.post(f"{door.url}/sign-in/{services.identity.issue_link(person.person, by=door.town.operator)}")
    oidc_provider.account("emma", name="Emma")
    door.on_time()
    sent = going(door.sealed_post(visitor, "/account/providers", "/account/providers/home/link"))
    answer = visitor.get(visitor.through(sent, "emma", stop=door.callback()))
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/providers")
    (linked,) = door.signing_in.linked(by=person)
    second = Visitor()
    assert door.signed_in(second, "emma").person == person.person
    assert visitor.post(f"{door.url}/account/providers/{linked.id}/unlink").status_code == 403, "no seal"
    assert door.sealed_post(second, "/account/providers", f"/account/providers/{linked.id}/unlink").status_code == 303
    assert door.signing_in.linked(by=person) == []
    second.close()


def test_a_factor_is_shown_again_at_the_provider(door: Door, visitor: Visitor, oidc_provider: OidcProvider) -> None:
    oidc_provider.account("femke", name="F", schac_home_organization="uni.example")
    assert door.signed_in(visitor, "femke").unconfirmed is False, "nothing is asked of who has no factor here"
    credential = door.caller(visitor).credential
    for acr, status, confirmed in (("https://refeds.org/profile/sfa", 403, False), (MFA, 303, True)):
        door.on_time()
        sent = going(door.sealed_post(visitor, "/confirm", "/confirm/provider", then="/machine"))
        assert "max_age=0" in sent
        answer = visitor.get(visitor.through(sent, "femke", acr=acr, stop=door.callback()))
        assert answer.status_code == status, answer.text
        assert is_confirmed(door, credential) is confirmed
    assert answer.headers["location"] == "/machine"
    oidc_provider.account("gerda", name="G", schac_home_organization="uni.example")
    sent = going(door.sealed_post(visitor, "/confirm", "/confirm/provider"))
    assert visitor.get(visitor.through(sent, "gerda", acr=MFA, stop=door.callback())).status_code == 403


def is_confirmed(door: Door, credential: str) -> bool:
    table = credentials.c
    return (
        door.town.services.database.scalar(select(table.confirmed_at).where(table.credential_id == credential))
        is not None
    )
