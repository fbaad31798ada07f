"""Cases of the desk and their documents, on both databases."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import FabriekError, InvalidInput, NotFound, NotPermitted, QuotaExhausted, Stale, WrongState
from fabriek.knowledge.cases import documents, service
from fabriek.knowledge.cases.cases import TRANSITIONS, Case, CaseState
from tests.factories.services import Town, a_town, with_project
from tests.factories.threads import at_once

WHOLE = "".join(f"## {titles['nl']}\n\nDit staat er.\n\n" for titles in documents.HEADS.values())


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


class Counter:
    """Somebody with a project, a colleague in it, an expert, somebody of the desk, and a stranger."""

    def __init__(self, town: Town) -> None:
        self.town, self.desk = town, town.services.casework
        self.asker, self.project = with_project(town, "weefsel")
        self.clerk, self.expert = town.person("factory", "desk"), town.person("centrum", "expert")
        self.stranger = town.person("elders")
        town.services.desk.offer("Trees.", by=self.expert)

    def case(self, **said: str) -> Case:
        return self.desk.open("Which trees?", "We have leaves.", by=self.asker, **said)

    def handed(self, **said: str) -> Case:
        return self.desk.hand(self.case(**said).id, self.expert.person, "knows trees", by=self.clerk)

    def days(self, number: int) -> None:
        self.town.clock.move(timedelta(days=number))


@pytest.fixture
def counter(town: Town) -> Counter:
    return Counter(town)


def test_a_case_goes_from_a_quick_answer_to_a_project_and_is_solved_with_a_whole_document(counter: Counter) -> None:
    desk, case = counter.desk, counter.handed(project=counter.project)
    assert (case.level, case.state, case.handler) == ("L1", CaseState.WITH_EXPERT, counter.expert.person)
    assert case.due_on == date(2026, 11, 26)  # two working days after Tuesday
    assert desk.raise_to(case.id, "L2", "takes an afternoon", by=counter.expert).due_on == date(2026, 12, 1)
    raised = desk.raise_to(case.id, "L3", "is a project", by=counter.expert)
    assert raised.due_on == date(2026, 12, 22)
    with pytest.raises(WrongState, match="value, data, metrics, risks, compliance, resources, plan"):
        desk.move(case.id, "solved", "done", by=counter.expert)
    assert desk.show(case.id, by=counter.asker).missing == list(documents.HEADS)
    desk.write(case.id, documents.template("nl"), by=counter.asker)
    with pytest.raises(WrongState, match="nothing stands under value"):  # a question is no answer
        desk.move(case.id, "solved", "done", by=counter.expert)
    assert desk.write(case.id, WHOLE, base=1, by=counter.asker).number == 2
    assert desk.show(case.id, by=counter.expert).missing == []
    assert desk.move(case.id, "solved", "done", by=counter.expert).state is CaseState.SOLVED
    told = desk.show(case.id, by=counter.asker)
    assert [step.what for step in told.steps] == ["opened", "handed", "level", "level", "solved"]
    assert [step.number for step in told.steps] == [1, 2, 3, 4, 5]
    assert told.steps[2].words == "L1 → L2: takes an afternoon"
    assert [one.number for one in desk.versions(case.id, by=counter.asker)] == [2, 1]


def test_a_case_is_known_to_its_project_who_is_on_it_and_the_desk_and_to_nobody_else(counter: Counter) -> None:
    town, desk = counter.town, counter.desk
    colleague = town.person("weefsel")
    town.services.access.add_member(counter.project, colleague.person, "member", by=counter.asker)
    colleague, administrator = town.again(colleague), town.person("weefsel", "organisation_administrator")
    other_expert, elsewhere = town.person("centrum", "expert"), town.person("elders", "organisation_administrator")
    of_project, of_person = counter.handed(project=counter.project), counter.handed()

    def know(case: Case) -> list[bool]:
        found = []
        for by in (
            counter.asker,
            colleague,
            administrator,
            counter.expert,
            counter.clerk,
            counter.stranger,
            other_expert,
            elsewhere,
        ):
            listed = case.id in {one.id for one in desk.list(by=by)}
            try:
                desk.show(case.id, by=by)
            except NotFound:
                assert not listed
                found.append(False)
            else:
                assert listed
                found.append(True)
        return found

    assert know(of_project) == [True, True, False, True, True, False, False, False]
    assert know(of_person) == [True, False, True, True, True, False, False, False]
    assert [one.id for one in desk.of_project(counter.project, by=colleague)] == [of_project.id]
    with pytest.raises(NotPermitted):
        desk.of_project(counter.project, by=counter.stranger)
    with pytest.raises(NotPermitted):
        desk.open("Theirs?", "x", project=counter.project, by=counter.stranger)
    refusals = {_of(act, case) for case in (of_project.id, "cas_nobodys") for act in _acts(counter, counter.stranger)}
    assert {error[0] for error in refusals} == {"NotFound"}
    assert len(refusals) == 1


def _acts(counter: Counter, by: Caller):  # type: ignore[no-untyped-def]
    desk = counter.desk
    return [
        lambda case: desk.show(case, by=by),
        lambda case: desk.say(case, "hello", by=by),
        lambda case: desk.hand(case, counter.expert.person, "why", by=by),
        lambda case: desk.raise_to(case, "L2", "why", by=by),
        lambda case: desk.move(case, "closed", "why", by=by),
        lambda case: desk.write(case, WHOLE, by=by),
        lambda case: desk.versions(case, by=by),
    ]


def _of(act, case: str) -> tuple[str, str]:  # type: ignore[no-untyped-def]
    with pytest.raises(FabriekError) as refused:
        act(case)
    return type(refused.value).__name__, refused.value.detail


def test_who_asked_closes_and_opens_again_and_does_not_hand_over(counter: Counter) -> None:
    desk, case = counter.desk, counter.handed()
    for act in (
        lambda: desk.hand(case.id, counter.clerk.person, "faster", by=counter.asker),
        lambda: desk.raise_to(case.id, "L3", "we are important", by=counter.asker),
        lambda: desk.move(case.id, "waiting_for_asker", "x", by=counter.asker),
        lambda: desk.move(case.id, "open", "x", by=counter.asker),
    ):
        with pytest.raises(NotPermitted, match="desk does this"):
            act()
    desk.move(case.id, "solved", "it works", by=counter.asker)
    again = desk.move(case.id, "open", "it broke", by=counter.asker)
    assert (again.state, again.handler) == (CaseState.OPEN, "")
    with pytest.raises(NotFound):  # who is no longer on it knows it no more
        desk.show(case.id, by=counter.expert)
    desk.move(case.id, "closed", "never mind", by=counter.asker)
    for act in (
        lambda: desk.say(case.id, "one more thing", by=counter.asker),
        lambda: desk.write(case.id, WHOLE, by=counter.asker),
        lambda: desk.hand(case.id, counter.expert.person, "x", by=counter.clerk),
        lambda: desk.raise_to(case.id, "L2", "x", by=counter.clerk),
        *(lambda to=to: desk.move(case.id, to, "x", by=counter.clerk) for to in CaseState if to != "with_expert"),
    ):
        with pytest.raises(WrongState):
            act()


def test_what_was_promised_is_overdue_after_its_day_and_stands_still_while_the_asker_is_asked(counter: Counter) -> None:
    desk, case, today = counter.desk, counter.handed(), counter.town.clock.today
    counter.days(2)  # Thursday, the day itself
    assert not desk.show(case.id, by=counter.asker).case.is_overdue(today())
    counter.days(1)
    assert [one.id for one in desk.list(overdue=True, by=counter.clerk)] == [case.id]
    desk.move(case.id, "waiting_for_asker", "Which leaves?", by=counter.expert)
    assert desk.list(overdue=True, by=counter.clerk) == []
    counter.days(5)  # Wednesday: three working days, since a weekend lies between
    answered = desk.say(case.id, "Oak.", by=counter.asker)
    assert (answered.state, answered.due_on) == (CaseState.WITH_EXPERT, date(2026, 12, 1))
    assert answered.waiting_since is None
    assert answered.is_overdue(today())  # it was a day late when the asker was asked, and still is
    assert desk.say(case.id, "Thank you.", by=counter.expert).state is CaseState.WITH_EXPERT


def test_a_question_becomes_a_case_of_who_asked_it(counter: Counter) -> None:
    asked = counter.town.services.desk.ask("Why do trees lean?", by=counter.asker)
    with pytest.raises(NotPermitted):
        counter.desk.open("", "", question=asked.id, by=counter.stranger)
    with pytest.raises(NotFound):
        counter.desk.open("", "", question="qst_nobodys", by=counter.asker)
    made = counter.desk.open("", "", question=asked.id, by=counter.clerk)
    assert (made.person, made.title, made.question) == (counter.asker.person, "Why do trees lean?", asked.id)
    assert made.organisation == counter.asker.organisation


@pytest.mark.parametrize("words", ["", "  \n ", "x" * 10_001])
def test_words_that_say_nothing_or_too_much_are_refused(counter: Counter, words: str) -> None:
    desk, case = counter.desk, counter.case()
    for act in (
        lambda: desk.open("Title", words, by=counter.asker),
        lambda: desk.open(words, "Words", by=counter.asker),
        lambda: desk.say(case.id, words, by=counter.asker),
        lambda: desk.hand(case.id, counter.expert.person, words, by=counter.clerk),
        lambda: desk.raise_to(case.id, "L2", words, by=counter.clerk),
        lambda: desk.move(case.id, "closed", words, by=counter.asker),
    ):
        with pytest.raises(InvalidInput):
            act()
    assert len(desk.show(case.id, by=counter.asker).steps) == 1


def test_words_that_mean_nothing_are_refused_by_what_would_do(counter: Counter) -> None:
    desk, case = counter.desk, counter.case()
    with pytest.raises(InvalidInput, match="no level 'L4'"):
        desk.raise_to(case.id, "L4", "x", by=counter.clerk)
    with pytest.raises(WrongState):
        desk.raise_to(case.id, "L1", "x", by=counter.clerk)
    with pytest.raises(InvalidInput, match="never 'done'"):
        desk.move(case.id, "done", "x", by=counter.clerk)
    with pytest.raises(InvalidInput, match="never 'done'"):
        desk.list(state="done", by=counter.clerk)
    with pytest.raises(WrongState, match="nobody is on it"):
        desk.move(case.id, "with_expert", "x", by=counter.clerk)
    with pytest.raises(NotFound, match="no such expert"):
        desk.hand(case.id, counter.stranger.person, "x", by=counter.clerk)
    with pytest.raises(InvalidInput, match="who asked"):
        desk.hand(case.id, counter.asker.person, "x", by=counter.clerk)
    desk.hand(case.id, counter.expert.person, "x", by=counter.clerk)
    with pytest.raises(WrongState, match="on it already"):
        desk.hand(case.id, counter.expert.person, "x", by=counter.clerk)
    assert desk.hand(case.id, counter.clerk.person, "I take it", by=counter.expert).handler == counter.clerk.person


def test_two_who_write_at_once_make_one_version_and_the_other_is_told(counter: Counter) -> None:
    desk, case = counter.desk, counter.handed()

    def write(number: int) -> str:
        try:
            return str(desk.write(case.id, f"# Value\n\n{number}", base=0, by=counter.asker).number)
        except Stale as error:
            return type(error).__name__

    assert sorted(at_once(write, times=4)) == ["1", "Stale", "Stale", "Stale"]
    kept = desk.versions(case.id, by=counter.asker)[0]
    assert desk.write(case.id, kept.text, by=counter.expert).number == 1  # the same again is no version
    for wrong in ("", "   ", "No heading at all.", "# Weather\n\nFine.", "# Value\n" + "x" * 60_000):
        with pytest.raises(InvalidInput):
            desk.write(case.id, wrong, by=counter.asker)


def test_somebody_has_so_many_open_cases_and_no_more(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "OPEN_MAX", 2)
    outcomes = at_once(lambda _: _opened(counter), times=5)
    assert sorted(outcomes) == ["Case", "Case", "QuotaExhausted", "QuotaExhausted", "QuotaExhausted"]


def _opened(counter: Counter) -> str:
    try:
        return type(counter.case()).__name__
    except QuotaExhausted as error:
        return type(error).__name__


def test_each_state_leads_somewhere_but_the_last() -> None:
    assert TRANSITIONS.keys() == set(CaseState)
    assert [state for state, to in TRANSITIONS.items() if not to] == [CaseState.CLOSED]
