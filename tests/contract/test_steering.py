"""Changing what a project is, on both databases: title and contact by its lead, purpose and ceiling never by one person."""

from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import FabriekError, InvalidInput, NotFound, NotPermitted, WrongState
from tests.factories.services import Town, a_town


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def led(town: Town, *roles: str) -> tuple[str, Caller]:
    lead = town.person("weefsel", *roles)
    slug = town.project(lead)
    return slug, town.again(lead)


def test_a_lead_sets_title_and_contact_and_a_contact_who_leaves_is_none_any_more(town: Town) -> None:
    steering, access = town.services.joining.steering, town.services.access
    (slug, lead), member, stranger = led(town), town.person("weefsel"), town.person("hospital")
    access.add_member(slug, member.person, "member", by=lead)
    assert steering.set(slug, title=" New title ", contact=member.person, by=lead).title == "New title"
    assert access.project(slug).title == "New title"
    contact = steering.contact(slug, by=lead)
    assert contact is not None
    assert contact.id == member.person
    for wrong in (stranger.person, "per_nothing", "nobody@x.example"):
        with pytest.raises(InvalidInput, match="member"):
            steering.set(slug, contact=wrong, by=lead)
    for title in ("", "x" * 201, "two\nlines", "\x1b[31mred"):
        with pytest.raises(InvalidInput):
            steering.set(slug, title=title, by=lead)
    with pytest.raises(NotPermitted):
        steering.set(slug, title="Theirs", by=town.again(member))
    town.services.vault.remove_member(slug, member.person, by=lead)
    contact = steering.contact(slug, by=lead)
    assert contact is not None
    assert contact.id == lead.person


def test_another_purpose_waits_for_a_second_person(town: Town) -> None:
    steering, access = town.services.joining.steering, town.services.access
    slug, lead = led(town, "operator")
    made = steering.propose(slug, "purpose", "dual_use", "a partner joined", by=lead)
    assert access.project(slug).purpose == "civilian"
    with pytest.raises(NotPermitted) as alone:
        steering.decide(made.id, agree=True, by=lead)
    assert alone.value.fields["rule"] == "proposal.second_person"
    member = town.person("weefsel")
    access.add_member(slug, member.person, "member", by=lead)
    for act in (
        lambda: steering.decide(made.id, agree=True, by=town.again(member)),
        lambda: steering.propose(slug, "purpose", "dual_use", "x", by=town.again(member)),
        lambda: steering.waiting(slug, by=town.person("hospital")),
    ):
        with pytest.raises(NotPermitted):
            act()
    with pytest.raises(NotFound):
        steering.decide("chg_nothing", agree=True, by=town.operator)
    assert [one.id for one in steering.waiting(by=town.operator)] == [made.id]
    assert steering.decide(made.id, agree=True, by=town.operator).outcome == "signed"
    assert access.project(slug).purpose == "dual_use"
    with pytest.raises(WrongState):
        steering.decide(made.id, agree=False, by=town.operator)
    assert steering.waiting(slug, by=lead) == []


def test_what_the_paying_share_forbids_is_refused_and_words_that_are_none(town: Town) -> None:
    town.person("union", kind="funder")
    hours = {"gpu_hour": 1_000, "cpu_hour": 100_000_000, "expert_hour": 1_000}
    town.services.giving.contribute("union", "eu", 1_000_000, hours, name="union", by=town.operator)
    steering, (slug, lead) = town.services.joining.steering, led(town)  # of the share that is the more restricted
    with pytest.raises(NotPermitted, match="union") as refused:
        steering.propose(slug, "purpose", "exclusively_military", "to see", by=lead)
    assert refused.value.fields["rule"].startswith("purpose.")
    for what, value, why in (
        ("purpose", "war", "x"), ("title", "x", "x"), ("ceiling", "nothing", "x"), ("purpose", "civilian", "x"), ("purpose", "dual_use", " "),
    ):  # fmt: skip
        with pytest.raises(FabriekError):
            steering.propose(slug, what, value, why, by=lead)
    assert steering.waiting(slug, by=lead) == []


def test_a_ceiling_does_not_fall_below_what_is_there_also_not_when_it_came_later(town: Town) -> None:
    steering, (slug, lead) = town.services.joining.steering, led(town)
    first = steering.propose(slug, "ceiling", "internal", "less is needed", by=lead)
    made = steering.propose(slug, "ceiling", "internal", "less is needed here", by=lead)
    assert [one.id for one in steering.waiting(slug, by=lead)] == [made.id]
    with pytest.raises(WrongState):
        steering.decide(first.id, agree=True, by=town.operator)
    town.services.vault.create(slug, "biopsies", label="personal", by=lead)
    with pytest.raises(WrongState, match="biopsies"):
        steering.decide(made.id, agree=True, by=town.operator)
    with pytest.raises(WrongState, match="biopsies"):
        steering.propose(slug, "ceiling", "internal", "again", by=lead)
    assert steering.decide(made.id, agree=False, by=town.operator).outcome == "refused"
