"""Who gets in, on both databases: links that open once, secrets that run out, rights that nobody gives themselves."""

from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.access.login.credentials import LINK_FOR, TOKEN_FOR
from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotAuthenticated, NotFound, NotPermitted
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.factories.threads import at_once

ANSWERS = {"title": "A project", "summary": "x", "purpose": "civilian", "gpu_hours": 5, "months": "1", "data": "x"}


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def test_of_eight_who_come_with_one_link_exactly_one_gets_in(town: Town) -> None:
    code = town.services.identity.issue_link(town.person("weefsel").person, by=town.operator)
    outcomes = at_once(lambda _: town.services.identity.redeem(code), times=8)
    assert sum(not isinstance(one, Exception) for one in outcomes) == 1
    assert all(isinstance(one, NotAuthenticated) for one in outcomes if isinstance(one, Exception)), outcomes


def test_secrets_run_out_at_their_instant(town: Town) -> None:
    identity, person = town.services.identity, town.person("weefsel")
    link, token = identity.issue_link(person.person, by=town.operator), identity.issue_token(person.person, by=person)
    town.clock.move(LINK_FOR)
    with pytest.raises(NotAuthenticated):
        identity.redeem(link)
    assert identity.caller_of(token).person == person.person
    town.clock.move(TOKEN_FOR - LINK_FOR)
    with pytest.raises(NotAuthenticated):
        identity.caller_of(token)


def test_each_kind_of_secret_opens_its_own_door_and_no_other(town: Town) -> None:
    identity, services = town.services.identity, town.services
    lead = town.person("weefsel")
    project = services.access.project(town.project(lead))
    until = town.clock.now() + timedelta(hours=1)
    node, lab = (services.job_secrets.issue("job_1", project.id, kind, until) for kind in ("node", "lab"))
    _, session = identity.redeem(identity.issue_link(lead.person, by=lead), session=True)
    assert identity.caller_of(node).job == identity.caller_of_lab_token(lab).job == "job_1"
    for door, secrets in (
        (identity.caller_of, (lab, session)),
        (identity.caller_of_session, (node, lab)),
        (identity.caller_of_lab_token, (node, session)),
    ):
        for secret in secrets:
            with pytest.raises(NotAuthenticated):
                door(secret)
    services.job_secrets.end("job_1")
    for door, secret in ((identity.caller_of, node), (identity.caller_of_lab_token, lab)):
        with pytest.raises(NotAuthenticated):
            door(secret)


def test_the_first_sign_in_works_once_and_only_for_the_first(town: Town, tmp_path: Path) -> None:
    assert town.services.first_sign_in.secret() == ""
    database = a_database(tmp_path / "empty.db")
    from fabriek.bootstrap.building import build  # noqa: PLC0415
    from fabriek.settings import Settings  # noqa: PLC0415

    (tmp_path / "second").mkdir(mode=0o700)
    services = build(Settings(home=tmp_path / "second"), database, wake=lambda: None, executor=town.services.executor)
    old, new = services.first_sign_in.secret(), services.first_sign_in.secret()
    body = services.access.new_organisation("First", "operator", "NL")
    with pytest.raises(NotAuthenticated):
        services.first_sign_in.use(old, body, "A", "a@first.example")
    services.first_sign_in.use(new, body, "A", "a@first.example")
    with pytest.raises(NotAuthenticated):
        services.first_sign_in.use(new, body, "B", "b@first.example")
    database.close()


def test_nobody_gives_themselves_a_role_and_a_member_adds_nobody(town: Town) -> None:
    access = town.services.access
    lead, colleague = town.person("weefsel"), town.person("weefsel")
    slug = town.project(lead)
    lead = town.again(lead)
    with pytest.raises(NotPermitted):
        access.add_member(slug, lead.person, "member", by=lead)
    access.add_member(slug, colleague.person, "member", by=lead)
    member = town.again(colleague)
    with pytest.raises(NotPermitted):
        access.add_member(slug, town.person("other").person, "lead", by=member)
    with pytest.raises(NotPermitted):
        access.invite("weefsel", "X", "x@weefsel.example", ["operator"], by=member)
    with pytest.raises(InvalidInput):
        access.add_member(slug, colleague.person, "king", by=lead)
    with pytest.raises(InvalidInput):
        access.invite("weefsel", "X", "x@weefsel.example", ["king"], by=town.operator)


