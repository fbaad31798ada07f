"""Questions and experts, for the client."""

from collections.abc import Sequence

from fabriek.schemas.base import PageOut
from fabriek.schemas.desk import BookingOut, ExpertOut, QuestionOut
from fabriek.sdk.client import Client


class Desk:
    """Who knows."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def ask(self, text: str) -> QuestionOut:
        return QuestionOut.model_validate(self._client.post("/api/v1/questions", json={"text": text}))

    def questions(self) -> Sequence[QuestionOut]:
        return PageOut[QuestionOut].model_validate(self._client.get("/api/v1/questions")).items

    def question(self, question: str) -> QuestionOut:
        return QuestionOut.model_validate(self._client.get(f"/api/v1/questions/{question}"))

    def answer(self, question: str, text: str) -> QuestionOut:
        return QuestionOut.model_validate(
            self._client.post(f"/api/v1/questions/{question}/answers", json={"text": text})
        )

    def offer(self, fields: str) -> ExpertOut:
        return ExpertOut.model_validate(self._client.post("/api/v1/experts", json={"fields": fields}))

    def experts(self) -> Sequence[ExpertOut]:
        return PageOut[ExpertOut].model_validate(self._client.get("/api/v1/experts")).items

    def book(self, expert: str, about: str, *, hours: int = 1, project: str = "") -> BookingOut:
        body = {"project": self._client.the_project(project), "hours": hours, "about": about}
        return BookingOut.model_validate(self._client.post(f"/api/v1/experts/{expert}/bookings", json=body))

    def bookings(self) -> Sequence[BookingOut]:
        return PageOut[BookingOut].model_validate(self._client.get("/api/v1/bookings")).items

    def cancel(self, booking: str) -> BookingOut:
        return BookingOut.model_validate(self._client.post(f"/api/v1/bookings/{booking}/cancel"))

    def extend(self, booking: str, hours: int) -> BookingOut:
        """`hours` in all."""
        return BookingOut.model_validate(self._client.post(f"/api/v1/bookings/{booking}/hours", json={"hours": hours}))

    def finish(self, booking: str) -> BookingOut:
        return BookingOut.model_validate(self._client.post(f"/api/v1/bookings/{booking}/done"))
