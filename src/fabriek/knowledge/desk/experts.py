"""Experts and the hours they are booked for."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from fabriek.kernel.errors import WrongState


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
    """A person who may be booked, and what they know."""

    person: str
    fields: str


@dataclass(frozen=True, slots=True)
class Booking:
    """Hours of an expert for a project; they are held when booked and charged when done."""

    id: str
    expert: str
    project: str
    person: str
    hours: int
    about: str
    booked_at: datetime
    state: BookingState = BookingState.BOOKED


def move(booking: Booking, to: BookingState) -> Booking:
    """The booking one step on. Raises WrongState on a step that the table does not have."""
    if to not in TRANSITIONS[booking.state]:
        raise WrongState(
            f"booking {booking.id} is {booking.state}, it cannot become {to}", fix="fabriek expert bookings"
        )
    return replace(booking, state=to)
