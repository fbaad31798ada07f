"""The review of access, every quarter, on both databases: kept, removed, or standing still until a lead says otherwise."""

from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.access.joining.reviews import Decision
from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotFound, NotPermitted, Unavailable, WrongState
from tests.factories.services import Town, a_town


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def next_quarter(town: Town) -> None:
    """The first quarter of an installation has nothing to look over; the second does."""
    quarterly = town.services.joining.quarterly
    assert quarterly.open_due() == 0
    town.clock.move(timedelta(days=60))
    assert quarterly.open_due() > 0
    assert quarterly.open_due() == 0


def peopled(town: Town) -> tuple[str, Caller, Caller, Caller]:
    lead, one, two = town.person("weefsel"), town.person("weefsel"), town.person("hospital")
    slug = town.project(lead)
    for person in (one, two):
        town.services.access.add_member(slug, person.person, "member", by=town.again(lead))
    return slug, town.again(lead), one, two


def in_it(town: Town, slug: str) -> set[str]:
    return {
        one.person for one in town.services.joining.inviting._projects.members(town.services.access.project(slug).id)
    }


def test_what_nobody_confirmed_stands_still_and_a_lead_brings_it_back(town: Town) -> None:
    quarterly = town.services.joining.quarterly
    slug, lead, kept, forgotten = peopled(town)
    next_quarter(town)
    lead = town.again(lead)
    quarterly.decide(slug, keep=[kept.person], by=lead)
    town.clock.move(timedelta(days=14))
    assert quarterly.close_due() == 0  # the last day counts
    town.clock.move(timedelta(days=1))
    assert quarterly.close_due() > 0
    assert quarterly.close_due() == 0
    project = town.services.access.project(slug).id
    assert in_it(town, slug) == {lead.person, kept.person}
    assert not town.again(forgotten).is_member_of(project)
    assert {one.person: one.decision for one in quarterly.of_project(slug, by=lead)[1]} == {
        lead.person: Decision.KEPT, kept.person: Decision.KEPT, forgotten.person: Decision.SUSPENDED,
    }  # fmt: skip
    quarterly.decide(slug, keep=[forgotten.person], by=lead)
    assert town.again(forgotten).may("data.write", project=project)
    assert not town.again(forgotten).may("project.manage", project=project)


def test_a_lead_removes_and_a_project_that_nobody_looked_over_keeps_its_lead(town: Town) -> None:
    quarterly = town.services.joining.quarterly
    (slug, lead, one, two), (other, second, _, _) = peopled(town), peopled(town)
    next_quarter(town)
    lead = town.again(lead)
    review, _ = quarterly.decide(slug, keep=[one.person], remove=[two.person], by=lead)
    assert review.closed_at is not None
    assert in_it(town, slug) == {lead.person, one.person}
    with pytest.raises(WrongState):
        quarterly.decide(slug, keep=[two.person], by=lead)
    town.clock.move(timedelta(days=15))
    quarterly.close_due()
    assert in_it(town, other) == {second.person}


def test_only_leads_decide_and_only_on_who_is_listed(town: Town) -> None:
    quarterly = town.services.joining.quarterly
    slug, lead, member, _ = peopled(town)
    next_quarter(town)
    with pytest.raises(NotPermitted):
        quarterly.decide(slug, keep=[member.person], by=town.again(member))
    with pytest.raises(NotPermitted):
        quarterly.decide(slug, remove=[lead.person], by=town.again(lead))
    with pytest.raises(NotFound):
        quarterly.decide(slug, keep=["per_nobody"], by=town.again(lead))
    with pytest.raises(NotPermitted):
        quarterly.decide_role(member.person, "expert", keep=True, by=town.again(lead))


def test_roles_are_confirmed_by_another_and_the_last_administrator_stays(town: Town) -> None:
    quarterly, access = town.services.joining.quarterly, town.services.access
    expert, reviewer = town.person("weefsel", "expert"), town.person("weefsel", "reviewer")
    next_quarter(town)
    operator = town.again(town.operator)
    with pytest.raises(NotPermitted):
        quarterly.decide_role(operator.person, "administrator", keep=True, by=operator)
    quarterly.decide_role(expert.person, "expert", keep=True, by=operator)
    town.clock.move(timedelta(days=15))
    quarterly.close_due()
    assert access.person(expert.person).roles == {"expert"}
    assert access.person(reviewer.person).roles == frozenset()
    assert access.person(operator.person).roles == {"administrator"}
    quarterly.decide_role(reviewer.person, "reviewer", keep=True, by=town.again(operator))
    assert access.person(reviewer.person).roles == {"reviewer"}


