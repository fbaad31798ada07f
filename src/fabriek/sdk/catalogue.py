"""The catalogue, for the client."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from fabriek.schemas.catalogue import (
    EntryOut,
    EntryPastOut,
    EntryRequestOut,
    FoundOut,
    SearchesOut,
    SearchLookedOut,
    SearchOut,
    SuggestionsOut,
)
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
        self, text: str = "", *, kind: str = "", language: str = "", label: str = "", organisation: str = "", keyword: str = "", by: str = "both",
        limit: int = 20, offset: int = 0,
    ) -> FoundOut:  # fmt: skip
        """by: words, meaning or both."""
        asked = {
            "q": text, "kind": kind, "language": language, "label": label, "organisation": organisation, "keyword": keyword, "by": by,
            "limit": limit, "offset": offset,
        }  # fmt: skip
        return FoundOut.model_validate(self._client.get("/api/v1/catalogue", params=asked))

    def suggest(self, beginning: str) -> Sequence[str]:
        """How what is being typed may go on."""
        return SuggestionsOut.model_validate(self._client.get("/api/v1/catalogue-words", params={"q": beginning})).items

    def saved(self) -> Sequence[SearchOut]:
        """The searches that one keeps, each with what is new in it."""
        return SearchesOut.model_validate(self._client.get("/api/v1/catalogue-searches")).items

    def save(self, name: str, text: str = "", **filters: str) -> SearchOut:
        """Keeps a search, in place of one's earlier one of that name. filters: kind, language, label, organisation, keyword."""
        body = {"name": name, "text": text, "filters": {key: value for key, value in filters.items() if value}}
        return SearchOut.model_validate(self._client.post("/api/v1/catalogue-searches", json=body))

    def look(self, name: str) -> SearchLookedOut:
        """What a search that one keeps finds now; nothing of it is new from then on."""
        return SearchLookedOut.model_validate(
            self._client.post(f"/api/v1/catalogue-searches/{quote(name, safe='')}/looked")
        )

    def forget(self, name: str) -> None:
        self._client.delete(f"/api/v1/catalogue-searches/{quote(name, safe='')}")

    def entry(self, entry: str) -> EntryOut:
        return EntryOut.model_validate(self._client.get(f"/api/v1/catalogue/{entry}"))

    def history(self, entry: str) -> EntryPastOut:
        """How it is used, its versions, where it came from and what came of it, as far as one may know."""
        return EntryPastOut.model_validate(self._client.get(f"/api/v1/catalogue/{entry}/history"))

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
