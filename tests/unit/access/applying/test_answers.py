"""Answers: each kind with what it refuses, what is missing, questions that others call for, totals that must agree."""

from typing import Any

import pytest

from fabriek.access.applying.answers import (
    ANSWERS_MAX,
    Done,
    check_answers,
    cleaned,
    faults_of,
    missing_of,
    progress_of,
    sums_of,
)
from fabriek.access.applying.call_files import read_call, read_calls
from fabriek.kernel.errors import InvalidInput
from tests.factories.calls import A_CALL, ANSWERS

CALL = read_call(A_CALL, "harvest.toml")


@pytest.mark.parametrize(
    ("name", "answer", "says"),
    [
        ("title", 7, "must be a text"),
        ("title", "a\nb", "must be one line"),
        ("title", "x" * 51, "1 to 50 characters, and has 51"),
        ("title", "x" * 30_000, "20000 are kept at most"),
        ("gpu_hours", "many", "must be a number"),
        ("gpu_hours", True, "is not a number"),
        ("gpu_hours", float("nan"), "must be a number"),
        ("gpu_hours", float("inf"), "must be a number"),
        ("gpu_hours", 10**400, "at most 100"),
        ("gpu_hours", 0, "above 0"),
        ("gpu_hours", -5, "above 0"),
        ("gpu_hours", {"$gt": 0}, "must be a number"),
        ("months", "3", "must be one of 1, 2"),
        ("months", 2, "must be a text"),
        ("grain", "yes", "must be yes or no"),
        ("sown", "31-03-2026", "a day such as"),
        ("sown", "2026-02-30", "a day such as"),
        ("sown", "2026-W10-1", "a day such as"),
        ("which_grain", ["rye", "poppies"], "must be among"),
        ("which_grain", ["rye", "rye"], "must be among"),
        ("which_grain", "rye", "must be a list"),
        ("which_grain", [["rye"]], "must be among"),
        ("words", ["a", "b", "c", "d"], "at most 3"),
        ("words", ["x" * 11], "at most 10 characters"),
        ("words", [1], "at most 10 characters"),
        ("farmer", ["Jan"], "named parts"),
        ("farmer", {"name": "Jan", "email": "j@x.example", "admin": "yes"}, "is not asked here"),
        ("fields", [{"field": "a", "hours": 1}] * 6, "0 to 5 rows"),
        ("fields", ["a"], "named parts"),
        ("fields", "a", "must be a list"),
        ("plan", [{"month": 3, "field": "a", "hours": 1}], "at most 2"),
        ("plan", [{"month": 1.5, "field": "a", "hours": 1}], "whole number"),
        ("plan", [{"month": 1, "field": "a", "hours": -1}], "at least 0"),
        ("__class__", "x", "is not asked in this call"),
        ("state", "awarded", "is not asked in this call"),
    ],
)
def test_what_cannot_be_an_answer_is_refused_and_says_why(name: str, answer: Any, says: str) -> None:
    with pytest.raises(InvalidInput, match=name) as raised:
        check_answers(CALL, {"months": "2", name: answer}, complete=False)
    assert says in str(raised.value.fields["errors"])


def test_every_fault_is_named_at_once_in_both_languages() -> None:
    faults = faults_of(CALL, {"gpu_hours": 1000, "months": "9", "elsewhere": 1})
    assert [one.field for one in faults] == ["gpu_hours", "months", "elsewhere"]
    assert faults[0].says.nl == "moet meer dan 0 en hoogstens 100 GPU-hours zijn"
    with pytest.raises(InvalidInput, match="and 2 more"):
        check_answers(CALL, {"gpu_hours": 1000, "months": "9", "elsewhere": 1}, complete=False)


def test_a_question_is_asked_only_where_another_answer_calls_for_it() -> None:
    without = {name: one for name, one in ANSWERS.items() if name != "which_grain"}
    assert [one.field for one in missing_of(CALL, without)] == ["which_grain"]
    assert missing_of(CALL, {**without, "grain": False}) == []


