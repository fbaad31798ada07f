"""A list of students as people send it: what is wrong is named by its line, and all of it at once."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.access.joining.classes import (
    STUDENTS_MAX,
    TRANSITIONS,
    Class,
    ClassState,
    Student,
    closes_on,
    move,
    read_students,
)
from fabriek.kernel.errors import InvalidInput, WrongState

HEAD = "email,name\n"


def test_a_list_of_a_spreadsheet_is_read() -> None:
    """With a mark in front, capitals, spaces, quotes, an empty line and columns in another order."""
    text = '\ufeffName, Email ,organisation\r\n"Jansen, Jo", Jo@Uni.example ,\r\n\r\nMo,mo@hoge.example,hoge\r\n'
    assert read_students(text) == [
        Student(2, "jo@uni.example", "Jansen, Jo"), Student(4, "mo@hoge.example", "Mo", "hoge"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ("a@x.example,A\nA@X.example,B\n", {3: "address of line 2"}),
        ("a,A\n", {2: "no e-mail address"}), ("a@,A\n", {2: "no e-mail"}), ("a@b c,A\n", {2: "no e-mail"}), ("a@x@y,A\n", {2: "no e-mail"}),
        ("a@x.example,\n", {2: "no name"}), ("a@x.example\n", {2: "more or fewer cells"}), ("a@x.example,A,B\n", {2: "more or fewer cells"}),
        ("a@x.example,=HYPERLINK(1)\n", {2: "spreadsheet"}), ("a@x.example, +1\n", {2: "spreadsheet"}), ("@x,A\n", {2: "spreadsheet"}),
        ('a@x.example,"\t=1"\n', {2: "spreadsheet"}), ("-a@x.example,A\n", {2: "spreadsheet"}),
        ("a@x.example,A\x1b[2J\n", {2: "control characters"}), (f"a@x.example,{'x' * 201}\n", {2: "longer than"}),
        ("b,B\na@x.example,A\nc,C\n", {2: "no e-mail", 4: "no e-mail"}),
        ("", {1: "0 students"}), ("".join(f"s{n}@x.example,S\n" for n in range(STUDENTS_MAX + 1)), {STUDENTS_MAX + 2: "401 students"}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_line(rows: str, wrong: dict[int, str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_students(HEAD + rows)
    errors = {one["field"]: one["message"] for one in refused.value.fields["errors"]}
    assert list(errors) == [f"line {line}" for line in wrong]
    for line, said in wrong.items():
        assert said in errors[f"line {line}"]


@pytest.mark.parametrize(
    "head", ["", "name\n", "email,name,role\n", "email,name,name\n", "e-mail;name\n", '"email,name\n']
)
def test_a_head_that_is_none_is_line_one(head: str) -> None:
    with pytest.raises(InvalidInput, match="line 1 "):
        read_students(head + "a@x.example,A\n")


@given(st.text())
def test_no_text_is_a_fault_of_ours(text: str) -> None:
    for given_text in (text, HEAD + text):
        try:
            read = read_students(given_text)
        except InvalidInput:
            continue
        assert len({one.email for one in read}) == len(read)


def test_a_class_goes_its_way_and_never_back() -> None:
    course = Class("cls_1", "x", "X", "prj_1", "per_1", "alc_1", date(2026, 9, 1), date(2027, 1, 31), 1, 1)
    assert closes_on(course) == date(2027, 3, 3)
    for state, steps in TRANSITIONS.items():
        for to in ClassState:
            one = replace(course, state=state)
            if to in steps:
                assert move(one, to).state is to
            else:
                with pytest.raises(WrongState):
                    move(one, to)
