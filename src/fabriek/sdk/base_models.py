"""Base models, for the client: brought in here, read by the clients of the Hugging Face Hub."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.base import PageOut
from fabriek.schemas.base_models import BaseModelFileIn, BaseModelIn, BaseModelOut, BaseModelPageOut, PlanOut, PushedOut
from fabriek.sdk.client import Client

PIECE_BYTES = 2**20
CARD = "README.md"
LEFT_OUT = frozenset((".git", ".cache", ".DS_Store", "__pycache__"))
"""Of the tools that fetched a model, and of this machine: no part of it."""


@dataclass(frozen=True, slots=True)
class Watching:
    """`sized` is told once how many bytes must be sent, `sent` of each piece."""

    sized: Callable[[int], None] = lambda _: None
    sent: Callable[[int], None] = lambda _: None


class BaseModels:
    """What a project brought in from outside."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def endpoint(self) -> str:
        """What `HF_ENDPOINT` must say for this project; `HF_TOKEN` is one's own token."""
        return f"{self._client.url}/hub/{self._client.the_project()}"

    def push(
        self, folder: Path, name: str, *, revision: str = "main", licence: str = "", label: str = "", allow_code: bool = False,
        project: str = "", watching: Watching | None = None,
    ) -> PushedOut:  # fmt: skip
        """Brings a folder in as a base model. The same files again are the same revision, and are not sent again.

        Raises InvalidInput without a licence, and NotPermitted (`model.code`) on files that run code when they are loaded.
        """
        watching = watching or Watching()
        found = files_below(folder)
        asked = BaseModelIn(
            name=name, revision=revision, licence=licence, label=label, allow_code=allow_code, card=_card_of(found),
            files=[BaseModelFileIn(path=path, sha256=_sha256_of(file), size_bytes=file.stat().st_size) for path, file in found.items()],
        )  # fmt: skip
        body = asked.model_dump(mode="json")
        plan = PlanOut.model_validate(self._client.post(self._path(project, "/plan"), json=body))
        wanted = set(plan.missing)
        by_content = {one.sha256: one for one in asked.files if one.sha256 in wanted}
        watching.sized(sum(one.size_bytes for one in by_content.values()))
        for sha256, one in by_content.items():
            query = urlencode({"name": name, "size": one.size_bytes, "allow_code": str(allow_code).lower()})
            pieces = _pieces(found[one.path], one.size_bytes, watching.sent)
            self._client.put_bytes(self._path(project, f"/contents/{sha256}?{query}"), pieces, length=one.size_bytes)
        return PushedOut.model_validate(self._client.post(self._path(project), json=body))

    def list(self, *, project: str = "") -> Sequence[BaseModelOut]:
        """By name, each at its main revision."""
        return PageOut[BaseModelOut].model_validate(self._client.get(self._path(project))).items

    def show(self, name: str, *, revision: str = "main", project: str = "") -> BaseModelPageOut:
        """One with its card and its files."""
        found = self._client.get(self._path(project, f"/{quote(name)}"), params={"revision": revision})
        return BaseModelPageOut.model_validate(found)

    def remove(self, name: str, *, project: str = "") -> None:
        """With all its revisions. Jobs that read it find it no more."""
        self._client.delete(self._path(project, f"/{quote(name)}"))

    def _path(self, project: str, rest: str = "") -> str:
        return f"/api/v1/projects/{self._client.the_project(project)}/base-models{rest}"


def files_below(folder: Path) -> Mapping[str, Path]:
    """Path → file, of a model's folder. Links are followed as far as the folder itself, or the cache of the Hub's client that it is part of.

    Raises InvalidInput on one that leads elsewhere: a folder that somebody sent could name any file of this machine.
    """
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is no folder", fix="name the folder with the files of the model")
    root = folder.resolve()
    # models--ORG--NAME/snapshots/COMMIT holds links into models--ORG--NAME/blobs.
    roots = [root, *([root.parent.parent / "blobs"] if root.parent.name == "snapshots" else [])]
    found: dict[str, Path] = {}
    for place, folders, names in os.walk(root):
        folders[:] = sorted(one for one in folders if one not in LEFT_OUT)
        for name in sorted(one for one in names if one not in LEFT_OUT):
            file = Path(place, name)
            target = file.resolve()
            path = file.relative_to(root).as_posix()
            if not any(target.is_relative_to(one) for one in roots):
                raise InvalidInput(f"{path} is a link to outside of the folder", fix="put the file itself there")
            if not target.is_file():
                raise InvalidInput(f"{path} is no file", fix="leave it out of the folder")
            found[path] = target
    if not found:
        raise InvalidInput(f"{folder} holds no files", fix="name the folder with the files of the model")
    return found


def _card_of(found: Mapping[str, Path]) -> str:
    if CARD not in found:
        return ""
    try:
        return found[CARD].read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput(f"{CARD} is not in UTF-8", fix="save it in UTF-8") from None


def _sha256_of(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _pieces(file: Path, size: int, sent: Callable[[int], None]) -> Iterator[bytes]:
    """As many bytes as were announced; the server sees where a file changed meanwhile."""
    left = size
    with file.open("rb") as opened:
        while left and (piece := opened.read(min(PIECE_BYTES, left))):
            left -= len(piece)
            yield piece
            sent(len(piece))
    if left:
        raise InvalidInput(f"{file.name} became shorter while it was sent", fix="push again")
