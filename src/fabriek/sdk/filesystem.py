"""`fabriek://PROJECT/DATASET@VERSION/PATH` for whatever opens files through fsspec: pandas, pyarrow, DuckDB, PyTorch.

Read only: a version never changes, and the next one is pushed. Without `@VERSION` it is the newest as it was when first asked for.
"""

import errno
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

from fabriek.kernel.errors import FabriekError, NotAuthenticated, NotFound, NotPermitted, Unavailable
from fabriek.schemas.vault import GrantOut
from fabriek.sdk.environment import read_context
from fabriek.sdk.facade import Fabriek
from fabriek.sdk.opened import OpenedVersion
from fabriek.sdk.places import place_of
from fabriek.sdk.reading import KEPT_BYTES_MAX, Reading
from fabriek.sdk.tree import Entry, Folder, Tree
from fabriek.sealing.manifest import File

PROTOCOL = "fabriek"


class FabriekFileSystem(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Versions as folders. `url`, `token` and `project` are those of `Fabriek.from_environment` where they are left out;
    `kept_bytes_max` bounds what is kept in memory for each version.
    """

    protocol: ClassVar[str] = PROTOCOL
    cachable = True

    def __init__(
        self, url: str = "", token: str = "", project: str = "", *, kept_bytes_max: int = KEPT_BYTES_MAX, **options: Any
    ) -> None:
        super().__init__(**options)
        self._given, self._kept_bytes_max = (url, token, project), kept_bytes_max
        self._lock = threading.RLock()
        self._door = _Door(os.getpid())

    def close(self) -> None:
        """Gives every grant back. What is read afterwards is opened anew."""
        with self._lock:
            self._door.close()
            self._door = _Door(os.getpid())

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:  # noqa: FBT001, FBT002  # fsspec's own signature
        """The projects, the datasets of one, or what is in a folder. Raises FileNotFoundError, PermissionError."""
        path = self._strip_protocol(path)
        with _told(path):
            found = self._listed(path)
        return found if detail else [one["name"] for one in found]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """`size`, `type`, and of a file its `mode`, `digest`, and up to 64 MiB its `sha256`, which is the same; of a link, what it leads to."""
        path = self._strip_protocol(path)
        reference, inner = _split(path)
        if not inner and "/" not in reference:
            return _folder_info(path)
        with _told(path):
            found = self._at(reference, inner)
        return _folder_info(path) if isinstance(found, Folder) else _file_info(path, found)

    def checksum(self, path: str) -> int:
        """The digest of a file's content: its SHA-256, or above 64 MiB one over those of its blocks."""
        info = self.info(path)
        if info["type"] != "file":
            raise IsADirectoryError(errno.EISDIR, "a folder has no checksum", path)
        return int(info["digest"], 16)

    def ukey(self, path: str) -> str:
        return str(self.info(path).get("digest", path))

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        """A file's bytes, or a stretch of them; negative positions count from the end."""
        path = self._strip_protocol(path)
        file = self._file(path)
        begin, stop = (one + file.size if one is not None and one < 0 else one for one in (start, end))
        return self.read_range(path, max(begin or 0, 0), file.size if stop is None else stop)

    def read_range(self, path: str, start: int, stop: int) -> bytes:
        """Fetches only the chunks that these bytes lie in, where they are not in memory."""
        reference, _ = _split(path)
        with _told(path):
            return self._version(reference).reading.read(self._file(path), start, stop)

    def invalidate_cache(self, path: str | None = None) -> None:
        """Closes what was opened, so that the newest version is looked up again."""
        super().invalidate_cache(path)
        self.close()

    def _open(self, path: str, mode: str = "rb", block_size: Any = None, **options: Any) -> "FabriekFile":  # noqa: ARG002
        if mode != "rb":
            _refuse(path)
        options.pop("cache_options", None)
        options.pop("cache_type", None)  # blocks are kept once, for all who read the version
        return FabriekFile(self, path, size=self._file(path).size, cache_type="none", **options)

    def _listed(self, path: str) -> list[dict[str, Any]]:
        reference, inner = _split(path)
        if not reference:
            return [_folder_info(project.slug) for project in self._factory().access.projects()]
        if "/" not in reference:
            return [_folder_info(f"{path}/{name}") for name in self._datasets(reference)]
        found = self._at(reference, inner)
        if isinstance(found, File):
            return [_file_info(path, found)]
        tree = self._version(reference).tree
        listed = []
        for name, entry in tree.entries(found):
            target = tree.find(entry.path) if isinstance(entry, File) and entry.link else entry
            if target is not None:
                listed.append(
                    _folder_info(f"{path}/{name}")
                    if isinstance(target, Folder)
                    else _file_info(f"{path}/{name}", target)
                )
        return listed

    def _datasets(self, project: str) -> Iterator[str]:
        cursor = ""
        while True:
            page = self._factory().vault.list(project=project, cursor=cursor)
            yield from (dataset.name for dataset in page.items)
            cursor = page.next_cursor or ""
            if not cursor:
                return

    def _file(self, path: str) -> File:
        path = self._strip_protocol(path)
        reference, inner = _split(path)
        if "/" not in reference:
            raise IsADirectoryError(errno.EISDIR, "this is a folder", path)
        with _told(path):
            found = self._at(reference, inner)
        if isinstance(found, Folder):
            raise IsADirectoryError(errno.EISDIR, "this is a folder", path)
        return found

    def _at(self, reference: str, inner: str) -> Entry:
        found = self._version(reference).tree.find(inner)
        if found is None:
            raise NotFound(f"the version has no file {inner!r}", fix="fabriek data show NAME lists its files")
        return found

    def _version(self, reference: str) -> "_Version":
        with self._lock:
            versions = self._here().versions
            if reference not in versions:
                client = self._factory().client
                opened = _granted(self._factory(), place_of(client, reference).version_path)
                again = place_of(client, opened.grant.version).version_path
                factory = self._factory()
                reading = Reading(opened, lambda: _granted(factory, again), kept_bytes_max=self._kept_bytes_max)
                versions[reference] = _Version(reading, Tree(reading.book))
            return versions[reference]

    def _factory(self) -> Fabriek:
        with self._lock:
            here = self._here()
            if here.factory is None:
                url, token, project = self._given
                said = read_context() if not url else None
                here.factory = (
                    Fabriek(said.url, token or said.token, project or said.project)
                    if said
                    else Fabriek(url, token, project)
                )
                weakref.finalize(self, here.close)
            return here.factory

    def _here(self) -> "_Door":
        """A fork has a door of its own: two processes that wrote into one connection would read each other's answers."""
        if self._door.pid != os.getpid():
            self._door = _Door(os.getpid())
        return self._door

    def _changes(self, *paths: Any, **_: Any) -> NoReturn:
        _refuse(str(paths[0]) if paths else "")

    mkdir = makedirs = rmdir = rm = rm_file = _rm = touch = mv = cp_file = pipe_file = put_file = _changes


class FabriekFile(AbstractBufferedFile):  # type: ignore[misc]
    """One file of a version, open for reading."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        read: bytes = self.fs.read_range(self.path, start, end)
        return read


@dataclass
class _Version:
    reading: Reading
    tree: Tree


class _Door:
    """The connection of one process, and what it has open."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.factory: Fabriek | None = None
        self.versions: dict[str, _Version] = {}

    def close(self) -> None:
        """Nothing in a fork: the grants are its parent's."""
        if self.pid != os.getpid():
            return
        for version in self.versions.values():
            version.reading.close()
        self.versions.clear()
        if self.factory is not None:
            self.factory.close()


def _granted(factory: Fabriek, version_path: str) -> OpenedVersion:
    return OpenedVersion(factory.client, GrantOut.model_validate(factory.client.post(f"{version_path}/grants")))


def _split(path: str) -> tuple[str, str]:
    """(`project/dataset@version`, path inside); the first is shorter where the path is."""
    project, _, rest = path.partition("/")
    dataset, _, inner = rest.partition("/")
    return (f"{project}/{dataset}" if dataset else project), inner


def _folder_info(path: str) -> dict[str, Any]:
    return {"name": path, "size": 0, "type": "directory"}


def _file_info(path: str, file: File) -> dict[str, Any]:
    info = {"name": path, "size": file.size, "type": "file", "mode": file.mode, "digest": file.sha256}
    return info if file.blocks else info | {"sha256": file.sha256}


def _refuse(path: str) -> NoReturn:
    raise OSError(errno.EROFS, "a version never changes: push the next one with `fabriek data push FOLDER NAME`", path)


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Errors in the words of those who open files, who know nothing of ours."""
    try:
        yield
    except FabriekError as error:
        said = f"{error.detail} ({error.fix})" if error.fix else error.detail
        if isinstance(error, NotFound):
            raise FileNotFoundError(errno.ENOENT, said, path) from error
        if isinstance(error, NotPermitted | NotAuthenticated):
            raise PermissionError(errno.EACCES, said, path) from error
        if isinstance(error, Unavailable):
            raise ConnectionError(said) from error
        raise OSError(errno.EIO, said, path) from error
