"""The expertise desk, on both databases."""

from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.errors import CreditsExhausted, InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.knowledge.desk.experts import Booking
from tests.factories.services import Town, a_town, with_project
from tests.factories.threads import at_once


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def test_an_answer_is_found_by_who_asks_next(town: Town) -> None:
    person, expert = town.person("weefsel"), town.person("centrum", "expert")
    desk, finding = town.services.desk, town.services.finding
    asked = desk.ask("How do I resume a run after the time limit?", by=person)
    with pytest.raises(NotPermitted):
        desk.answer(asked.id, "Nobody asked me.", by=person)
    desk.answer(asked.id, "Write a checkpoint when SIGTERM comes.", by=expert)
    desk.answer(asked.id, "And read it at the start.", by=expert)
    hits = finding.search("checkpoint SIGTERM", by=person).hits
    assert [hit.entry.kind for hit in hits] == ["answer"]
    assert "\x02checkpoint\x03" in hits[0].passage
    assert [len(answers) for _, answers in desk.questions(by=person)] == [2]


class Booked:
    """An expert, and a project that may book them for ten hours."""

    def __init__(self, town: Town) -> None:
        self.town, self.desk = town, town.services.desk
        self.expert = town.person("centrum", "expert")
        self.desk.offer("Trees.", by=self.expert)
        self.person, self.project = with_project(town, "weefsel")

    def book(self, hours: int = 1) -> Booking:
        return self.desk.book(self.expert.person, self.project, hours, "help", by=self.person)

    def left(self) -> int:
        home = self.town.services.access.project(self.project)
        return sum(one.left for one in self.town.services.funding.left(home.id) if one.resource.value == "expert_hour")


def test_hours_are_held_when_booked_and_charged_once_when_given(town: Town) -> None:
    desk = Booked(town)
    before = desk.left()
    booking = desk.book(2)
    assert before - desk.left() == 2_000_000
    at_once(lambda _: desk.desk.finish(booking.id, by=desk.expert), times=4)
    with pytest.raises(WrongState):
        desk.desk.finish(booking.id, by=desk.expert)
    assert before - desk.left() == 2_000_000
    assert town.services.funding.balanced()


def test_only_the_expert_says_that_hours_were_given(town: Town) -> None:
    desk = Booked(town)
    booking = desk.book()
    with pytest.raises(NotPermitted):
        desk.desk.finish(booking.id, by=desk.person)
    with pytest.raises(NotFound):
        desk.desk.finish(booking.id, by=town.person("elders"))
    assert [one.id for one in desk.desk.bookings(by=desk.expert)] == [booking.id]
    assert list(desk.desk.bookings(by=town.person("elders"))) == []


def test_what_was_held_comes_back_when_either_calls_it_off_and_no_hours_follow(town: Town) -> None:
    desk = Booked(town)
    before = desk.left()
    for by in (desk.person, desk.expert):
        booking = desk.book(3)
        with pytest.raises(NotFound):
            desk.desk.cancel(booking.id, by=town.person("elders"))
        at_once(lambda _, one=booking.id, who=by: desk.desk.cancel(one, by=who), times=4)
        with pytest.raises(WrongState):
            desk.desk.finish(booking.id, by=desk.expert)
    given = desk.book(1)
    desk.desk.finish(given.id, by=desk.expert)
    with pytest.raises(WrongState):
        desk.desk.cancel(given.id, by=desk.person)
    assert before - desk.left() == 1_000_000
    assert town.services.funding.balanced()


def test_more_hours_are_held_before_they_are_given(town: Town) -> None:
    desk = Booked(town)
    before = desk.left()
    booking = desk.book(2)
    with pytest.raises(NotPermitted):
        desk.desk.extend(booking.id, 4, by=desk.expert)
    with pytest.raises(NotFound):
        desk.desk.extend(booking.id, 4, by=town.person("elders"))
    for wrong in (0, 2, 9):
        with pytest.raises(InvalidInput):
            desk.desk.extend(booking.id, wrong, by=desk.person)
    assert desk.desk.extend(booking.id, 5, by=desk.person).hours == 5
    assert before - desk.left() == 5_000_000
    other = desk.book(2)
    with pytest.raises(CreditsExhausted):
        desk.desk.extend(other.id, 8, by=desk.person)
    desk.desk.finish(booking.id, by=desk.expert)
    with pytest.raises(WrongState):
        desk.desk.extend(booking.id, 6, by=desk.person)
    assert before - desk.left() == 7_000_000
    assert town.services.funding.balanced()


@pytest.mark.parametrize("hours", [-1, 0, 9, 10**9])
def test_hours_that_cannot_be_are_refused(town: Town, hours: int) -> None:
    desk = Booked(town)
    before = desk.left()
    with pytest.raises(InvalidInput):
        desk.book(hours)
    assert desk.left() == before


def test_more_hours_than_there_are_are_refused(town: Town) -> None:
    desk = Booked(town)
    with pytest.raises(CreditsExhausted):
        for _ in range(100):
            desk.book(8)
    assert desk.left() >= 0
    assert town.services.funding.balanced()


def test_a_stranger_books_nobody_for_a_project_that_is_not_theirs(town: Town) -> None:
    desk = Booked(town)
    with pytest.raises(NotPermitted):
        desk.desk.book(desk.expert.person, desk.project, 1, "help", by=town.person("elders"))
