"""A class: a teacher, a term, and a place for each student with a project and a budget of its own. It ends with the term."""

import csv
import io
import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput, WrongState
from fabriek.kernel.spreadsheets import would_compute

STUDENTS_MAX = 400
KEPT_DAYS = 30
"""How long after the term students may take out what they made."""

TEXT_MAX = 200
COLUMNS = ("email", "name", "organisation")


class ClassState(StrEnum):
    """`ended`: budgets went back and nothing new starts. `closed`: the students were taken out of their projects."""

    OPEN = "open"
    ENDED = "ended"
    CLOSED = "closed"


TRANSITIONS: dict[ClassState, frozenset[ClassState]] = {
    ClassState.OPEN: frozenset({ClassState.ENDED}),
    ClassState.ENDED: frozenset({ClassState.CLOSED}),
    ClassState.CLOSED: frozenset(),
}


class PlaceState(StrEnum):
    ACTIVE = "active"
    DROPPED = "dropped"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Class:
    """`project`: the teacher's, whose `allocation` pays. Both days count. Amounts are in millionths of an hour, for each student."""

    id: str
    slug: str
    title: str
    project: str
    teacher: str
    allocation: str
    starts_on: date
    ends_on: date
    gpu_micro_each: int
    cpu_micro_each: int
    state: ClassState = ClassState.OPEN


@dataclass(frozen=True, slots=True)
class Place:
    """A student in a class, by number; `project` and `allocation` are this student's alone."""

    course: str
    number: int
    person: str
    project: str
    allocation: str
    state: PlaceState = PlaceState.ACTIVE


@dataclass(frozen=True, slots=True)
class Student:
    """A row of the list; `organisation` is empty for the teacher's own."""

    line: int
    email: str
    name: str
    organisation: str = ""


def move(course: Class, to: ClassState) -> Class:
    """One step on. Raises WrongState on a step that the table does not have."""
    if to not in TRANSITIONS[course.state]:
        raise WrongState(f"the class {course.slug} is {course.state}", fix=f"fabriek class show {course.slug}")
    return replace(course, state=to)


def closes_on(course: Class) -> date:
    """The first day on which students are no longer in their projects."""
    return course.ends_on + timedelta(days=KEPT_DAYS + 1)


def read_students(text: str) -> list[Student]:
    """The rows of a CSV with a head of email, name and perhaps organisation. Raises InvalidInput naming every line that is wrong."""
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        heads = [head.strip().lower() for head in rows.fieldnames or ()]
        rows.fieldnames = heads
        found = [(rows.line_num, row) for row in rows]
    except csv.Error as slip:
        raise _wrong([(max(1, rows.line_num), f"is no CSV: {slip}")]) from None
    if not {"email", "name"} <= set(heads) or set(heads) - set(COLUMNS) or len(set(heads)) < len(heads):
        raise _wrong([(1, f"must be the head email,name or {','.join(COLUMNS)}")])
    if not found or len(found) > STUDENTS_MAX:
        raise _wrong([(len(found) + 1, f"the list has {len(found)} students; 1 to {STUDENTS_MAX} fit a class")])
    students, errors, seen = [], [], dict[str, int]()
    for line, row in found:
        fault = _fault(row)
        email = "" if fault else row["email"].strip().lower()
        if not fault and email in seen:
            fault = f"has the address of line {seen[email]} again"
        if fault:
            errors.append((line, fault))
            continue
        seen[email] = line
        students.append(Student(line, email, row["name"].strip(), (row.get("organisation") or "").strip()))
    if errors:
        raise _wrong(errors)
    return students


def _fault(row: dict[str, str]) -> str:
    """What is wrong with one row; empty when nothing is."""
    if None in row or None in row.values():
        return "has more or fewer cells than the head"
    for head, cell in row.items():
        if would_compute(cell):
            return f"begins its {head} with {cell.strip()[:1]!r}, which a spreadsheet would compute"
        if len(cell) > TEXT_MAX or any(not char.isprintable() for char in cell):
            return f"has a {head} with control characters, or longer than {TEXT_MAX}"
    if not re.fullmatch(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)*", row["email"].strip()):
        return "has no e-mail address"
    return "" if row["name"].strip() else "has no name"


def _wrong(errors: list[tuple[int, str]]) -> InvalidInput:
    line, message = errors[0]
    more = f", and {len(errors) - 1} more lines are wrong" if len(errors) > 1 else ""
    return InvalidInput(
        f"line {line} {message}{more}",
        fix="mend those lines; nobody was added",
        errors=[{"field": f"line {line}", "message": message} for line, message in errors],
    )
