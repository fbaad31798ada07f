"""A course as dated data, a lesson of it on a day, a seat in it, and the certificate that follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from fabriek.kernel.dated import by_name, read_rows, shipped
from fabriek.kernel.errors import InvalidInput, WrongState
from fabriek.kernel.languages import Words, read_words

PLACE_CHARACTERS_MAX = 200
SEATS_MAX = 500
DAYS_AHEAD_MAX = 730
FOR_EVER = date.max
"""The last day of a certificate that does not end."""


class SeatState(StrEnum):
    BOOKED = "booked"
    WAITING = "waiting"
    CANCELLED = "cancelled"
    ATTENDED = "attended"
    ABSENT = "absent"


TRANSITIONS: dict[SeatState, frozenset[SeatState]] = {
    SeatState.BOOKED: frozenset({SeatState.CANCELLED, SeatState.ATTENDED, SeatState.ABSENT}),
    SeatState.WAITING: frozenset({SeatState.BOOKED, SeatState.CANCELLED}),
    SeatState.CANCELLED: frozenset({SeatState.BOOKED, SeatState.WAITING}),
    SeatState.ATTENDED: frozenset(),
    SeatState.ABSENT: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Course:
    """The fields are explained in data/courses.toml. `valid_days`: 0 where a certificate counts for ever."""

    name: str
    title: Words
    says: Words
    valid_days: int
    needs: tuple[str, ...]
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """One giving of a course. `language`: ISO 639-1. `teacher`: the person who says who was there."""

    id: str
    course: str
    on: date
    place: str
    language: str
    seats: int
    teacher: str
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Seat:
    """One person's place. `asked_at`: by which the waiting list goes. Never deleted: one that was cancelled may be asked for again."""

    lesson: str
    person: str
    asked_at: datetime
    state: SeatState


@dataclass(frozen=True, slots=True)
class Certificate:
    """`until`: the last day that it counts. `given_by`: the teacher."""

    id: str
    course: str
    person: str
    lesson: str
    given_by: str
    given_on: date
    until: date


def is_in_force(certificate: Certificate, today: date) -> bool:
    """The last day counts."""
    return certificate.given_on <= today <= certificate.until


def certificate_until(course: Course, on: date) -> date:
    """The last day of a certificate for a lesson on that day."""
    return on + timedelta(days=course.valid_days) if course.valid_days else FOR_EVER


def move(seat: Seat, to: SeatState) -> Seat:
    """The seat one step on. Raises WrongState on a step that the table does not have."""
    if to not in TRANSITIONS[seat.state]:
        raise WrongState(
            f"this seat is {seat.state}, it cannot become {to}", fix=f"fabriek training show {seat.lesson}"
        )
    return replace(seat, state=to)


def waiting(seats: Sequence[Seat]) -> Sequence[Seat]:
    """Who waits, in their order."""
    return sorted((one for one in seats if one.state is SeatState.WAITING), key=lambda one: (one.asked_at, one.person))


def taken(seats: Sequence[Seat]) -> int:
    """Seats that nobody else can have."""
    return sum(one.state not in {SeatState.WAITING, SeatState.CANCELLED} for one in seats)


def check_lesson(made: Lesson, today: date) -> Lesson:
    """Raises InvalidInput, naming what is not right."""
    if not today <= made.on <= today + timedelta(days=DAYS_AHEAD_MAX):
        raise InvalidInput(f"{made.on} is over, or more than {DAYS_AHEAD_MAX} days ahead", fix="name a day to come")
    if not 1 <= made.seats <= SEATS_MAX:
        raise InvalidInput(f"a lesson has 1 to {SEATS_MAX} seats", fix="name how many there are")
    if not made.place or len(made.place) > PLACE_CHARACTERS_MAX:
        raise InvalidInput(f"a place has 1 to {PLACE_CHARACTERS_MAX} characters", fix="say where it is, or online")
    if len(made.language) != 2 or not (made.language.isascii() and made.language.isalpha()):
        raise InvalidInput(f"{made.language[:20]!r} is no code of a language", fix="two letters of ISO 639-1: nl, en")
    return made


def courses_on(day: date) -> Mapping[str, Course]:
    """What is taught on that day, by name."""
    return courses_of(shipped("fabriek.knowledge", "courses.toml"), day)


def courses_of(text: str, day: date) -> Mapping[str, Course]:
    """Raises InvalidInput on a slip in the file."""
    rows = read_rows(text, "course", _course)
    if unknown := sorted({need for row in rows for need in row.needs} - {row.name for row in rows}):
        raise InvalidInput(f"a course needs {unknown[0]}, which is none", fix="mend needs in courses.toml")
    return by_name(rows, day)


def course_named(name: str, day: date) -> Course:
    """Raises InvalidInput on a word for none."""
    known = courses_on(day)
    if name not in known:
        raise InvalidInput(f"there is no course {name[:40]!r}", fix=f"one of {', '.join(known)}")
    return known[name]


def _course(row: dict[str, Any]) -> Course:
    days, needs = row.get("valid_days", 0), row.get("needs", [])
    if type(days) is not int or not 0 <= days <= 36_500:
        raise ValueError("valid_days is a whole number of days")
    if not isinstance(needs, list) or not all(isinstance(one, str) for one in needs):
        raise ValueError("needs is a list of names")
    return Course(
        str(row["name"]), read_words(row["title"]), read_words(row["says"]), days, tuple(needs), row["valid_from"], row["source"]
    )  # fmt: skip
