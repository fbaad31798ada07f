"""Coming in and going out, on both databases: invitations that open for one address, roles that nobody takes, and leavers with nothing left."""

from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from fabriek.access.joining.invitations import InvitationState
from fabriek.access.roles import GLOBAL, OF_AN_ORGANISATION
from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import (
    AlreadyExists,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    RateLimited,
    Unavailable,
    WrongState,
)
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once
from tests.factories.vault import fill
from tests.servers.mailbox import taking_mail

ELSEWHERE = "p.jansen+lab@hospital.example"


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def led(town: Town) -> tuple[str, Caller]:
    lead = town.person("weefsel")
    slug = town.project(lead)
    return slug, town.again(lead)


def address(town: Town, caller: Caller) -> str:
    return town.services.access.person(caller.person).email


def test_somebody_of_another_organisation_accepts_and_nobody_else_can(town: Town) -> None:
    inviting = town.services.joining.inviting
    (slug, lead), doctor, other = led(town), town.person("hospital"), town.person("hospital")
    project = town.services.access.project(slug).id
    sent = inviting.to_project(slug, address(town, doctor).upper(), by=lead)
    with pytest.raises(NotPermitted) as refused:
        inviting.accept(sent.code, by=other)
    assert refused.value.fields["rule"] == "invitation.address"
    assert address(town, doctor) not in refused.value.detail + refused.value.fix
    with pytest.raises(NotFound) as nothing:
        inviting.accept("inv_nothing", by=other)
    for somebody in (
        other,
        doctor,
    ):  # nor whose address it is: nobody proved that it is theirs, and the code went there
        with pytest.raises(NotFound) as by_id:
            inviting.accept(sent.invitation.id, by=somebody)
        assert by_id.value.detail == nothing.value.detail
    unknown = inviting.to_project(slug, "nobody@hospital.example", by=lead)
    for code in (sent.code, unknown.code):  # and a lead learns by it of nobody whether they are here
        with pytest.raises(WrongState, match="has not vouched"):
            inviting.join(code)
    inviting.withdraw(unknown.invitation.id, by=lead)
    chief = town.person("weefsel", "organisation_administrator")
    inviting.vouch(sent.invitation.id, by=chief)
    with pytest.raises(NotAuthenticated):  # the code alone is no way into the account of who is here already
        inviting.join(sent.code)
    assert [one.id for one in inviting.mine(by=doctor)] == [sent.invitation.id]
    assert inviting.accept(sent.code, by=doctor).state is InvitationState.ACCEPTED
    assert town.again(doctor).may("data.write", project=project)
    assert not town.again(doctor).may("project.manage", project=project)
    with pytest.raises(NotFound):
        inviting.accept(sent.code, by=doctor)
    listed = inviting.of_project(slug, by=lead)
    assert [(one.state, one.email, one.person) for one in listed if one.state is not InvitationState.WITHDRAWN] == [
        (InvitationState.ACCEPTED, "", doctor.person)
    ]


def test_who_is_not_here_yet_comes_in_once_an_administrator_of_their_organisation_vouched(town: Town) -> None:
    inviting = town.services.joining.inviting
    (slug, lead), admin = led(town), town.person("hospital")
    town.services.joining.appointing.appoint(admin.person, "organisation_administrator", by=town.operator)
    sent = inviting.to_project(slug, ELSEWHERE, organisation="hospital", name="P. Jansen", by=lead)
    with pytest.raises(WrongState, match="not vouched"):
        inviting.join(sent.code)
    with pytest.raises(NotPermitted):
        inviting.of_organisation("hospital", by=lead)
    assert [one.id for one in inviting.of_organisation("hospital", by=town.again(admin))] == [sent.invitation.id]
    inviting.vouch(sent.invitation.id, by=town.again(admin))
    person, token = inviting.join(sent.code, name="Piet Jansen")
    caller = town.services.identity.caller_of(token)
    assert (person.name, person.email, caller.organisation) == ("Piet Jansen", ELSEWHERE, admin.organisation)
    assert caller.is_member_of(town.services.access.project(slug).id)
    assert caller.rights == town.person("other").rights


