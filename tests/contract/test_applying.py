"""Drafts on both databases: who may edit, whose edit counts, what is refused once it was submitted, and calls that are not open."""

from pathlib import Path

import pytest

from fabriek.access.applying.answers import progress_of
from fabriek.access.applying.applications import ApplicationState
from fabriek.access.applying.moving import move_on
from fabriek.access.organisations import OrganisationKind
from fabriek.adapters.database import Database
from fabriek.kernel.errors import InvalidInput, NotFound, Stale, WrongState
from tests.factories.calls import A_CALL, ANSWERS
from tests.factories.services import Town, a_town, restarted
from tests.factories.threads import at_once


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls" / "harvest.toml").write_text(A_CALL)
    return a_town(database, tmp_path / "home", calls=tmp_path / "calls")


def with_call(town: Town, text: str) -> Town:
    """The operator wrote this into the call's file, and started anew."""
    assert town.services.settings.calls is not None
    (town.services.settings.calls / "harvest.toml").write_text(text)
    return restarted(town)


def test_a_draft_is_filled_in_part_by_part_by_several_and_submitted(town: Town) -> None:
    intake, jan, mia = town.services.intake, town.person("farm"), town.person("farm")
    draft = intake.file("harvest", {"title": " Rye "}, by=jan)
    assert intake.editing(draft.id, by=jan).revision == 1
    intake.edit(draft.id, {"gpu_hours": 10, "months": "1"}, revision=1, by=mia)
    intake.edit(draft.id, dict(ANSWERS), revision=2, by=jan)
    edited = intake.edit(draft.id, {"words": ["a"], "sown": ""}, revision=3, by=mia)
    assert edited.answers == {**ANSWERS, "words": ["a"]}
    assert intake.edit(draft.id, {"words": None}, by=mia).answers == ANSWERS
    assert intake.editing(draft.id, by=mia).edited_by == mia.person
    assert intake.submit(draft.id, by=jan).state is ApplicationState.ELIGIBLE


def test_of_eight_who_edit_the_same_state_exactly_one_is_not_stale(town: Town) -> None:
    intake, jan = town.services.intake, town.person("farm")
    draft = intake.file("harvest", {}, by=jan)
    outcomes = at_once(lambda number: intake.edit(draft.id, {"title": f"Number {number}"}, revision=1, by=jan), times=8)
    assert sorted(type(one).__name__ for one in outcomes) == ["Application"] + ["Stale"] * 7
    assert intake.editing(draft.id, by=jan).revision == 2


def test_a_strict_edit_changes_nothing_where_one_answer_is_wrong_and_a_kept_one_keeps_the_rest(town: Town) -> None:
    intake, jan = town.services.intake, town.person("farm")
    draft = intake.file("harvest", {"title": "Rye"}, by=jan)
    wrong = {"title": "Oats", "gpu_hours": 5000, "months": "7", "plan": [{"month": 1}]}
    with pytest.raises(InvalidInput):
        intake.edit(draft.id, wrong, by=jan)
    assert intake.get(draft.id, by=jan).answers == {"title": "Rye"}
    kept = intake.keep(draft.id, wrong, revision=1, by=jan)
    assert [one.field for one in kept.faults] == ["gpu_hours", "months"]
    assert kept.application.answers == {"title": "Oats", "gpu_hours": 5000, "plan": [{"month": 1}]}
    assert kept.editing.revision == 2
    again = intake.keep(draft.id, {"title": "Oats"}, revision=2, by=jan)
    assert again.editing.revision == 2, "nothing changed, so nobody else's edit is stale"
    with pytest.raises(Stale) as raised:
        intake.keep(draft.id, {"title": "Barley"}, revision=1, by=jan)
    assert raised.value.fields == {"revision": 2}
    with pytest.raises(InvalidInput, match="gpu_hours"):
        intake.submit(draft.id, by=jan)


def test_nothing_is_edited_after_the_submission_but_what_was_asked_about(town: Town) -> None:
    intake, jan = town.services.intake, town.person("farm")
    draft = intake.file("harvest", dict(ANSWERS), by=jan)
    intake.submit(draft.id, by=jan)
    for verb in (intake.edit, intake.keep):
        with pytest.raises(WrongState, match="title cannot be changed any more"):
            verb(draft.id, {"title": "Something else"}, by=jan)
    with pytest.raises(WrongState):
        intake.edit(draft.id, {}, by=jan)
    with pytest.raises(WrongState):
        intake.share(draft.id, town.person("mill").person, by=jan)
    intake.asked_again = lambda application: frozenset({"words"})
    with pytest.raises(WrongState, match="title cannot"):
        intake.edit(draft.id, {"title": "Something else", "words": ["a"]}, by=jan)
    assert intake.edit(draft.id, {"words": ["a"]}, by=jan).answers["words"] == ["a"]


