"""Statements of origin, for the client: fetched, and checked here."""

import base64
from typing import Any

from fabriek.kernel.dsse import opened
from fabriek.schemas.assurance import StatementOut
from fabriek.sdk.client import Client


class Assurance:
    """Where results came from."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def statement(self, job: str, *, project: str = "") -> StatementOut:
        """Raises NotFound when the job left nothing, or is not settled yet."""
        path = f"/api/v1/projects/{self._client.the_project(project)}/jobs/{job}/statement"
        return StatementOut.model_validate(self._client.get(path))

    def verified(self, job: str, *, project: str = "", public_key: str = "") -> dict[str, Any]:
        """The statement's content, its signature checked here. `public_key`: base64, one that you kept; empty takes what came along.

        Raises Damaged when it was changed or another key signed it.
        """
        found = self.statement(job, project=project)
        content: dict[str, Any] = opened(found.envelope, base64.b64decode(public_key or found.public_key))
        return content