def test_of_eight_who_come_with_one_invitation_one_gets_in(town: Town) -> None:
    inviting = town.services.joining.inviting
    sent = inviting.to_organisation("factory", "new@factory.example", "New", by=town.operator)
    outcomes = at_once(lambda _: inviting.join(sent.code), times=8)
    assert sum(not isinstance(one, Exception) for one in outcomes) == 1
    assert all(isinstance(one, NotFound | NotAuthenticated) for one in outcomes if isinstance(one, Exception)), outcomes


def test_the_first_of_an_organisation_administers_it_and_the_second_does_not(town: Town) -> None:
    inviting, access = town.services.joining.inviting, town.services.access
    access.create_organisation("Umc", "hospital", "NL", by=town.operator)
    first = town.caller(inviting.join(inviting.to_organisation("umc", "a@umc.example", by=town.operator).code)[0])
    second = inviting.join(inviting.to_organisation("umc", "b@umc.example", by=first).code)[0]
    assert access.person(first.person).roles == {"organisation_administrator"}
    assert second.roles == frozenset()
    with pytest.raises(NotPermitted):
        inviting.to_organisation("factory", "c@factory.example", by=first)
    with pytest.raises(NotPermitted):
        inviting.to_organisation("umc", "d@umc.example", roles=["expert"], by=first)


def test_an_invitation_ends_after_a_week_when_it_is_withdrawn_and_when_it_is_made_again(town: Town) -> None:
    inviting = town.services.joining.inviting
    (slug, lead), doctor = led(town), town.person("hospital")
    to = address(town, doctor)
    first = inviting.to_project(slug, to, by=lead)
    second = inviting.to_project(slug, to, by=lead)
    with pytest.raises(NotFound):
        inviting.accept(first.code, by=doctor)
    inviting.withdraw(second.invitation.id, by=lead)
    with pytest.raises(NotFound):
        inviting.accept(second.code, by=doctor)
    with pytest.raises(WrongState):
        inviting.withdraw(second.invitation.id, by=lead)
    third = inviting.to_project(slug, to, by=lead)
    town.clock.move(timedelta(days=7))
    with pytest.raises(NotFound):
        inviting.accept(third.code, by=town.again(doctor))
    assert (inviting.expire(), inviting.expire()) == (1, 0)
    assert not any(one.email for one in inviting.of_project(slug, by=lead))


def test_an_address_is_mailed_five_times_in_a_day_and_an_inviter_mails_fifty(town: Town) -> None:
    inviting, (slug, lead), (other, second) = town.services.joining.inviting, led(town), led(town)
    for _ in range(4):
        inviting.to_project(slug, ELSEWHERE, by=lead)
    inviting.to_project(other, ELSEWHERE.upper(), by=second)  # whoever invites, into whatever project
    for by, where in ((lead, slug), (second, other)):
        with pytest.raises(RateLimited, match="5 times in a day") as refused:
            inviting.to_project(where, ELSEWHERE, by=by)
        assert refused.value.fields["retry_after_seconds"] == 24 * 3600 + 1
    for number in range(46):
        inviting.to_project(slug, f"s{number}@hospital.example", by=lead)
    with pytest.raises(RateLimited, match="50 times in a day"):
        inviting.to_project(slug, "one-more@hospital.example", by=lead)
    inviting.to_project(other, "one-more@hospital.example", by=second)
    town.clock.move(timedelta(days=1))
    inviting.to_project(slug, ELSEWHERE, by=town.again(lead))


