"""The catalogue, for the client."""

from collections.abc import Sequence
from typing import Any

from fabriek.schemas.catalogue import EntryOut, EntryRequestOut, FoundOut, SuggestionsOut
from fabriek.schemas.offers import OffersOut
from fabriek.sdk.client import Client


class Catalogue:
    """What is here."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def publish(
        self, kind: str, subject: str, *, title: str = "", summary: str = "", licence: str = "", terms: str = "", keywords: Sequence[str] = (),
        language: str = "", text: str = "", reach: str = "everyone", card: str = "", doi: str = "", authors: Sequence[str] = (), project: str = "",
    ) -> EntryOut:  # fmt: skip
        """card: Markdown behind a head of fields, as a file has it; what is said beside it wins."""
        body = {
            "kind": kind, "subject": subject, "title": title, "summary": summary, "licence": licence, "terms": terms,
            "keywords": list(keywords), "language": language, "text": text, "reach": reach,
            "card": card, "doi": doi, "authors": list(authors),
        }  # fmt: skip
        return EntryOut.model_validate(
            self._client.post(f"/api/v1/projects/{self._client.the_project(project)}/cards", json=body)
        )

    def search(
        self, text: str = "", *, kind: str = "", language: str = "", label: str = "", organisation: str = "", keyword: str = "", limit: int = 20,
        offset: int = 0,
    ) -> FoundOut:  # fmt: skip
        asked = {
            "q": text, "kind": kind, "language": language, "label": label, "organisation": organisation, "keyword": keyword, "limit": limit,
            "offset": offset,
        }  # fmt: skip
        return FoundOut.model_validate(self._client.get("/api/v1/catalogue", params=asked))

    def suggest(self, beginning: str) -> Sequence[str]:
        """How what is being typed may go on."""
        return SuggestionsOut.model_validate(self._client.get("/api/v1/catalogue-words", params={"q": beginning})).items

    def entry(self, entry: str) -> EntryOut:
        return EntryOut.model_validate(self._client.get(f"/api/v1/catalogue/{entry}"))

    def citation(self, entry: str) -> str:
        """How it is cited, as CITATION.cff."""
        return self._client.get_bytes(f"/api/v1/catalogue/{entry}/citation").decode()

    def croissant(self, entry: str) -> dict[str, Any]:
        """A dataset as Croissant 1.1: beside the files that `vault.pull` fetches, other programs load it. Raises InvalidInput, NotFound."""
        return dict(self._client.get(f"/api/v1/catalogue/{entry}/croissant"))

    def withdraw(self, entry: str) -> None:
        self._client.delete(f"/api/v1/catalogue/{entry}")

    def request(self, entry: str, reason: str, *, project: str = "") -> str:
        """The id of the request."""
        body = {"project": project, "reason": reason}
        return EntryRequestOut.model_validate(
            self._client.post(f"/api/v1/catalogue/{entry}/access-requests", json=body)
        ).request

    def services(self, who: str = "sme", *, lang: str = "en") -> OffersOut:
        """What the factory offers to such an asker. It needs no account."""
        return OffersOut.model_validate(self._client.get("/api/v1/services", params={"who": who, "lang": lang}))
