"""Auditors' links, for the client."""

from collections.abc import Sequence
from datetime import date

from fabriek.schemas.auditing import AuditorLinkOut
from fabriek.schemas.base import PageOut
from fabriek.sdk.client import Client


class Auditing:
    """Links by which an auditor without an account looks at the ledger."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def make(self, name: str, email: str, until: date, *, quarter: str = "") -> AuditorLinkOut:
        """until: the last day; it counts. quarter: the only one that it opens. Its `link` is shown this once."""
        body = {"name": name, "email": email, "until": until.isoformat(), "quarter": quarter}
        return AuditorLinkOut.model_validate(self._client.post("/api/v1/funding/auditor-links", json=body))

    def list(self) -> Sequence[AuditorLinkOut]:
        return PageOut[AuditorLinkOut].model_validate(self._client.get("/api/v1/funding/auditor-links")).items

    def end(self, link: str) -> AuditorLinkOut:
        return AuditorLinkOut.model_validate(self._client.delete(f"/api/v1/funding/auditor-links/{link}"))