def test_strangers_neither_see_nor_end_invitations_and_members_make_none(town: Town) -> None:
    inviting = town.services.joining.inviting
    (slug, lead), member, stranger = led(town), town.person("weefsel"), town.person("other")
    sent = inviting.to_project(slug, ELSEWHERE, by=lead)
    town.services.access.add_member(slug, member.person, "member", by=lead)
    for somebody in (town.again(member), stranger):
        with pytest.raises(NotPermitted):
            inviting.to_project(slug, "x@other.example", by=somebody)
        with pytest.raises(NotFound) as hidden:
            inviting.withdraw(sent.invitation.id, by=somebody)
        with pytest.raises(NotFound) as absent:
            inviting.withdraw("inv_nothing", by=somebody)
        assert hidden.value.detail == absent.value.detail


def test_who_lost_the_right_to_invite_invites_nobody_until_a_lead_stands_for_it(town: Town) -> None:
    inviting = town.services.joining.inviting
    (slug, lead), second, doctor = led(town), town.person("weefsel"), town.person("hospital")
    town.services.access.add_member(slug, second.person, "lead", by=lead)
    sent = inviting.to_project(slug, address(town, doctor), by=town.again(second))
    town.services.joining.leavers.leave(second.person, why="contract ended", by=town.operator)
    assert [inviting.holds(one) for one in inviting.of_project(slug, by=lead)] == [False]
    with pytest.raises(WrongState):
        inviting.accept(sent.code, by=doctor)
    inviting.vouch(sent.invitation.id, by=lead)
    inviting.accept(sent.code, by=doctor)


@pytest.mark.parametrize(
    "odd",
    ["\u212aees@weefsel.example", "\u0430dmin@weefsel.example", "a@weefsel.example\nBcc: x@y.example", "a b@weefsel.example", "a@@weefsel.example",
     "a@weefsel", "a@-x.example", "a..b@weefsel.example", "\u202ea@weefsel.example", "a" * 65 + "@weefsel.example", ""],
)  # fmt: skip
def test_an_address_that_only_looks_like_one_is_refused(town: Town, odd: str) -> None:
    slug, lead = led(town)
    with pytest.raises(InvalidInput):
        town.services.joining.inviting.to_project(slug, odd, by=lead)


def test_a_plus_is_another_mailbox_and_case_is_not(town: Town) -> None:
    inviting = town.services.joining.inviting
    inviting.join(inviting.to_organisation("factory", "Piet+a@Factory.example", by=town.operator).code)
    with pytest.raises(AlreadyExists):
        inviting.to_organisation("factory", "PIET+A@factory.example", by=town.operator)
    person, _ = inviting.join(inviting.to_organisation("factory", "piet@factory.example", by=town.operator).code)
    assert person.email == "piet@factory.example"


def test_addresses_of_the_invited_stay_out_of_the_audit_log(town: Town) -> None:
    slug, lead = led(town)
    town.services.joining.inviting.to_project(slug, "canary@hospital.example", name="Canary", by=lead)
    said = repr(town.services.audit.events(by=town.operator, limit=100))
    assert "invitation.made" in said
    assert "anary" not in said


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_role_gives_itself_another_and_only_administrators_give_any(town: Town) -> None:
    appointing, access = town.services.joining.appointing, town.services.access
    other = town.person("weefsel")
    tried = 0
    for held, wanted in product(sorted(GLOBAL), sorted(GLOBAL)):
        someone = town.person("weefsel", held)
        tried += 1
        with pytest.raises((NotPermitted, AlreadyExists)):
            appointing.appoint(someone.person, wanted, by=someone)
        assert access.person(someone.person).roles == {held}
        within = held == "organisation_administrator" and wanted in OF_AN_ORGANISATION
        if held != "administrator" and not within:
            with pytest.raises(NotPermitted):
                appointing.appoint(other.person, wanted, by=someone)
            with pytest.raises(NotPermitted):
                access.invite("weefsel", "X", f"x{tried}@weefsel.example", [wanted], by=someone)
            with pytest.raises(NotPermitted):
                town.services.joining.inviting.to_organisation(
                    "weefsel", "x@weefsel.example", roles=[wanted], by=someone
                )
    assert tried == len(GLOBAL) ** 2
    assert access.person(other.person).roles == frozenset()


