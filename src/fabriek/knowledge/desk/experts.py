"""Experts: what they know, how much of a week they give, and the hours they are booked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput, QuotaExhausted, WrongState

USUAL_HOURS_A_WEEK = 8
"""What an expert gives who does not say how much."""

WEEKS_AHEAD_MAX = 26


class BookingState(StrEnum):
    BOOKED = "booked"
    DONE = "done"
    CANCELLED = "cancelled"


TRANSITIONS: dict[BookingState, frozenset[BookingState]] = {
    BookingState.BOOKED: frozenset({BookingState.DONE, BookingState.CANCELLED}),
    BookingState.DONE: frozenset(),
    BookingState.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Expert:
    """A person who may be booked. `fields`: what they know in words of their own; `skills`: names of the list in data/skills.toml;
    `languages`: ISO 639-1; `hours_a_week`: what may be booked of them in one week.
    """

    person: str
    fields: str
    skills: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    hours_a_week: int = USUAL_HOURS_A_WEEK


@dataclass(frozen=True, slots=True)
class Booking:
    """Hours of an expert for a project, in the week that begins on the Monday `week`; they are held when booked and charged when done."""

    id: str
    expert: str
    project: str
    person: str
    hours: int
    about: str
    booked_at: datetime
    week: date
    state: BookingState = BookingState.BOOKED


@dataclass(frozen=True, slots=True)
class Free:
    """An expert with what is booked of them in one week, in hours."""

    expert: Expert
    booked: int

    @property
    def left(self) -> int:
        """An expert may give fewer hours than were booked before."""
        return max(0, self.expert.hours_a_week - self.booked)


def monday_of(day: date) -> date:
    """The first day of its week, by ISO 8601."""
    return day - timedelta(days=day.weekday())


def check_week(wanted: date, today: date) -> date:
    """Its Monday. Raises InvalidInput on a week that is over, or too far ahead."""
    monday, now = monday_of(wanted), monday_of(today)
    if not now <= monday <= now + timedelta(weeks=WEEKS_AHEAD_MAX):
        raise InvalidInput(
            f"the week of {wanted} is over, or more than {WEEKS_AHEAD_MAX} weeks ahead",
            fix="name a day of a week to come",
        )
    return monday


def check_room(free: Free, more: int, week: date) -> None:
    """Raises QuotaExhausted where so many hours more do not fit their week."""
    if more > free.left:
        raise QuotaExhausted(
            f"this expert gives {free.expert.hours_a_week} hours a week, and {free.left} are left in the week of {week}",
            limit=free.expert.hours_a_week, used=free.booked, fix="book fewer hours, another week (--week) or another expert: fabriek expert ls",
        )  # fmt: skip


def check_languages(said: Iterable[str]) -> tuple[str, ...]:
    """In small letters, each once. Raises InvalidInput on what is no code of two letters."""
    found = tuple(dict.fromkeys(one.strip().lower() for one in said if one.strip()))
    if wrong := [one for one in found if len(one) != 2 or not (one.isascii() and one.isalpha())]:
        raise InvalidInput(f"{wrong[0][:20]!r} is no code of a language", fix="two letters of ISO 639-1: nl, en, de")
    if len(found) > 10:
        raise InvalidInput("more than ten languages", fix="name those in which you would advise")
    return found


def with_room_first(experts: Sequence[Free]) -> Sequence[Free]:
    """Those who have the most hours left first."""
    return sorted(experts, key=lambda one: -one.left)


def move(booking: Booking, to: BookingState) -> Booking:
    """The booking one step on. Raises WrongState on a step that the table does not have."""
    if to not in TRANSITIONS[booking.state]:
        raise WrongState(
            f"booking {booking.id} is {booking.state}, it cannot become {to}", fix="fabriek expert bookings"
        )
    return replace(booking, state=to)
