"""The expertise desk, on both databases."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.errors import CreditsExhausted, InvalidInput, NotFound, NotPermitted, QuotaExhausted, WrongState
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


def test_the_accepted_answer_comes_first_and_is_what_is_found_until_another_is(town: Town) -> None:
    person, stranger = town.person("weefsel"), town.person("elders")
    one, other = town.person("centrum", "expert"), town.person("instituut", "expert")
    desk, finding = town.services.desk, town.services.finding
    asked = desk.ask("How do I resume a run?", by=person)
    first = desk.answer(asked.id, "Write a zebrafish.", by=one)
    second = desk.answer(asked.id, "Write a checkpoint.", by=other)

    def found(words: str) -> list[str]:
        hits = finding.search(words, by=stranger).hits
        return [town.services.access.organisation(hit.entry.organisation).slug for hit in hits]

    assert (found("zebrafish"), found("checkpoint")) == (["centrum"], ["centrum"])
    for who in (stranger, other):
        with pytest.raises(NotPermitted, match="who asked"):
            desk.accept(asked.id, second.id, by=who)
    with pytest.raises(NotFound):
        desk.accept(asked.id, "ans_nobodys", by=person)
    with pytest.raises(NotFound):
        desk.accept("qst_nobodys", second.id, by=person)
    desk.accept(asked.id, second.id, by=person)
    assert [answer.id for answer in desk.question(asked.id, by=stranger)[1]] == [second.id, first.id]
    assert (found("zebrafish"), found("checkpoint")) == ([], ["instituut"])
    late = desk.answer(asked.id, "Write a walrus.", by=one)
    assert (found("walrus"), found("checkpoint")) == ([], ["instituut"])
    desk.accept(asked.id, late.id, by=town.person("factory", "desk"))
    assert (found("walrus"), found("checkpoint")) == (["centrum"], [])
    assert [answers[0].id for _, answers in desk.questions(by=person)] == [late.id]


class Booked:
    """An expert, and a project that may book them for four hours."""

    def __init__(self, town: Town, hours_a_week: int = 40) -> None:
        self.town, self.desk = town, town.services.desk
        self.expert = town.person("centrum", "expert")
        self.desk.offer("Trees.", hours_a_week=hours_a_week, by=self.expert)
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
    assert desk.desk.extend(booking.id, 3, by=desk.person).hours == 3
    assert before - desk.left() == 3_000_000
    other = desk.book(1)
    with pytest.raises(CreditsExhausted):
        desk.desk.extend(other.id, 8, by=desk.person)
    desk.desk.finish(booking.id, by=desk.expert)
    with pytest.raises(WrongState):
        desk.desk.extend(booking.id, 6, by=desk.person)
    assert before - desk.left() == 4_000_000
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


def test_a_small_grant_comes_with_four_hours_of_an_expert_once(town: Town) -> None:
    person = town.person("weefsel")
    answers = {
        "title": "Leaves", "summary": "For a test.", "purpose": "civilian", "gpu_hours": 10, "months": "1", "data": "None.", "partners": [],
    }  # fmt: skip
    filed = town.services.intake.file("playground", answers, by=person)
    checked = town.services.intake.submit(filed.id, by=person)

    def award(_: int) -> str:
        try:
            return town.services.awarding.award_short_route(checked, by=town.operator)[1].id
        except WrongState:
            return ""

    (project,) = {one for one in at_once(award, times=4) if one}
    left = {one.resource.value: one for one in town.services.funding.left(project)}
    assert left["expert_hour"].granted == 4_000_000
    assert town.services.funding.balanced()


def test_a_week_has_so_many_hours_and_the_next_has_them_again(town: Town) -> None:
    desk = Booked(town, hours_a_week=2)
    first = desk.book(1)
    (seen,) = desk.desk.experts(by=desk.person)
    assert (seen.booked, seen.left) == (1, 1)
    with pytest.raises(QuotaExhausted, match="1 are left in the week of 2026-11-23"):
        desk.book(2)
    with pytest.raises(QuotaExhausted):
        desk.desk.extend(first.id, 3, by=desk.person)
    outcomes = at_once(lambda _: _outcome(desk), times=4)
    assert sorted(outcomes) == ["Booking", "QuotaExhausted", "QuotaExhausted", "QuotaExhausted"]
    in_a_week = town.clock.today() + timedelta(days=7)
    later = desk.desk.book(desk.expert.person, desk.project, 2, "help", week=in_a_week, by=desk.person)
    assert later.week == date(2026, 11, 30)
    desk.desk.cancel(later.id, by=desk.person)
    assert desk.desk.experts(week=in_a_week, by=desk.person)[0].left == 2
    for wrong in (town.clock.today() - timedelta(days=7), town.clock.today() + timedelta(weeks=30)):
        with pytest.raises(InvalidInput, match="week"):
            desk.desk.book(desk.expert.person, desk.project, 1, "help", week=wrong, by=desk.person)
    assert town.services.funding.balanced()


def _outcome(desk: Booked) -> str:
    try:
        return type(desk.book(1)).__name__
    except QuotaExhausted as error:
        return type(error).__name__


def test_experts_are_found_by_what_they_can_do_in_any_form_of_the_word(town: Town) -> None:
    one, other, person = town.person("centrum", "expert"), town.person("instituut", "expert"), town.person("weefsel")
    desk = town.services.desk
    desk.offer("Bomen en wouden.", skills=["Statistics"], languages=["NL", "en"], hours_a_week=4, by=one)
    desk.offer(
        "Forests from above.", skills=["computer-vision", "statistics"], languages=["en"], hours_a_week=0, by=other
    )

    def found(words: str = "", **said: str) -> list[str]:
        return [free.expert.person for free in desk.experts(words=words, by=person, **said)]  # type: ignore[arg-type]

    assert found() == [one.person, other.person]
    assert found("boom") == [one.person]
    assert found("forest") == found("beelden forest") == [other.person]
    assert found(skill="statistics", language="nl") == [one.person]
    assert found(skill="computer-vision", language="nl") == found("whales") == []
    with pytest.raises(InvalidInput, match="no skill 'whaling'"):
        found(skill="whaling")
    for wrong in ({"skills": ["whaling"]}, {"languages": ["dutch"]}, {"hours_a_week": 41}, {"hours_a_week": -1}):
        with pytest.raises(InvalidInput):
            desk.offer("Trees.", by=one, **wrong)  # type: ignore[arg-type]
    with pytest.raises(NotPermitted):
        desk.offer("Trees.", by=person)
