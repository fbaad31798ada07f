"""Catalogue, questions and experts, for the client."""

from collections.abc import Sequence

from fabriek.schemas.base import PageOut
from fabriek.schemas.knowledge import BookingOut, CardOut, CardRequestOut, ExpertOut, QuestionOut
from fabriek.sdk.client import Client


class Knowledge:
    """What is here and who knows."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def publish(
        self, kind: str, subject: str, *, title: str, summary: str, licence: str = "", terms: str = "", keywords: Sequence[str] = (),
        language: str = "en", text: str = "", project: str = "",
    ) -> CardOut:  # fmt: skip
        body = {
            "kind": kind, "subject": subject, "title": title, "summary": summary, "licence": licence, "terms": terms,
            "keywords": list(keywords), "language": language, "text": text,
        }  # fmt: skip
        return CardOut.model_validate(
            self._client.post(f"/api/v1/projects/{self._client.the_project(project)}/cards", json=body)
        )

    def search(self, text: str = "", *, kind: str = "") -> Sequence[CardOut]:
        return (
            PageOut[CardOut]
            .model_validate(self._client.get("/api/v1/catalogue", params={"q": text, "kind": kind}))
            .items
        )

    def card(self, card: str) -> CardOut:
        return CardOut.model_validate(self._client.get(f"/api/v1/catalogue/{card}"))

    def request(self, card: str, reason: str, *, project: str = "") -> str:
        """The id of the request."""
        body = {"project": project, "reason": reason}
        return CardRequestOut.model_validate(
            self._client.post(f"/api/v1/catalogue/{card}/access-requests", json=body)
        ).request

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
