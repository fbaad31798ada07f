"""Courses, lessons, seats and certificates on the wire."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Wire


class CourseOut(Wire):
    """`valid_days`: how long a certificate counts; 0 for ever. `needs`: certificates that are asked for first."""

    name: str
    title: dict[str, str]
    says: dict[str, str]
    valid_days: int
    needs: list[str]


class LessonIn(Wire):
    course: Annotated[str, Field(min_length=1, max_length=60)]
    on: date
    place: Annotated[str, Field(min_length=1, max_length=200)]
    language: Annotated[str, Field(min_length=2, max_length=2)] = "nl"
    seats: Annotated[int, Field(ge=1, le=500)] = 20


class SeatOut(Wire):
    person: str
    name: str
    state: str
    asked_at: datetime


class LessonOut(Wire):
    """`mine`: the state of one's own seat, empty for none; `place`: on the waiting list. `people`: for its teacher alone."""

    id: str
    course: str
    on: date
    place: str
    language: str
    teacher: str
    needs: list[str]
    seats: int
    free: int
    waiting: int
    cancelled: bool
    mine: str
    waiting_place: int
    people: list[SeatOut]


class AttendanceIn(Wire):
    person: Annotated[str, Field(min_length=1, max_length=60)]
    attended: bool


class CertificateOut(Wire):
    """`until`: the last day that it counts; none where it counts for ever."""

    id: str
    course: str
    given_by: str
    given_on: date
    until: date | None
    in_force: bool


class AttendedOut(Wire):
    """`certificate`: empty for who was not there."""

    certificate: str