def test_a_plan_that_does_not_add_up_names_both_totals_and_the_difference() -> None:
    plan = [{"month": 1, "field": "a", "hours": 9}, {"month": 2, "field": "a", "hours": 8.5}]
    with pytest.raises(InvalidInput) as raised:
        check_answers(CALL, {**ANSWERS, "plan": plan}, complete=True)
    said = str(raised.value.fields["errors"])
    assert "Hours in the plan: these come to 17.5 GPU-hours and must come to 20 GPU-hours, 2.5 too few" in said
    assert any("te weinig" in one.says.nl for one in missing_of(CALL, {**ANSWERS, "plan": plan}))


def test_a_total_goes_by_a_column_where_it_must_and_names_the_one_that_is_off() -> None:
    plan = [{"month": 1, "field": "a", "hours": 12}, {"month": 2, "field": "b", "hours": 8}]
    rows = [{"field": "a", "hours": 10}, {"field": "c", "hours": 10}]
    found = {one.group: (one.found, one.wanted) for one in sums_of(CALL, {**ANSWERS, "plan": plan, "fields": rows})}
    assert found == {"": (20, 20), "a": (12, 10), "c": (0, 10), "b": (8, 0)}
    check_answers(
        CALL, {**ANSWERS, "plan": plan, "fields": [{"field": "a", "hours": 12}, {"field": "b", "hours": 8}]}, complete=True
    )  # fmt: skip


def test_sums_of_what_is_no_number_do_not_break() -> None:
    assert [one.found for one in sums_of(CALL, {"gpu_hours": 5, "plan": [{"hours": "x"}, 3, {"hours": True}]})] == [
        0,
        0,
    ]


def test_tenths_add_up() -> None:
    plan = [{"month": 1, "field": "a", "hours": 0.1}] * 3
    assert sums_of(CALL, {**ANSWERS, "gpu_hours": 0.3, "plan": plan})[0].agrees


def test_the_task_list_says_how_far_each_part_is() -> None:
    def states(answers: dict[str, Any]) -> list[Done]:
        return [one.state for one in progress_of(CALL, answers)]

    assert states({}) == [Done.NOT_STARTED] * 3
    assert states({"title": "Rye"}) == [Done.IN_PROGRESS, Done.NOT_STARTED, Done.NOT_STARTED]
    assert states({**ANSWERS, "plan": [{"month": 1}]})[2] is Done.IN_PROGRESS
    assert states(dict(ANSWERS))[:2] == [Done.DONE, Done.DONE]


def test_a_row_of_a_draft_may_be_half_and_not_when_it_is_complete() -> None:
    half = {**ANSWERS, "fields": [{"field": "a"}]}
    check_answers(CALL, half, complete=False)
    with pytest.raises(InvalidInput, match=r"fields\.1\.hours"):
        check_answers(CALL, half, complete=True)


def test_characters_that_nobody_sees_are_left_out_and_formulas_and_markup_stay_text() -> None:
    assert cleaned("a\x00b\x1b[31mc\u202egnp.exe\r\nd\ud800") == "ab[31mcgnp.exe\nd"
    assert cleaned("e\u0301") == "\u00e9"
    assert cleaned({"rows": ["=cmd|' /C calc'!A0", "<script>"]}) == {"rows": ["=cmd|' /C calc'!A0", "<script>"]}
    assert cleaned("\u05e9\u05dc\u05d5\u05dd\u200f Łódź Αθήνα") == "\u05e9\u05dc\u05d5\u05dd\u200f Łódź Αθήνα"


def test_answers_have_a_size_together() -> None:
    words = {f"x{number}": "y" * 1000 for number in range(ANSWERS_MAX // 1000 + 1)}
    assert any("all answers together" in one.says.en for one in faults_of(CALL, words))


def test_hours_beyond_a_short_route_name_the_call_for_more() -> None:
    fast = read_calls(None).of("playground")
    with pytest.raises(InvalidInput, match="the call fast-lane is for more"):
        check_answers(fast, {"gpu_hours": 5001}, complete=False)
