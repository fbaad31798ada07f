"""The guide to the right call, for the client."""

from collections.abc import Mapping

from fabriek.schemas.guide import GuideOut
from fabriek.sdk.client import Client


class Guide:
    """At most eight questions, then one route. It needs no account."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def ask(self, answers: Mapping[str, str], *, lang: str = "en") -> GuideOut:
        """The next question, or the route. Raises InvalidInput on an answer that is none."""
        body = {"answers": dict(answers), "lang": lang}
        return GuideOut.model_validate(self._client.post("/api/v1/guide", json=body))
