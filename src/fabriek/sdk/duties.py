"""Reports that awards ask for, extensions and thanks, for the client."""

from collections.abc import Mapping, Sequence
from typing import Any

from fabriek.schemas.access import FormOut
from fabriek.schemas.base import PageOut
from fabriek.schemas.duties import AcknowledgementOut, DutyOut, ExtensionOut, ThanksOut
from fabriek.sdk.client import Client


class Duties:
    """What an award obliges to."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, project: str = "", *, to_decide: bool = False) -> Sequence[DutyOut]:
        """Those of your projects or of one; with `to_decide` those that you accept or return."""
        params = {"project": project, "to_decide": to_decide}
        return PageOut[DutyOut].model_validate(self._client.get("/api/v1/duties", params=params)).items

    def form(self, name: str) -> FormOut:
        return FormOut.model_validate(self._client.get(f"/api/v1/report-forms/{name}"))

    def show(self, duty: str) -> DutyOut:
        return DutyOut.model_validate(self._client.get(f"/api/v1/duties/{duty}"))

    def edit(self, duty: str, answers: Mapping[str, Any], *, revision: int | None = None) -> DutyOut:
        """revision: the edit that the answers were made on; a newer one raises Stale."""
        body = {"answers": dict(answers), "revision": revision}
        return DutyOut.model_validate(self._client.patch(f"/api/v1/duties/{duty}", json=body))

    def file(self, duty: str) -> DutyOut:
        return DutyOut.model_validate(self._client.post(f"/api/v1/duties/{duty}/file"))

    def accept(self, duty: str) -> DutyOut:
        return DutyOut.model_validate(self._client.post(f"/api/v1/duties/{duty}/accept"))

    def give_back(self, duty: str, note: str) -> DutyOut:
        return DutyOut.model_validate(self._client.post(f"/api/v1/duties/{duty}/return", json={"note": note}))

    def extend(self, project: str = "", *, allocation: str = "") -> ExtensionOut:
        path = f"/api/v1/projects/{self._client.the_project(project)}/extension"
        return ExtensionOut.model_validate(self._client.post(path, json={"allocation": allocation}))

    def acknowledgement(self, project: str = "", *, lang: str = "en") -> Sequence[ThanksOut]:
        path = f"/api/v1/projects/{self._client.the_project(project)}/acknowledgement"
        return PageOut[ThanksOut].model_validate(self._client.get(path, params={"lang": lang})).items

    def set_acknowledgement(self, share: str, *, nl: str, en: str) -> AcknowledgementOut:
        found = self._client.put(f"/api/v1/shares/{share}/acknowledgement", json={"nl": nl, "en": en})
        return AcknowledgementOut.model_validate(found)