def test_a_stranger_has_no_right_in_a_project_and_partners_people_do(town: Town) -> None:
    doctor = town.person("hospital", kind="hospital")
    lead, stranger = town.person("weefsel"), town.person("other")
    slug = town.project(lead, partners=("hospital",))
    project = town.services.access.project(slug)
    assert town.again(doctor).may("data.write", project=project.id)
    assert not town.again(doctor).may("project.manage", project=project.id)
    assert not town.again(stranger).is_member_of(project.id)
    with pytest.raises(NotPermitted):
        town.services.access.members(slug, by=town.again(stranger))


def test_links_and_tokens_for_others_need_the_right_to_invite(town: Town) -> None:
    one, other = town.person("weefsel"), town.person("weefsel")
    with pytest.raises(NotPermitted):
        town.services.identity.issue_link(other.person, by=one)
    with pytest.raises(NotPermitted):
        town.services.identity.issue_token(other.person, by=town.operator)


def test_addresses_and_names_are_taken_once(town: Town) -> None:
    access = town.services.access
    access.create_organisation("Umc", "hospital", "NL", by=town.operator)
    with pytest.raises(AlreadyExists):
        access.create_organisation("UMC", "hospital", "NL", by=town.operator)
    access.invite("umc", "A", "a@umc.example", [], by=town.operator)
    with pytest.raises(AlreadyExists):
        access.invite("umc", "B", "A@umc.example", [], by=town.operator)
    for country, kvk in (("NLD", ""), ("NL", "123")):
        with pytest.raises(InvalidInput):
            access.create_organisation("New", "startup", country, kvk, by=town.operator)


@pytest.mark.parametrize(
    ("change", "field"),
    [({"gpu_hours": 5001}, "gpu_hours"), ({"gpu_hours": -1}, "gpu_hours"), ({"gpu_hours": True}, "gpu_hours"), ({"months": "4"}, "months"),
     ({"extra": "x"}, "extra"), ({"title": 7}, "title"), ({"title": "x" * 121}, "title"), ({"partners": "hospital"}, "partners")],
)  # fmt: skip
def test_an_answer_that_the_call_cannot_take_is_named(town: Town, change: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        town.services.intake.file("playground", ANSWERS | change, by=town.person("weefsel"))
    assert field in {one["field"] for one in refused.value.fields["errors"]}  # type: ignore[attr-defined,index]


def test_an_incomplete_application_is_not_submitted_and_one_from_elsewhere_is_refused(town: Town) -> None:
    intake, here = town.services.intake, town.person("weefsel")
    draft = intake.file("playground", {"title": "Half"}, by=here)
    with pytest.raises(InvalidInput):
        intake.submit(draft.id, by=here)
    assert intake.get(draft.id, by=here).state == "draft"
    far = town.person("far", country="US")
    refused = intake.submit(intake.file("playground", ANSWERS, by=far).id, by=far)
    assert refused.state == "refused"
    assert [one.name for one in refused.checks if not one.passed] == ["country"]


def test_another_organisations_application_is_not_there(town: Town) -> None:
    mine = town.services.intake.file("playground", ANSWERS, by=town.person("weefsel"))
    with pytest.raises(NotFound) as foreign:
        town.services.intake.get(mine.id, by=town.person("other"))
    with pytest.raises(NotFound) as random:
        town.services.intake.get("app_nothing", by=town.person("other"))
    assert foreign.value.detail == random.value.detail


def test_names_and_addresses_stay_out_of_the_audit_log(town: Town) -> None:
    town.services.access.invite("factory", "Canary Person", "canary@factory.example", [], by=town.operator)
    said = repr(town.services.audit.events(by=Caller("x", rights=frozenset({"audit.read"})), limit=100))
    assert "person.invited" in said
    assert "anary" not in said
