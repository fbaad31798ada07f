"""Packages and requests for them, for the client."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.base import PageOut
from fabriek.schemas.packages import PackageFileOut, PackageRequestOut
from fabriek.sdk.client import Client

PIECE_BYTES = 2**20


class Packages:
    """What may be installed, and what was asked for."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, text: str = "") -> Sequence[PackageFileOut]:
        """Files that hold the text in their name or summary."""
        return _files(self._client.get("/api/v1/packages", params={"q": text}))

    def show(self, name: str) -> Sequence[PackageFileOut]:
        return _files(self._client.get(f"/api/v1/packages/{quote(name, safe='')}"))

    def request(self, package: str, reason: str, *, project: str = "") -> PackageRequestOut:
        """Asks for `NAME==VERSION` in a project. Raises AlreadyExists where it may be installed already."""
        body = {"package": package, "reason": reason}
        path = f"/api/v1/projects/{self._client.the_project(project)}/package-requests"
        return PackageRequestOut.model_validate(self._client.post(path, json=body))

    def requests(self, *, project: str = "", everybody: bool = False) -> Sequence[PackageRequestOut]:
        """Newest first; `everybody`: of all, for who approves."""
        mine = "" if everybody else f"/projects/{self._client.the_project(project)}"
        found = self._client.get(f"/api/v1{mine}/package-requests")
        return PageOut[PackageRequestOut].model_validate(found).items

    def shown(self, request: str) -> PackageRequestOut:
        """One request with its files and what was found."""
        return PackageRequestOut.model_validate(self._client.get(f"/api/v1/package-requests/{request}"))

    def add(self, wheels: Sequence[Path], *, request: str = "", reason: str = "") -> PackageRequestOut:
        """As an operator: the files of a request, or of a new one for all that is named after the first wheel."""
        if not wheels:
            raise InvalidInput("no wheel is named", fix="fabriek package add FILE.whl …")
        if not request:
            name, version = (*wheels[0].name.split("-"), "", "")[:2]
            body = {"package": f"{name}=={version}", "reason": reason or "carried in by an operator"}
            request = PackageRequestOut.model_validate(self._client.post("/api/v1/package-requests", json=body)).id
        for wheel in wheels:
            path = f"/api/v1/package-requests/{request}/files/{quote(wheel.name, safe='')}"
            self._client.put_bytes(path, _pieces(wheel), length=wheel.stat().st_size)
        return self._act(request, "ready")

    def approve(self, request: str, *, everybody: bool = False, despite: str = "") -> PackageRequestOut:
        return self._act(request, "approve", {"everybody": everybody, "despite": despite})

    def refuse(self, request: str, reason: str) -> PackageRequestOut:
        return self._act(request, "refuse", {"reason": reason})

    def take_back(self, request: str) -> PackageRequestOut:
        """A request that one made oneself."""
        return self._act(request, "withdraw")

    def withdraw(self, package: str, reason: str) -> Sequence[PackageFileOut]:
        """A version, from every index."""
        return _files(self._client.post("/api/v1/packages/withdraw", json={"package": package, "reason": reason}))

    def _act(self, request: str, act: str, body: dict[str, object] | None = None) -> PackageRequestOut:
        return PackageRequestOut.model_validate(
            self._client.post(f"/api/v1/package-requests/{request}/{act}", json=body)
        )


def _files(found: object) -> Sequence[PackageFileOut]:
    return PageOut[PackageFileOut].model_validate(found).items


def _pieces(wheel: Path) -> Iterator[bytes]:
    with wheel.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
