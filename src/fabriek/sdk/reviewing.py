"""Reviews, for the client."""

from collections.abc import Mapping, Sequence
from typing import Any

from fabriek.schemas.base import PageOut
from fabriek.schemas.reviewing import DeclinedOut, RankedOut, ReviewOut, StepOut, ToldOut
from fabriek.sdk.client import Client


class Reviewing:
    """Applications on their way from submission to decision."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self) -> Sequence[ReviewOut]:
        """What waits for you, the most urgent first."""
        return PageOut[ReviewOut].model_validate(self._client.get("/api/v1/reviews")).items

    def told(self) -> Sequence[ToldOut]:
        return PageOut[ToldOut].model_validate(self._client.get("/api/v1/review-notices")).items

    def ranking(self, call: str) -> Sequence[RankedOut]:
        return PageOut[RankedOut].model_validate(self._client.get("/api/v1/rankings", params={"call": call})).items

    def show(self, application: str) -> ReviewOut:
        return ReviewOut.model_validate(self._client.get(f"/api/v1/reviews/{application}"))

    def history(self, application: str) -> Sequence[StepOut]:
        found = self._client.get(f"/api/v1/reviews/{application}/history")
        return PageOut[StepOut].model_validate(found).items

    def take(self, application: str) -> ReviewOut:
        return self._act(application, "take")

    def ask(self, application: str, question: str, *, fields: Sequence[str] = ()) -> ReviewOut:
        """fields: the answers that the applicant may change until they answer."""
        return self._act(application, "question", words=question, fields=list(fields))

    def answer(self, application: str, words: str) -> ReviewOut:
        return self._act(application, "answer", words=words)

    def withdraw(self, application: str) -> ReviewOut:
        return self._act(application, "withdraw")

    def overrule(self, application: str, motive: str) -> ReviewOut:
        return self._act(application, "overrule", words=motive)

    def measure(self, application: str, measured: Sequence[Mapping[str, Any]], nodes: int = 0) -> ReviewOut:
        """measured: {nodes, seconds, input} of at least three counts on one input."""
        return self._act(application, "measurements", measured=[dict(one) for one in measured], nodes=nodes)

    def technical(self, application: str, motive: str, *, passed: bool) -> ReviewOut:
        return self._act(application, "technical", words=motive, passed=passed)

    def assign(self, application: str, person: str) -> ReviewOut:
        return self._act(application, "experts", person=person)

    def release(self, application: str, person: str, motive: str) -> ReviewOut:
        return self._act(application, "release", person=person, words=motive)

    def assess(self, application: str, scores: Mapping[str, int], text: str, *, no_conflict: bool) -> ReviewOut:
        return self._act(application, "assessment", scores=dict(scores), text=text, no_conflict=no_conflict)

    def decline(self, application: str, reason: str, *, conflict: bool = False) -> DeclinedOut:
        said = {"words": reason, "conflict": conflict}
        return DeclinedOut.model_validate(self._client.post(f"/api/v1/reviews/{application}/decline", json=said))

    def decide(
        self, application: str, verdict: str, motive: str, *, gpu_hours: int | None = None, share: str = ""
    ) -> ReviewOut:
        return self._act(application, "decision", verdict=verdict, words=motive, gpu_hours=gpu_hours, share=share)

    def sign(self, application: str) -> ReviewOut:
        return self._act(application, "signature")

    def _act(self, application: str, act: str, **said: Any) -> ReviewOut:
        path = f"/api/v1/reviews/{application}/{act}"
        return ReviewOut.model_validate(self._client.post(path, json=said) if said else self._client.post(path))
