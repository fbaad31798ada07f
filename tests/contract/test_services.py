"""Service identities, on both databases: somebody answers for each, or it opens nothing; and it is never more than its tokens."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from fabriek.access.login.identity import Shown
from fabriek.access.login.logins import Method
from fabriek.access.login.scopes import WIDEST
from fabriek.access.login.services import OPEN_TO_SERVICES
from fabriek.access.login.tokens import Wanted
from fabriek.access.projects import Membership
from fabriek.access.roles import GLOBAL, PROJECT, SERVICES_EVERYWHERE
from fabriek.access.store import SqlProjects, people
from fabriek.adapters.database import Database
from fabriek.kernel.callers import HIGH, Caller, require
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotAuthenticated, NotFound, NotPermitted, WrongState
from tests.factories.services import Town, a_town

MEMBER = PROJECT["member"] & WIDEST


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


class Place:
    """A project with a lead, a second lead, a member, and a service with a token."""

    def __init__(self, town: Town) -> None:
        self.town, self.services = town, town.services
        lead, second, member = town.person("weefsel"), town.person("weefsel"), town.person("partner")
        self.slug = town.project(lead)
        self.lead = town.again(lead)
        self.id = self.services.access.project(self.slug).id
        for person, role in ((second, "lead"), (member, "member")):
            self.services.access.add_member(self.slug, person.person, role, by=self.lead)
        self.second, self.member = town.again(second), town.again(member)
        self.ours = self.services.service_identities
        self.service = self.ours.create(self.slug, "nightly-import", by=self.lead).person
        _, self.token = self.ours.create_token(self.slug, "nightly-import", Wanted("cron"), by=self.lead)

    def caller(self) -> Caller:
        return self.services.identity.caller_of(self.token)


@pytest.fixture
def place(town: Town) -> Place:
    return Place(town)


def test_a_service_does_a_members_work_under_its_own_name(place: Place) -> None:
    caller = place.caller()
    assert (caller.person, caller.name) == (place.service.id, "nightly-import")
    assert caller.project_rights == {place.id: MEMBER}
    assert caller.rights == SERVICES_EVERYWHERE
    place.services.vault.create(place.slug, "numbers", label="open", by=caller)


def test_a_service_has_tokens_and_nothing_else(place: Place) -> None:
    caller, identity, services = place.caller(), place.services.identity, place.services
    with pytest.raises(NotAuthenticated):
        identity.sign_in(place.service.id, Shown(Method.PASSKEY, strong=True), session=True)
    administrator = place.town.operator
    with pytest.raises(NotPermitted, match="tokens alone"):
        identity.issue_link(place.service.id, by=administrator)
    for act in (
        lambda: services.tokens.create(Wanted("more"), by=caller),
        lambda: place.ours.create(place.slug, "another", by=caller),
        lambda: place.ours.create_token(place.slug, "nightly-import", Wanted("more"), by=caller),
        lambda: place.ours.sign(place.slug, "nightly-import", by=caller),
        lambda: identity.confirm(Shown(Method.PASSKEY, strong=True), by=caller),
        lambda: services.access.add_member(place.slug, administrator.person, "member", by=caller),
        lambda: services.open_doors.list(by=caller),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_a_service_is_no_lead_and_what_is_written_into_its_row_gives_it_nothing(
    place: Place, database: Database
) -> None:
    assert "member" in OPEN_TO_SERVICES
    assert not OPEN_TO_SERVICES & {"lead"}
    for role in ("lead", "administrator", "nobody"):
        with pytest.raises(InvalidInput):
            place.ours.create(place.slug, "another", role, by=place.lead)
    with database.transaction():
        database.execute(update(people).where(people.c.id == place.service.id).values(roles=sorted(GLOBAL)))
    assert place.caller().rights == SERVICES_EVERYWHERE | {
        "audit.read",
        "funding.view",
        "power.announce",
        "power.meter",
    }  # of what an auditor sees, no people
    for right in HIGH:
        with pytest.raises(NotPermitted):
            require(place.caller(), right, project=place.id)


@pytest.mark.parametrize("how", ["inactive", "left the project"])
def test_when_its_signer_is_gone_it_opens_nothing_until_another_lead_signs(
    place: Place, database: Database, how: str
) -> None:
    assert place.caller().project_rights
    if how == "inactive":
        with database.transaction():
            database.execute(update(people).where(people.c.id == place.lead.person).values(active=False))
    else:
        place.services.vault.remove_member(place.slug, place.lead.person, by=place.second)
    assert place.caller().project_rights == {}
    assert place.services.identity.caller_for(place.service.id).project_rights == {}
    with pytest.raises(NotPermitted):
        require(place.caller(), "data.write", project=place.id)
    assert [one.opens for one in place.ours.list(place.slug, by=place.second)] == [False]
    with pytest.raises(NotPermitted, match=r"service\.create"):
        place.ours.sign(place.slug, "nightly-import", by=place.member)
    assert place.ours.sign(place.slug, "nightly-import", by=place.second).opens
    assert place.caller().project_rights == {place.id: MEMBER}
    assert place.services.identity.caller_for(place.service.id).project_rights == {place.id: MEMBER}
    with pytest.raises(WrongState):
        place.ours.sign(place.slug, "nightly-import", by=place.second)


def test_a_service_that_looks_on_everywhere_opens_nothing_either_once_its_signer_is_gone(
    place: Place, database: Database
) -> None:
    with database.transaction():
        database.execute(update(people).where(people.c.id == place.service.id).values(roles=["auditor"]))
    assert "audit.read" in place.caller().rights
    place.services.vault.remove_member(place.slug, place.lead.person, by=place.second)
    assert place.caller().rights == frozenset()
    assert place.services.identity.caller_for(place.service.id).rights == frozenset()


def test_only_a_lead_makes_services_and_only_in_their_own_project(place: Place) -> None:
    stranger = place.town.person("elsewhere")
    for by in (place.member, stranger, place.town.operator):
        with pytest.raises(NotPermitted):
            place.ours.create(place.slug, "another", by=by)
        with pytest.raises(NotPermitted):
            place.ours.create_token(place.slug, "nightly-import", Wanted("more"), by=by)
        with pytest.raises(NotPermitted):
            place.ours.retire(place.slug, "nightly-import", by=by)
    other = place.town.project(stranger)
    with pytest.raises(NotFound):
        place.ours.create_token(other, "nightly-import", Wanted("more"), by=place.town.again(stranger))


@pytest.mark.parametrize("name", ["", "Nightly", "a b", "-a", "a" * 64, "a/b"])
def test_a_name_that_cannot_be_is_refused(place: Place, name: str) -> None:
    with pytest.raises(InvalidInput):
        place.ours.create(place.slug, name, by=place.lead)


def test_a_name_is_taken_once_and_free_again_when_it_retired(place: Place) -> None:
    with pytest.raises(AlreadyExists):
        place.ours.create(place.slug, "nightly-import", by=place.second)
    place.ours.retire(place.slug, "nightly-import", by=place.second)
    with pytest.raises(NotAuthenticated):
        place.caller()
    with pytest.raises(NotFound):
        place.ours.tokens(place.slug, "nightly-import", by=place.lead)
    again = place.ours.create(place.slug, "nightly-import", by=place.second)
    assert again.person.id != place.service.id
    assert place.services.access.person(place.service.id).name == "nightly-import"


def test_a_services_token_is_narrowed_and_revoked_as_a_persons_is(place: Place) -> None:
    _, secret = place.ours.create_token(place.slug, "nightly-import", Wanted("lab-only", ["lab"]), by=place.second)
    caller = place.services.identity.caller_of(secret)
    assert caller.project_rights[place.id] == {"project.view", "lab.view", "lab.write"}
    assert {one.name for one in place.ours.tokens(place.slug, "nightly-import", by=place.member)} == {
        "cron",
        "lab-only",
    }
    place.ours.revoke_token(place.slug, "nightly-import", "lab-only", by=place.second)
    with pytest.raises(NotAuthenticated):
        place.services.identity.caller_of(secret)


def test_services_are_not_counted_as_people(place: Place) -> None:
    assert not place.services.access.is_alone()
    assert place.services.first_sign_in.secret() == ""


def test_a_service_is_of_one_project_and_no_other_lead_gets_a_token_of_it(place: Place, database: Database) -> None:
    town, access = place.town, place.services.access
    thief = town.person("elsewhere")
    other = town.project(thief)
    thief = town.again(thief)
    for role in ("member", "lead"):
        with pytest.raises(NotPermitted) as refused:
            access.add_member(other, place.service.id, role, by=thief)
        assert refused.value.fields["rule"] == "member.service"
        with pytest.raises(NotPermitted):  # nor does its own lead make it one
            access.add_member(place.slug, place.service.id, role, by=place.lead)
    assert place.caller().project_rights == {place.id: MEMBER}
    # Were its row there all the same, as before this was refused, then no lead gets a token that opens both.
    with database.transaction():
        SqlProjects(database).put_member(
            Membership(access.project(other).id, place.service.id, "member"), town.clock.now()
        )
    for slug, by in ((other, thief), (place.slug, place.lead)):
        with pytest.raises(WrongState, match="another project"):
            place.ours.create_token(slug, "nightly-import", Wanted("more"), by=by)


def test_a_service_that_nobody_confirmed_is_still_listed_and_can_be_retired(place: Place) -> None:
    quarterly, clock = place.services.joining.quarterly, place.town.clock
    quarterly.open_due()
    clock.move(timedelta(days=60))
    assert quarterly.open_due() > 0
    quarterly.decide(place.slug, keep=[place.second.person, place.member.person], by=place.town.again(place.lead))
    clock.move(timedelta(days=15))
    assert quarterly.close_due() > 0
    lead = place.town.again(place.lead)
    (found,) = place.ours.list(place.slug, by=lead)
    assert (found.person.name, found.role, found.opens) == ("nightly-import", "", False)
    with pytest.raises(AlreadyExists):  # else two of one name would stand there once it is kept
        place.ours.create(place.slug, "nightly-import", by=lead)
    place.ours.retire(place.slug, "nightly-import", by=lead)
    assert place.ours.list(place.slug, by=lead) == []
    with pytest.raises(WrongState, match="no longer here"):
        quarterly.decide(place.slug, keep=[place.service.id], by=place.town.again(lead))


def test_a_service_comes_into_no_project_as_one_of_a_partners_people(place: Place) -> None:
    town, gone = place.town, place.town.person("weefsel")
    place.services.joining.leavers.leave(gone.person, why="left", by=town.operator)
    lead = town.person("elsewhere")
    slug = town.project(lead, partners=("weefsel",))
    there = {person.id for _, person in place.services.access.members(slug, by=town.again(lead))}
    assert {place.lead.person, place.second.person} < there
    assert not there & {place.service.id, gone.person}


def test_who_left_is_added_nowhere_and_is_no_lead_beside_whom_another_may_go(place: Place, database: Database) -> None:
    access, gone = place.services.access, place.town.person("weefsel")
    place.services.joining.leavers.leave(gone.person, why="left", by=place.town.operator)
    with pytest.raises(WrongState, match="no longer here"):
        access.add_member(place.slug, gone.person, "member", by=place.lead)
    place.services.vault.remove_member(place.slug, place.second.person, by=place.lead)
    kept = SqlProjects(database)
    for nobody in (gone.person, place.service.id):  # rows as they were before this was refused
        with database.transaction():
            kept.put_member(Membership(place.id, nobody, "lead"), place.town.clock.now())
        with pytest.raises(WrongState, match="keeps a lead"):
            place.services.vault.remove_member(place.slug, place.lead.person, by=place.lead)
    left = place.services.joining.leavers.leave(place.lead.person, why="moved", by=place.town.operator)
    assert left.left_alone == (place.id,)