def test_remove_takes_whoever_came_back_by_another_way_since_they_stood_still(town: Town) -> None:
    quarterly, access, appointing = (
        town.services.joining.quarterly,
        town.services.access,
        town.services.joining.appointing,
    )
    slug, lead, kept, back = peopled(town)
    expert = town.person("weefsel", "expert")
    next_quarter(town)
    lead, operator = town.again(lead), town.again(town.operator)
    quarterly.decide(slug, keep=[kept.person], by=lead)
    town.clock.move(timedelta(days=15))
    quarterly.close_due()
    access.add_member(slug, back.person, "lead", by=town.again(lead))
    appointing.appoint(expert.person, "expert", by=town.again(operator))
    quarterly.decide(slug, remove=[back.person], by=town.again(lead))
    quarterly.decide_role(expert.person, "expert", keep=False, by=town.again(operator))
    assert in_it(town, slug) == {lead.person, kept.person}
    assert not town.again(back).project_rights
    assert access.person(expert.person).roles == frozenset()


def test_who_left_while_they_stood_still_is_not_kept_and_has_nothing_on_return(town: Town) -> None:
    quarterly, leavers = town.services.joining.quarterly, town.services.joining.leavers
    slug, lead, kept, gone = peopled(town)
    next_quarter(town)
    quarterly.decide(slug, keep=[kept.person], by=town.again(lead))
    town.clock.move(timedelta(days=15))
    quarterly.close_due()
    leavers.leave(gone.person, why="left", by=town.again(town.operator))
    with pytest.raises(WrongState, match="no longer here") as refused:
        quarterly.decide(slug, keep=[gone.person], by=town.again(lead))
    leavers.come_back(gone.person, by=town.again(town.operator))
    assert town.again(gone).project_rights == {}
    assert in_it(town, slug) == {lead.person, kept.person}
    assert f"--remove {gone.person}" in refused.value.fix
    quarterly.decide(slug, remove=[gone.person], by=town.again(lead))


def test_to_keep_a_role_that_was_given_anew_is_no_error(town: Town) -> None:
    quarterly, expert = town.services.joining.quarterly, town.person("weefsel", "expert")
    next_quarter(town)
    town.clock.move(timedelta(days=15))
    quarterly.close_due()
    town.services.joining.appointing.appoint(expert.person, "expert", by=town.again(town.operator))
    quarterly.decide_role(expert.person, "expert", keep=True, by=town.again(town.operator))
    assert town.services.access.person(expert.person).roles == {"expert"}


def test_one_who_cannot_be_closed_holds_up_nobody_and_is_tried_again(
    town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    services, quarterly = town.services, town.services.joining.quarterly
    (slug, lead, one, two), (other, second, *others) = peopled(town), peopled(town)
    next_quarter(town)
    for project, by, kept in ((slug, lead, lead), (other, second, second)):
        assert kept.person == by.person
        quarterly.decide(project, keep=[by.person], by=town.again(by))
    town.clock.move(timedelta(days=15))
    whole = type(services.vault).close_member

    def away(vault: object, project: str, person: str, *, by: Caller) -> None:
        if person == one.person:
            raise Unavailable("the keys are away")
        whole(vault, project, person, by=by)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(type(services.vault), "close_member", away)
        assert quarterly.close_due() > 0
    assert "could not be closed" in caplog.text
    assert in_it(town, other) == {second.person}
    assert in_it(town, slug) == {lead.person, one.person}  # nothing half done: who is not closed is still a member
    assert quarterly.of_project(slug, by=town.again(lead))[0].closed_at is None
    assert quarterly.close_due() == 1
    assert in_it(town, slug) == {lead.person}
    assert quarterly.of_project(slug, by=town.again(lead))[0].closed_at is not None
    assert {one.person, two.person, *(each.person for each in others)}.isdisjoint(
        in_it(town, slug) | in_it(town, other)
    )
