"""Courses and certificates, for the client."""

from collections.abc import Sequence
from datetime import date

from fabriek.schemas.base import PageOut
from fabriek.schemas.training import AttendedOut, CertificateOut, CourseOut, LessonOut
from fabriek.sdk.client import Client


class Training:
    """What is taught and when, one's places and certificates."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def courses(self) -> Sequence[CourseOut]:
        return PageOut[CourseOut].model_validate(self._client.get("/api/v1/courses")).items

    def lessons(self, course: str = "") -> Sequence[LessonOut]:
        """From today on."""
        params = {"course": course} if course else {}
        return PageOut[LessonOut].model_validate(self._client.get("/api/v1/lessons", params=params)).items

    def lesson(self, lesson: str) -> LessonOut:
        return LessonOut.model_validate(self._client.get(f"/api/v1/lessons/{lesson}"))

    def give(self, course: str, on: date, place: str, *, language: str = "nl", seats: int = 20) -> LessonOut:
        """Plans a lesson, as its teacher."""
        body = {"course": course, "on": str(on), "place": place, "language": language, "seats": seats}
        return LessonOut.model_validate(self._client.post("/api/v1/lessons", json=body))

    def cancel(self, lesson: str) -> None:
        """As its teacher."""
        self._client.delete(f"/api/v1/lessons/{lesson}")

    def sign_up(self, lesson: str) -> LessonOut:
        return LessonOut.model_validate(self._client.post(f"/api/v1/lessons/{lesson}/seats"))

    def leave(self, lesson: str) -> None:
        self._client.delete(f"/api/v1/lessons/{lesson}/seats")

    def record(self, lesson: str, person: str, *, attended: bool) -> AttendedOut:
        """As its teacher: who was there."""
        body = {"person": person, "attended": attended}
        return AttendedOut.model_validate(self._client.post(f"/api/v1/lessons/{lesson}/attendance", json=body))

    def certificates(self) -> Sequence[CertificateOut]:
        """One's own."""
        return PageOut[CertificateOut].model_validate(self._client.get("/api/v1/certificates")).items
