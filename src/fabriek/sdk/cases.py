"""Cases of the desk, for the client."""

from collections.abc import Sequence

from fabriek.schemas.base import PageOut
from fabriek.schemas.cases import CaseOut, CaseWholeOut, DocumentOut, TemplateOut
from fabriek.sdk.client import Client


class Cases:
    """What you need of the desk, and what becomes of it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def open(self, title: str = "", words: str = "", *, project: str = "", question: str = "") -> CaseOut:
        """`question`: the id of one that becomes a case; then title and words may be left out."""
        body = {"title": title, "words": words, "project": project, "question": question}
        return CaseOut.model_validate(self._client.post("/api/v1/cases", json=body))

    def list(self, *, state: str = "", overdue: bool = False) -> Sequence[CaseOut]:
        params = ({"state": state} if state else {}) | ({"overdue": "true"} if overdue else {})
        return PageOut[CaseOut].model_validate(self._client.get("/api/v1/cases", params=params)).items

    def show(self, case: str) -> CaseWholeOut:
        return CaseWholeOut.model_validate(self._client.get(f"/api/v1/cases/{case}"))

    def say(self, case: str, words: str) -> CaseOut:
        return self._act(case, "words", {"words": words})

    def hand(self, case: str, person: str, reason: str) -> CaseOut:
        """To an expert, or to somebody of the desk."""
        return self._act(case, "handler", {"person": person, "reason": reason})

    def raise_to(self, case: str, level: str, reason: str) -> CaseOut:
        return self._act(case, "level", {"level": level, "reason": reason})

    def move(self, case: str, state: str, words: str) -> CaseOut:
        return self._act(case, "state", {"state": state, "words": words})

    def write(self, case: str, text: str, *, base: int | None = None) -> DocumentOut:
        """A new version of its use-case document. base: the version that was changed, where somebody else may write too."""
        body = {"text": text} | ({} if base is None else {"base": base})
        return DocumentOut.model_validate(self._client.post(f"/api/v1/cases/{case}/documents", json=body))

    def template(self, language: str = "en") -> str:
        """All heads of a use-case document, each with what it asks."""
        return TemplateOut.model_validate(
            self._client.get("/api/v1/use-case-template", params={"language": language})
        ).text

    def versions(self, case: str) -> Sequence[DocumentOut]:
        """Of its document, newest first."""
        return PageOut[DocumentOut].model_validate(self._client.get(f"/api/v1/cases/{case}/documents")).items

    def _act(self, case: str, what: str, body: dict[str, str]) -> CaseOut:
        return CaseOut.model_validate(self._client.post(f"/api/v1/cases/{case}/{what}", json=body))
