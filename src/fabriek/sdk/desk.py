"""Questions and experts, for the client."""

from collections.abc import Sequence
from datetime import date

from fabriek.schemas.base import PageOut
from fabriek.schemas.desk import BookingOut, ExpertOut, QuestionOut, SkillOut
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

    def accept(self, question: str, answer: str) -> QuestionOut:
        """Says which answer helped, as who asked."""
        return QuestionOut.model_validate(
            self._client.post(f"/api/v1/questions/{question}/accepted", json={"answer": answer})
        )

    def skills(self) -> Sequence[SkillOut]:
        """The words for skills."""
        return PageOut[SkillOut].model_validate(self._client.get("/api/v1/skills")).items

    def offer(
        self, fields: str, *, skills: Sequence[str] = (), languages: Sequence[str] = (), hours_a_week: int = 8
    ) -> ExpertOut:
        """Says what one knows; in place of what one said before."""
        body = {
            "fields": fields, "skills": list(skills), "languages": list(languages), "hours_a_week": hours_a_week
        }  # fmt: skip
        return ExpertOut.model_validate(self._client.post("/api/v1/experts", json=body))

    def experts(
        self, words: str = "", *, skill: str = "", language: str = "", week: date | None = None
    ) -> Sequence[ExpertOut]:
        """Those who know all of it, with the hours left in the week of that day."""
        asked = {"q": words, "skill": skill, "language": language}
        params = {name: value for name, value in asked.items() if value} | ({"week": str(week)} if week else {})
        return PageOut[ExpertOut].model_validate(self._client.get("/api/v1/experts", params=params)).items

    def book(
        self, expert: str, about: str, *, hours: int = 1, project: str = "", week: date | None = None
    ) -> BookingOut:
        """In the week of that day; this week where none is named."""
        body = {"project": self._client.the_project(project), "hours": hours, "about": about}
        body |= {"week": str(week)} if week else {}
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
