"""What the desk needs from the outside world."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Protocol

from fabriek.knowledge.desk.experts import Booking, Expert
from fabriek.knowledge.desk.questions import Answer, Question


class Questions(Protocol):
    """Storage of questions and answers."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def add(self, question: Question) -> None: ...

    def get(self, question_id: str) -> Question:
        """Raises NotFound."""

    def all(self, *, limit: int) -> Sequence[Question]:
        """Newest first."""

    def accept(self, question_id: str, answer_id: str) -> None: ...

    def add_answer(self, answer: Answer) -> None: ...

    def answers(self, question_id: str) -> Sequence[Answer]:
        """Oldest first."""


class Experts(Protocol):
    """Storage of experts and bookings."""

    def put(self, expert: Expert) -> None: ...

    def get(self, person: str) -> Expert:
        """Raises NotFound."""

    def all(self) -> Sequence[Expert]: ...

    def put_booking(self, booking: Booking) -> None: ...

    def booking(self, booking_id: str) -> Booking:
        """Raises NotFound."""

    def bookings(self, person: str) -> Sequence[Booking]:
        """Those that the person made or is booked for, newest first."""

    def hours_in(self, week: date) -> Mapping[str, int]:
        """Expert → hours booked or given in the week that begins on that Monday; who has none is left out."""
