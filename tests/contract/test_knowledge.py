"""The catalogue and the expertise centre, on both databases."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import CreditsExhausted, InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.knowledge.cards import Card
from fabriek.knowledge.experts import Booking
from fabriek.knowledge.searching import passage, words_of
from fabriek.knowledge.service import Face
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def with_project(town: Town, organisation: str) -> tuple[Caller, str]:
    person = town.person(organisation)
    project = town.project(person)
    return town.again(person), project


def publish(town: Town, by: Caller, project: str, name: str, **face: str) -> Card:
    town.services.vault.create(project, name, label="personal", by=by)
    said = Face(face.pop("title", name), face.pop("summary", "Measured."), **face)
    return town.services.knowledge.publish(project, "dataset", name, said, by=by)


def found(town: Town, text: str) -> list[str]:
    return [hit.card.title for hit in town.services.knowledge.search(text, by=town.operator)]


def test_a_card_is_found_by_any_of_its_words(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    publish(town, by, project, "biopsies", title="Borstbiopten", summary="Fijne naald, één per patiënt.", text="Diagnose en straal")  # fmt: skip
    publish(town, by, project, "scans", title="Scans", summary="Of the lung.")
    for asked in ("borstbiopten", "NAALD", "een patient", "diagnose straal", "biops", "borst", "fijne één"):
        assert "Borstbiopten" in found(town, asked) or asked == "biops", asked
    assert found(town, "lung naald") == []
    assert set(found(town, "")) == {"Borstbiopten", "Scans"}


def test_a_title_weighs_more_than_a_mention(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    publish(town, by, project, "a", title="Scans", summary="Once about biopsies and other things.")
    publish(town, by, project, "b", title="Biopsies", summary="Cells.")
    assert found(town, "biopsies") == ["Biopsies", "Scans"]


OPERATORS = [
    '"', "*", "NEAR(", "a OR b", "a -b", "^a", "title:a", "'; drop table knowledge_cards; --", "a & | !", "<->", "\\", "\x00",
]  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60) | st.sampled_from(OPERATORS))
def test_no_word_is_an_operator(town: Town, text: str) -> None:
    town.services.knowledge.search(text, by=town.operator)


def test_a_card_is_changed_in_place(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    first = publish(town, by, project, "biopsies", title="Before")
    second = town.services.knowledge.publish(project, "dataset", "biopsies", Face("After", "Measured."), by=by)
    assert first.id == second.id
    assert (found(town, "before"), found(town, "after")) == ([], ["After"])


def test_a_card_makes_known_and_opens_nothing(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    card = publish(town, by, project, "biopsies")
    stranger, other = with_project(town, "elders")
    assert town.services.knowledge.card(card.id, by=stranger).label == "personal"
    with pytest.raises(NotPermitted):
        town.services.vault.opened(card.subject, limit=10, by=stranger)
    with pytest.raises(NotFound):
        town.services.vault.open_upload(other, card.subject, by=stranger)


def test_only_ones_own_is_published(town: Town) -> None:
    by, project = with_project(town, "ziekenhuis")
    town.services.vault.create(project, "biopsies", label="personal", by=by)
    stranger, other = with_project(town, "elders")
    with pytest.raises(NotPermitted):
        town.services.knowledge.publish(project, "dataset", "biopsies", Face("Mine", "Now."), by=stranger)
    with pytest.raises(NotFound):
        town.services.knowledge.publish(other, "dataset", "biopsies", Face("Mine", "Now."), by=stranger)
    assert found(town, "") == []


BAD_FACES = [
    Face("", "x"), Face("x", " "), Face("x" * 201, "x"), Face("x", "x" * 501), Face("x", "x", language="de"),
    Face("x", "x", keywords=("k",) * 21),
]  # fmt: skip


@pytest.mark.parametrize("face", BAD_FACES, ids=range(len(BAD_FACES)))
def test_a_card_that_says_nothing_or_too_much_is_refused(town: Town, face: Face) -> None:
    by, project = with_project(town, "ziekenhuis")
    town.services.vault.create(project, "biopsies", label="personal", by=by)
    with pytest.raises(InvalidInput):
        town.services.knowledge.publish(project, "dataset", "biopsies", face, by=by)
    assert found(town, "") == []


def test_an_answer_is_found_by_who_asks_next(town: Town) -> None:
    person, expert = town.person("weefsel"), town.person("centrum", "expert")
    knowledge = town.services.knowledge
    asked = knowledge.ask("How do I resume a run after the time limit?", by=person)
    with pytest.raises(NotPermitted):
        knowledge.answer(asked.id, "Nobody asked me.", by=person)
    knowledge.answer(asked.id, "Write a checkpoint when SIGTERM comes.", by=expert)
    knowledge.answer(asked.id, "And read it at the start.", by=expert)
    hits = knowledge.search("checkpoint SIGTERM", by=person)
    assert [hit.card.kind for hit in hits] == ["answer"]
    assert "\x02checkpoint\x03" in hits[0].passage
    assert [len(answers) for _, answers in knowledge.questions(by=person)] == [2]


class Desk:
    """An expert, and a project that may book them for ten hours."""

    def __init__(self, town: Town) -> None:
        self.town, self.knowledge = town, town.services.knowledge
        self.expert = town.person("centrum", "expert")
        self.knowledge.offer("Trees.", by=self.expert)
        self.person, self.project = with_project(town, "weefsel")

    def book(self, hours: int = 1) -> Booking:
        return self.knowledge.book(self.expert.person, self.project, hours, "help", by=self.person)

    def left(self) -> int:
        home = self.town.services.access.project(self.project)
        return sum(one.left for one in self.town.services.funding.left(home.id) if one.resource.value == "expert_hour")


def test_hours_are_held_when_booked_and_charged_once_when_given(town: Town) -> None:
    desk = Desk(town)
    before = desk.left()
    booking = desk.book(2)
    assert before - desk.left() == 2_000_000
    at_once(lambda _: desk.knowledge.finish(booking.id, by=desk.expert), times=4)
    with pytest.raises(WrongState):
        desk.knowledge.finish(booking.id, by=desk.expert)
    assert before - desk.left() == 2_000_000
    assert town.services.funding.balanced()


def test_only_the_expert_says_that_hours_were_given(town: Town) -> None:
    desk = Desk(town)
    booking = desk.book()
    with pytest.raises(NotPermitted):
        desk.knowledge.finish(booking.id, by=desk.person)
    with pytest.raises(NotFound):
        desk.knowledge.finish(booking.id, by=town.person("elders"))
    assert [one.id for one in desk.knowledge.bookings(by=desk.expert)] == [booking.id]
    assert list(desk.knowledge.bookings(by=town.person("elders"))) == []


def test_what_was_held_comes_back_when_either_calls_it_off_and_no_hours_follow(town: Town) -> None:
    desk = Desk(town)
    before = desk.left()
    for by in (desk.person, desk.expert):
        booking = desk.book(3)
        with pytest.raises(NotFound):
            desk.knowledge.cancel(booking.id, by=town.person("elders"))
        at_once(lambda _, one=booking.id, who=by: desk.knowledge.cancel(one, by=who), times=4)
        with pytest.raises(WrongState):
            desk.knowledge.finish(booking.id, by=desk.expert)
    given = desk.book(1)
    desk.knowledge.finish(given.id, by=desk.expert)
    with pytest.raises(WrongState):
        desk.knowledge.cancel(given.id, by=desk.person)
    assert before - desk.left() == 1_000_000
    assert town.services.funding.balanced()


def test_more_hours_are_held_before_they_are_given(town: Town) -> None:
    desk = Desk(town)
    before = desk.left()
    booking = desk.book(2)
    with pytest.raises(NotPermitted):
        desk.knowledge.extend(booking.id, 4, by=desk.expert)
    with pytest.raises(NotFound):
        desk.knowledge.extend(booking.id, 4, by=town.person("elders"))
    for wrong in (0, 2, 9):
        with pytest.raises(InvalidInput):
            desk.knowledge.extend(booking.id, wrong, by=desk.person)
    assert desk.knowledge.extend(booking.id, 5, by=desk.person).hours == 5
    assert before - desk.left() == 5_000_000
    other = desk.book(2)
    with pytest.raises(CreditsExhausted):
        desk.knowledge.extend(other.id, 8, by=desk.person)
    desk.knowledge.finish(booking.id, by=desk.expert)
    with pytest.raises(WrongState):
        desk.knowledge.extend(booking.id, 6, by=desk.person)
    assert before - desk.left() == 7_000_000
    assert town.services.funding.balanced()


@pytest.mark.parametrize("hours", [-1, 0, 9, 10**9])
def test_hours_that_cannot_be_are_refused(town: Town, hours: int) -> None:
    desk = Desk(town)
    before = desk.left()
    with pytest.raises(InvalidInput):
        desk.book(hours)
    assert desk.left() == before


def test_more_hours_than_there_are_are_refused(town: Town) -> None:
    desk = Desk(town)
    with pytest.raises(CreditsExhausted):
        for _ in range(100):
            desk.book(8)
    assert desk.left() >= 0
    assert town.services.funding.balanced()


def test_a_stranger_books_nobody_for_a_project_that_is_not_theirs(town: Town) -> None:
    desk = Desk(town)
    with pytest.raises(NotPermitted):
        desk.knowledge.book(desk.expert.person, desk.project, 1, "help", by=town.person("elders"))


@given(st.text(max_size=300), st.lists(st.text(alphabet="abcé1", min_size=2, max_size=5), max_size=3))
def test_a_passage_is_the_text_with_marks(text: str, words: list[str]) -> None:
    said = passage(text, words_of(" ".join(words)))
    assert said.count("\x02") == said.count("\x03")
    assert all(char.isprintable() or char in "\x02\x03" for char in said.replace("\n", " "))
