"""Served models and the keys to them, for the client. Programs that call one need an address and a key, and nothing of ours."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fabriek.kernel.invalid import refused
from fabriek.schemas.base import PageOut
from fabriek.schemas.serving import KeyIn, KeyOut, NewKeyOut, ServedOut, ServeIn
from fabriek.sdk.client import Client
from fabriek.sdk.vault import Vault


class Serving:
    """Serve a version, look, stop; make, list and end keys."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def serve(
        self, model: str, command: Sequence[str] = (), *, code: str | Path | None = None, data: Mapping[str, str] | None = None,
        requirements: str | Path | None = None, project: str = "", **asked: Any,
    ) -> ServedOut:  # fmt: skip
        """`NAME@alias` or `NAME@3`, exactly. `data` maps dataset → mount point, `requirements` is a file; other names are those of ServeIn."""
        version = Vault(self._client).push_code(Path(code), project=project) if code is not None else ""
        inputs = [{"dataset": name, "mount": mount} for name, mount in (data or {}).items()]
        packages = Path(requirements).read_text("utf-8") if requirements is not None else ""
        try:
            wanted = ServeIn.model_validate(
                {
                    "model": model,
                    "command": list(command),
                    "code": version,
                    "inputs": inputs,
                    "requirements": packages,
                    **asked,
                }
            )
        except ValidationError as error:
            raise refused(error, fix="see docs/howto/serving.md") from None
        return ServedOut.model_validate(self._client.post(self._path(project), json=wanted.model_dump(mode="json")))

    def list(self, *, project: str = "") -> Sequence[ServedOut]:
        return PageOut[ServedOut].model_validate(self._client.get(self._path(project))).items

    def show(self, name: str, *, project: str = "") -> ServedOut:
        return ServedOut.model_validate(self._client.get(f"{self._path(project)}/{name}"))

    def stop(self, name: str, *, project: str = "") -> ServedOut:
        """Its address and keys stay, and answer again when a version is served under that name."""
        return ServedOut.model_validate(self._client.post(f"{self._path(project)}/{name}/stop"))

    def create_key(
        self, served: str, *, budget: str, days: int = 30, name: str = "", paid_by: str = "", project: str = ""
    ) -> NewKeyOut:
        """`budget` is `100000 tokens`, `500 requests/day`, `2M tokens/month`. `paid_by`: another project of yours for which it calls. The secret is
        in the answer, and nowhere else.
        """
        try:
            wanted = KeyIn(budget=budget, days=days, name=name, paid_by=paid_by)
        except ValidationError as error:
            raise refused(error, fix="see docs/howto/serving.md") from None
        body = wanted.model_dump(mode="json")
        return NewKeyOut.model_validate(self._client.post(f"{self._path(project)}/{served}/keys", json=body))

    def keys(self, served: str, *, project: str = "") -> Sequence[KeyOut]:
        return PageOut[KeyOut].model_validate(self._client.get(f"{self._path(project)}/{served}/keys")).items

    def end_key(self, served: str, key: str, *, project: str = "") -> KeyOut:
        return KeyOut.model_validate(self._client.delete(f"{self._path(project)}/{served}/keys/{key}"))

    def _path(self, project: str) -> str:
        return f"/api/v1/projects/{self._client.the_project(project)}/served"
