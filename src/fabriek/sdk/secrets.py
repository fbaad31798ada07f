"""A project's secrets, for the client."""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from fabriek.kernel.invalid import refused
from fabriek.schemas.base import PageOut
from fabriek.schemas.secrets import GivenOut, SecretIn, SecretOut
from fabriek.sdk.client import Client


class Secrets:
    """Values that jobs may use and nobody reads back."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def set(self, name: str, value: str, *, project: str = "") -> SecretOut:
        """A new secret, or a new value of one. Raises InvalidInput, which never says the value."""
        try:
            wanted = SecretIn(name=name, value=value)
        except ValidationError as error:
            raise refused(error, fix="see docs/howto/secrets.md") from None
        body = {"name": wanted.name, "value": wanted.value.get_secret_value()}
        return SecretOut.model_validate(self._client.put(self._path(project), json=body))

    def list(self, *, project: str = "") -> Sequence[SecretOut]:
        """By name, without values."""
        return PageOut[SecretOut].model_validate(self._client.get(self._path(project))).items

    def remove(self, name: str, *, project: str = "") -> None:
        """Jobs that wait and name it fail when they start."""
        self._client.delete(f"{self._path(project)}/{name}")

    def _path(self, project: str) -> str:
        return f"/api/v1/projects/{self._client.the_project(project)}/secrets"


def given_to(client: Client, job: str) -> Mapping[str, str]:
    """Name → value of what a job names, for its node. Raises NotFound when one was removed."""
    return GivenOut.model_validate(client.get(f"/api/v1/jobs/{job}/secrets")).items
