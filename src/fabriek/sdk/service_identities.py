"""Service identities, for the client."""

from collections.abc import Sequence

from fabriek.schemas.base import PageOut
from fabriek.schemas.tokens import NewTokenOut, ServiceOut, TokenOut
from fabriek.sdk.client import Client


class ServiceIdentities:
    """Programs that act in a project under a name of their own."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, name: str, role: str = "member", *, project: str = "") -> ServiceOut:
        """A service. Whoever makes it answers for it."""
        return ServiceOut.model_validate(self._client.post(self._path(project), json={"name": name, "role": role}))

    def list(self, *, project: str = "") -> Sequence[ServiceOut]:
        """By name, each with its tokens."""
        return PageOut[ServiceOut].model_validate(self._client.get(self._path(project))).items

    def token(
        self, service: str, name: str, scopes: Sequence[str] = (), *, days: int = 0, project: str = ""
    ) -> NewTokenOut:
        """A token of the service, with its secret, which is shown once."""
        body = {"name": name, "scopes": list(scopes), "days": days}
        return NewTokenOut.model_validate(self._client.post(f"{self._path(project)}/{service}/tokens", json=body))

    def revoke(self, service: str, token: str, *, project: str = "") -> TokenOut:
        """By the token's name or id."""
        return TokenOut.model_validate(self._client.delete(f"{self._path(project)}/{service}/tokens/{token}"))

    def sign(self, service: str, *, project: str = "") -> ServiceOut:
        """Answers for it from now on."""
        return ServiceOut.model_validate(self._client.post(f"{self._path(project)}/{service}/sign"))

    def retire(self, service: str, *, project: str = "") -> None:
        """Ends its tokens and its place in the project."""
        self._client.delete(f"{self._path(project)}/{service}")

    def _path(self, project: str) -> str:
        return f"/api/v1/projects/{self._client.the_project(project)}/services"