def test_an_organisations_administrator_appoints_within_it_and_not_beyond(town: Town) -> None:
    appointing = town.services.joining.appointing
    admin, colleague, stranger = (
        town.person("weefsel", "organisation_administrator"),
        town.person("weefsel"),
        town.person("other"),
    )
    assert appointing.appoint(colleague.person, "key_holder", by=admin).roles == {"key_holder"}
    with pytest.raises(NotFound):
        appointing.appoint(stranger.person, "key_holder", by=admin)
    with pytest.raises(NotPermitted):
        appointing.appoint(colleague.person, "administrator", by=admin)


def test_pairs_that_are_kept_apart_are_refused_with_the_reason(town: Town) -> None:
    someone = town.person("weefsel", "auditor")
    with pytest.raises(NotPermitted, match="who runs the factory does not audit it"):
        town.services.joining.appointing.appoint(someone.person, "operator", by=town.operator)
    with pytest.raises(NotPermitted, match="kept apart"):
        town.services.access.invite("weefsel", "X", "x@weefsel.example", ["auditor", "operator"], by=town.operator)


def test_the_last_administrator_stays_whichever_way_they_would_go(town: Town) -> None:
    joining, last = town.services.joining, town.operator
    officer = town.person("factory", "security_officer")
    with pytest.raises(WrongState):
        joining.appointing.take(last.person, "administrator", by=last)
    with pytest.raises(WrongState):
        joining.leavers.leave(last.person, why="gone", by=last)
    with pytest.raises(WrongState):
        joining.leavers.leave(last.person, why="gone", by=officer)
    assert town.again(last).may("person.appoint")


def test_two_administrators_who_go_at_once_leave_one(town: Town) -> None:
    joining = town.services.joining
    both = [town.person("factory", "administrator") for _ in range(2)]
    joining.appointing.take(town.operator.person, "administrator", by=both[0])
    acts = [
        lambda: joining.appointing.take(both[1].person, "administrator", by=both[0]),
        lambda: joining.leavers.leave(both[0].person, why="gone", by=both[1]),
    ]
    outcomes = at_once(lambda number: acts[number](), times=2)
    assert sorted(isinstance(one, WrongState) for one in outcomes) == [False, True], outcomes
    still = [one for one in both if "administrator" in town.services.access.person(one.person).roles]
    assert len(still) == 1
    assert town.services.access.person(still[0].person).active


def test_who_leaves_has_nothing_open_and_comes_back_with_nothing(town: Town) -> None:
    services, leavers = town.services, town.services.joining.leavers
    (slug, lead), member = led(town), town.person("hospital", "expert")
    services.access.add_member(slug, member.person, "member", by=lead)
    member = town.again(member)
    services.vault.create(slug, "biopsies", by=lead)
    fill(services, services.vault.open_upload(slug, "biopsies", by=lead), {"a": b"1"}, by=lead)
    epoch = services.vault.find("biopsies", project=slug, by=lead).epoch
    token = services.identity.issue_token(member.person, by=member)
    _, cookie = services.identity.redeem(services.identity.issue_link(member.person, by=member), session=True)
    with pytest.raises(NotPermitted):
        leavers.leave(member.person, why="x", by=lead)
    left = leavers.leave(member.person, why="contract ended", by=town.operator)
    assert left.closed_at is not None
    assert left.held == {services.access.project(slug).id: "member"}
    for door, secret in ((services.identity.caller_of, token), (services.identity.caller_of_session, cookie)):
        with pytest.raises(NotAuthenticated):
            door(secret)
    assert [one.person for one, _ in services.access.members(slug, by=lead)] == [lead.person]
    assert services.vault.find("biopsies", project=slug, by=lead).epoch == epoch + 1
    assert leavers.leave(member.person, why="again", by=town.operator) == left
    back = leavers.come_back(member.person, by=town.operator)
    assert (back.active, back.roles) == (True, frozenset())
    assert not town.caller(back).project_rights
    with pytest.raises(WrongState):
        leavers.come_back(member.person, by=town.operator)


