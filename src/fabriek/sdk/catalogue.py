"""The catalogue, for the client."""

from collections.abc import Sequence

from fabriek.schemas.catalogue import EntryOut, EntryRequestOut, FoundOut, SuggestionsOut
from fabriek.sdk.client import Client


class Catalogue:
    """What is here."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def publish(
        self, kind: str, subject: str, *, title: str, summary: str, licence: str = "", terms: str = "", keywords: Sequence[str] = (),
        language: str = "en", text: str = "", reach: str = "everyone", project: str = "",
    ) -> EntryOut:  # fmt: skip
        body = {
            "kind": kind, "subject": subject, "title": title, "summary": summary, "licence": licence, "terms": terms,
            "keywords": list(keywords), "language": language, "text": text, "reach": reach,
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

    def withdraw(self, entry: str) -> None:
        self._client.delete(f"/api/v1/catalogue/{entry}")

    def request(self, entry: str, reason: str, *, project: str = "") -> str:
        """The id of the request."""
        body = {"project": project, "reason": reason}
        return EntryRequestOut.model_validate(
            self._client.post(f"/api/v1/catalogue/{entry}/access-requests", json=body)
        ).request
