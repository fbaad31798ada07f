"""What training needs from the outside world."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Protocol

from fabriek.knowledge.training.courses import Certificate, Lesson, Seat


class Lessons(Protocol):
    """Storage of lessons, seats and certificates. Every method joins the transaction that is open."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def put(self, lesson: Lesson) -> None: ...

    def get(self, lesson_id: str) -> Lesson:
        """Raises NotFound."""

    def since(self, day: date, *, course: str = "") -> Sequence[Lesson]:
        """Those from that day on that were not cancelled, the next one first."""

    def put_seat(self, seat: Seat) -> None: ...

    def seats(self, lesson_id: str) -> Sequence[Seat]:
        """In the order in which they were asked for."""

    def seats_of(self, person: str) -> Sequence[Seat]:
        """Newest first."""


class Certificates(Protocol):
    """Storage of certificates: they are added, and none is changed."""

    def add(self, certificate: Certificate) -> None: ...

    def of_person(self, person: str, *, course: str = "") -> Sequence[Certificate]:
        """Newest first."""