def test_a_last_lead_who_leaves_hands_over_or_leaves_the_project_to_the_operators(town: Town) -> None:
    joining, access = town.services.joining, town.services.access
    (slug, lead), (second, other), colleague = led(town), led(town), town.person("weefsel")
    stranger, operator = town.person("other"), town.person("factory", "operator")
    kept = joining.leavers.leave(other.person, why="moved", successor=colleague.person, by=town.operator)
    assert kept.left_alone == ()
    assert town.again(colleague).may("project.manage", project=access.project(second).id)
    left = joining.leavers.leave(lead.person, why="moved", successor=stranger.person, by=town.operator)
    assert left.left_alone == (access.project(slug).id,)
    assert [one.slug for one in joining.appointing.without_lead(by=operator)] == [slug]
    for person, kind in ((stranger.person, NotPermitted), (operator.person, NotPermitted)):
        with pytest.raises(kind):
            joining.appointing.appoint_lead(slug, person, by=operator)
    joining.appointing.appoint_lead(slug, colleague.person, by=operator)
    with pytest.raises(WrongState):
        joining.appointing.appoint_lead(slug, town.person("weefsel").person, by=operator)
    assert joining.appointing.without_lead(by=operator) == []


def test_who_removes_a_sole_lead_does_not_take_the_project_over_with_its_data(town: Town) -> None:
    leavers, access = town.services.joining.leavers, town.services.access
    (slug, lead), admin = led(town), town.person("weefsel", "organisation_administrator")
    colleague, member, operator = town.person("weefsel"), town.person("partner"), town.person("factory", "operator")
    access.add_member(slug, member.person, "member", by=lead)
    # Themselves, or somebody of theirs who reads nothing there yet: neither, and it is not told who is known.
    for said in (
        admin.person,
        address(town, admin),
        colleague.person,
        address(town, colleague),
        "nobody@weefsel.example",
    ):
        with pytest.raises(NotFound, match="no such person to take over"):
            leavers.leave(lead.person, why="gone", successor=said, by=admin)
    with pytest.raises(NotPermitted) as oneself:
        leavers.leave(lead.person, why="gone", successor=town.operator.person, by=town.operator)
    assert oneself.value.fields["rule"] == "appoint.self"
    assert access.person(lead.person).active
    left = leavers.leave(lead.person, why="gone", successor=member.person, by=admin)
    assert left.left_alone == ()
    assert leavers.leave(lead.person, why="gone", successor=member.person, by=admin) == left
    assert town.again(member).may("project.manage", project=access.project(slug).id)
    # A member among others takes over where they are one, and no other project beside.
    other = town.project(member)
    assert leavers.leave(member.person, why="gone", by=town.operator).left_alone
    assert {one.slug for one in town.services.joining.appointing.without_lead(by=operator)} == {slug, other}


def test_the_administrator_who_is_a_member_names_no_one_but_themselves_in_vain(town: Town) -> None:
    leavers, (slug, lead) = town.services.joining.leavers, led(town)
    admin = town.person("weefsel", "organisation_administrator")
    town.services.access.add_member(slug, admin.person, "member", by=lead)
    with pytest.raises(NotPermitted) as refused:
        leavers.leave(lead.person, why="gone", successor=admin.person, by=town.again(admin))
    assert refused.value.fields["rule"] == "appoint.self"


