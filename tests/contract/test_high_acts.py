"""High acts ask for a strong factor again: every right is one of them or has its reason, and confirming opens one credential for a while."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from fabriek.access.login.credentials import CONFIRMED_FOR
from fabriek.access.login.identity import Confirming, Shown
from fabriek.access.login.logins import Method
from fabriek.access.login.tokens import Wanted
from fabriek.access.roles import EVERYONE, GLOBAL, PROJECT
from fabriek.access.store import people
from fabriek.adapters.database import Database
from fabriek.kernel.callers import HIGH, Caller, require
from fabriek.kernel.errors import FabriekError, NotPermitted
from tests.factories.services import Town, a_town

WHY_NOT = {
    "access.request": "it asks, and another decides",
    "application.review": "its decisions are signed by more than one, and stand in a history",
    "application.submit": "it asks, and others decide",
    "audit.read": "it changes nothing, and each look is on record",
    "case.handle": "everyday work; each step is in the case, with who took it and why",
    "cluster.manage": "it brings the cluster in step with what stands here already",
    "data.manage": "what cannot be undone asks within its verb: erasing, and signing a lower label",
    "data.view": "everyday work; data leaves under labels and agreements",
    "data.write": "everyday work; versions are added and none is lost",
    "funding.award": "an award stays within a share, whose owner confirmed when it was contributed",
    "funding.view": "it changes nothing",
    "job.cancel": "everyday work",
    "job.submit": "everyday work, within credits",
    "job.view": "it changes nothing",
    "knowledge.answer": "everyday work",
    "knowledge.ask": "everyday work",
    "knowledge.be_booked": "everyday work",
    "knowledge.harvest": "what comes in is read-only, and taken away as easily",
    "knowledge.publish": "a card is taken back as easily",
    "knowledge.view": "it changes nothing",
    "lab.view": "it changes nothing",
    "lab.write": "everyday work; a promotion has its second person",
    "machine.view": "it changes nothing",
    "ops.backup": "a backup is sealed, and is made by programs at night",
    "organisation.create": "an organisation has no rights until people are appointed, which asks",
    "organisation.manage": "whom it lets in holds nothing yet; to appoint asks",
    "package.add": "a package is used after its approval alone",
    "package.approve": "it takes a second person beside who asked",
    "package.ask": "it asks, and another decides",
    "person.doors": "it closes doors, which must be quick, and opens none",
    "person.invite": "an invitation to a role is an appointment, which asks; the last step is the invited person's own",
    "person.view": "it changes nothing",
    "power.announce": "a grid operator's program says what may be drawn, and is held to be right",
    "power.manage": "limits come from other systems' programs, and are held either way",
    "power.meter": "a meter says what it reads",
    "project.manage": "it gives rights in one project, and each act is on record; its services ask",
    "project.oversee": "a lead is appointed only where there is none, and never oneself",
    "project.view": "it changes nothing",
    "simulate": "it changes nothing",
    "training.teach": "nobody certifies themselves, each certificate names who gave it, and it opens no data by itself",
    "usage.import": "programs bring it in each night",
    "vault.check": "it reads and compares",
    "vault.collect": "it removes what nothing names",
    "vault.seal": "to seal must be quick; sealed, the door at which one confirms is shut too, and a passphrase is asked",
}
"""Why a right is no high act. A new right goes into HIGH, or here with its reason."""

STRONG = Shown(Method.PASSKEY, strong=True)


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


@pytest.fixture
def enrolled(town: Town, database: Database) -> Caller:
    """A lead with every role that may go together, who has a second factor."""
    person = town.person("weefsel", *(GLOBAL.keys() - {"auditor"}))
    town.project(person)
    with database.transaction():
        database.execute(update(people).where(people.c.id == person.person).values(confirms=True))
    return town.again(person)


def every_right() -> frozenset[str]:
    return EVERYONE.union(HIGH, *GLOBAL.values(), *PROJECT.values())


def test_every_right_is_a_high_act_or_says_why_it_is_none() -> None:
    assert WHY_NOT.keys() & HIGH == set()
    assert every_right() == WHY_NOT.keys() | HIGH
    assert all(WHY_NOT.values())


def held(caller: Caller) -> list[tuple[str, str]]:
    """(high right, project) that this caller holds."""
    return [(right, "") for right in sorted(HIGH & caller.rights)] + [
        (right, project) for project, rights in caller.project_rights.items() for right in sorted(rights & HIGH)
    ]


def rule_of(act: Callable[[], object]) -> str:
    """The rule that refuses it; empty where nothing does."""
    try:
        act()
    except FabriekError as error:
        return str(error.fields.get("rule", ""))
    return ""


def test_each_is_refused_until_a_strong_factor_was_shown_and_again_a_quarter_of_an_hour_later(
    town: Town, enrolled: Caller
) -> None:
    identity = town.services.identity
    secret = identity.issue_token(enrolled.person, by=Caller(enrolled.person))
    acts = held(enrolled)
    assert {right for right, _ in acts} >= {
        "data.hold",
        "funding.contribute",
        "keys.rotate",
        "organisation.keys",
        "service.create",
    }

    def refused() -> list[str]:
        found = []
        for right, project in acts:
            if (
                rule_of(
                    lambda right=right, project=project: require(identity.caller_of(secret), right, project=project)
                )
                == "login.confirm"
            ):
                found.append(right)
        return found

    assert refused() == [right for right, _ in acts]
    with pytest.raises(NotPermitted, match="one factor"):
        identity.confirm(Shown(Method.LINK, strong=False), by=identity.caller_of(secret))
    assert refused() == [right for right, _ in acts]
    identity.confirm(STRONG, by=identity.caller_of(secret))
    assert refused() == []
    town.clock.move(CONFIRMED_FOR / 2)
    assert refused() == []
    town.clock.move(CONFIRMED_FOR / 2)
    assert refused() == [right for right, _ in acts]


def test_confirming_one_credential_opens_no_other(town: Town, enrolled: Caller) -> None:
    identity = town.services.identity
    token = identity.issue_token(enrolled.person, by=Caller(enrolled.person))
    other = identity.issue_token(enrolled.person, by=Caller(enrolled.person))
    _, cookie = identity.redeem(identity.issue_link(enrolled.person, by=enrolled), session=True)
    identity.confirm(STRONG, by=identity.caller_of(token))
    assert not identity.caller_of(token).unconfirmed
    assert identity.caller_of(other).unconfirmed
    assert identity.caller_of_session(cookie).unconfirmed
    made, secret = town.services.tokens.create(Wanted("of-a-confirmed-one"), by=identity.caller_of(token))
    assert made.confirmed_at is None
    assert identity.caller_of(secret).unconfirmed


ACTS: dict[str, Callable[[Town, Caller], object]] = {
    "a lower label signed": lambda town, by: town.services.vault.sign_lowering("prp_1", by=by),
    "a release signed": lambda town, by: town.services.releasing.sign("rel_1", by=by),
    "data erased": lambda town, by: town.services.vault.erasing.confirm("ers_1", "numbers", by=by),
}


@pytest.mark.parametrize("act", ACTS)
def test_what_no_right_stands_for_asks_too(town: Town, enrolled: Caller, act: str) -> None:
    assert rule_of(lambda: ACTS[act](town, enrolled)) == "login.confirm"
    identity = town.services.identity
    secret = identity.issue_token(enrolled.person, by=Caller(enrolled.person))
    identity.confirm(STRONG, by=identity.caller_of(secret))
    with pytest.raises(FabriekError) as further:  # there is no such thing here: but it was let through to look
        ACTS[act](town, identity.caller_of(secret))
    assert further.value.fields.get("rule") != "login.confirm"


def test_who_has_no_second_factor_is_not_asked_unless_everybody_is(town: Town) -> None:
    plain = town.person("weefsel", "security_officer")
    require(plain, "data.hold")
    identity = town.services.identity
    secret = identity.issue_token(plain.person, by=Caller(plain.person))
    identity._confirming = Confirming.ALWAYS
    with pytest.raises(NotPermitted, match="show again"):
        require(identity.caller_of(secret), "data.hold")