def test_who_is_not_of_the_organisation_sees_nothing_until_it_is_shared_with_them(town: Town) -> None:
    intake, jan, stranger = town.services.intake, town.person("farm"), town.person("mill")
    draft = intake.file("harvest", {"title": "Rye"}, by=jan)
    for act in (
        lambda: intake.get(draft.id, by=stranger),
        lambda: intake.edit(draft.id, {"title": "Mine"}, by=stranger),
        lambda: intake.keep(draft.id, {"title": "Mine"}, by=stranger),
        lambda: intake.editing(draft.id, by=stranger),
        lambda: intake.share(draft.id, stranger.person, by=stranger),
        lambda: intake.submit(draft.id, by=stranger),
    ):
        with pytest.raises(NotFound, match="there is no such application"):
            act()
    assert intake.list(by=stranger) == []
    with pytest.raises(NotFound):
        intake.share(draft.id, "per_nobody", by=jan)
    intake.share(draft.id, stranger.person, by=jan)
    assert intake.edit(draft.id, {"title": "Ours"}, by=stranger).answers == {"title": "Ours"}
    assert [one.id for one in intake.list(by=stranger)] == [draft.id]
    assert intake.list(by=town.person("mill")) == []


def test_a_reviewer_neither_reads_nor_changes_a_draft_of_strangers_and_changes_nothing_that_was_submitted(
    town: Town,
) -> None:
    intake, jan, reviewer = town.services.intake, town.person("farm"), town.person("desk", "reviewer")
    draft = intake.file("harvest", dict(ANSWERS), by=jan)
    changes = (
        lambda: intake.edit(draft.id, {"title": "Mine"}, by=reviewer),
        lambda: intake.keep(draft.id, {"title": "Mine"}, by=reviewer),
        lambda: intake.share(draft.id, reviewer.person, by=reviewer),
        lambda: intake.submit(draft.id, by=reviewer),
        lambda: move_on(intake, draft.id, town.clock.today(), OrganisationKind.STARTUP, by=reviewer),
    )
    for act in (
        *changes,
        lambda: intake.get(draft.id, by=reviewer),
        lambda: intake.document(draft.id, "en", by=reviewer),
    ):
        with pytest.raises(NotFound, match="there is no such application"):
            act()
    assert intake.list(by=reviewer) == []
    intake.submit(draft.id, by=jan)
    assert [one.id for one in intake.list(by=reviewer)] == [draft.id]
    intake.asked_again = lambda application: frozenset({"title"})
    for act in changes:
        with pytest.raises(NotFound, match="there is no such application"):
            act()
    assert intake.get(draft.id, by=reviewer).answers == ANSWERS


def test_a_call_that_is_not_open_takes_nothing_and_says_when(town: Town) -> None:
    intake, jan = town.services.intake, town.person("farm")
    draft = intake.file("harvest", dict(ANSWERS), by=jan)
    intake = with_call(town, A_CALL.replace("valid_from", "opens = 2999-01-01\nvalid_from", 1)).services.intake
    with pytest.raises(WrongState, match="it opens on 2999-01-01"):
        intake.file("harvest", {}, by=jan)
    with pytest.raises(WrongState, match="not open"):
        intake.submit(draft.id, by=jan)
    assert "harvest" not in {one.name for one in intake.open_calls()}


def test_what_nobody_sees_is_left_out_before_it_is_kept(town: Town) -> None:
    intake, jan = town.services.intake, town.person("farm")
    draft = intake.file("harvest", {"title": "a\x00\u202e\ud800=1+1"}, by=jan)
    assert intake.get(draft.id, by=jan).answers["title"] == "a=1+1"


def test_an_answer_to_a_question_that_is_gone_is_seen_and_goes_with_the_next_edit(town: Town) -> None:
    intake, jan = town.services.intake, town.person("farm")
    draft = intake.file("harvest", {**ANSWERS, "words": ["a"]}, by=jan)
    intake = with_call(town, A_CALL.replace('name = "words"', 'name = "terms"')).services.intake
    harvest = intake.calls.of("harvest")
    assert [one.field for one in progress_of(harvest, draft.answers)[0].faults] == ["words"]
    with pytest.raises(InvalidInput, match="words"):
        intake.submit(draft.id, by=jan)
    assert "words" not in intake.edit(draft.id, {"title": "Oats"}, by=jan).answers
    assert intake.submit(draft.id, by=jan).state is ApplicationState.ELIGIBLE