def test_a_successor_of_one_project_does_not_come_into_the_leavers_others(town: Town) -> None:
    leavers, access, (first, lead) = town.services.joining.leavers, town.services.access, led(town)
    second, member = town.project(lead), town.person("weefsel")
    lead = town.again(lead)
    access.add_member(first, member.person, "member", by=lead)
    left = leavers.leave(lead.person, why="moved", successor=member.person, by=lead)
    assert left.left_alone == (access.project(second).id,)
    assert set(town.again(member).project_rights) == {access.project(first).id}


@pytest.mark.parametrize("role", ["auditor", "security_officer", "administrator"])
def test_an_organisations_administrator_removes_nobody_who_may_more(town: Town, role: str) -> None:
    leavers, admin = town.services.joining.leavers, town.person("factory", "organisation_administrator")
    someone = town.person("factory", role)
    with pytest.raises(NotPermitted, match="rights that you do not"):
        leavers.leave(someone.person, why="inconvenient", by=admin)
    assert town.again(someone).rights == someone.rights
    leavers.leave(someone.person, why="moved", by=town.operator)
    assert not town.services.access.person(someone.person).active


def test_who_may_not_let_somebody_go_learns_of_no_address(town: Town) -> None:
    leavers, known = town.services.joining.leavers, town.person("hospital")
    me = town.person("weefsel")
    for said in (address(town, known), "nobody@hospital.example", known.person, "per_nobody"):
        with pytest.raises(NotFound, match="no such person to take over"):
            leavers.leave(me.person, why="x", successor=said, by=me)
        with pytest.raises(NotPermitted):
            leavers.leave(said, why="x", by=me)
    with pytest.raises(InvalidInput):
        leavers.leave(me.person, why="x\ny", successor=address(town, known), by=me)


def test_an_organisations_administrator_lets_its_own_go_and_nobody_elses(town: Town) -> None:
    leavers, admin = town.services.joining.leavers, town.person("weefsel", "organisation_administrator")
    colleague, stranger = town.person("weefsel"), town.person("other")
    assert leavers.leave(colleague.person, why="left", by=admin).person == colleague.person
    with pytest.raises(NotFound):
        leavers.leave(stranger.person, why="left", by=admin)
    assert leavers.leave(stranger.person, why="moved on", by=stranger).by == stranger.person


def test_what_cannot_be_closed_now_is_closed_later_and_the_person_is_out_at_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, leavers = town.services, town.services.joining.leavers
    (slug, lead), member = led(town), town.person("hospital")
    services.access.add_member(slug, member.person, "member", by=lead)
    token = services.identity.issue_token(member.person, by=town.again(member))

    def away(*_: object, **__: object) -> None:
        raise Unavailable("the keys are away")

    with monkeypatch.context() as patched:
        patched.setattr(type(services.vault), "_close_in", away)
        services.vault.create(slug, "biopsies", by=lead)
        assert leavers.leave(member.person, why="left", by=town.operator).closed_at is None
        assert leavers.close_what_waits() == 0
    with pytest.raises(NotAuthenticated):
        services.identity.caller_of(token)
    assert (leavers.close_what_waits(), leavers.close_what_waits()) == (1, 0)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_where_there_is_a_relay_the_link_goes_to_the_address_and_to_nobody_else(
    database: Database, tmp_path: Path
) -> None:
    with taking_mail() as mailbox:
        town = a_town(
            database, tmp_path / "home", mail_host="127.0.0.1", mail_port=mailbox.port, mail_from="f@factory.example", mail_tls="none",
            portal_url="https://factory.example",
        )  # fmt: skip
        slug, lead = led(town)
        sent = town.services.joining.inviting.to_project(slug, ELSEWHERE, by=lead)
        mailbox.refuses = "550 nobody here"
        refused = town.services.joining.inviting.to_project(slug, "x@hospital.example", by=lead)
    ((to, mail),) = mailbox.came
    assert (sent.mailed, to) == (True, ELSEWHERE)
    assert f"https://factory.example/invitations/{sent.code}" in mail.get_content()
    assert slug not in mail.get_content()
    assert (refused.mailed, "550" in refused.why) == (False, True)
