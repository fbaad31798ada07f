"""What is known against a package: advisories in the OSV format, from a folder that the operator keeps. Source: ossf.github.io/osv-schema."""

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import Version

from fabriek.kernel.errors import InvalidInput
from fabriek.packages.names import Pinned, normalised, same_version, version_of

ADVISORY_BYTES_MAX = 4 * 2**20
SUMMARY_CHARACTERS_MAX = 200

EVENTS = ("fixed", "introduced", "last_affected")
"""In the order in which they come at one version: what was mended and broken again is broken, and what was broken in that version alone is
whole after it.
"""


@dataclass(frozen=True, slots=True)
class Advisory:
    id: str
    summary: str


@dataclass(frozen=True, slots=True)
class Advised:
    """`compared`: how many advisories there were; 0 means that nothing was compared, and `why_not` says why."""

    compared: int = 0
    against: tuple[Advisory, ...] = ()
    perhaps: tuple[Advisory, ...] = ()
    why_not: str = ""


class AdvisoryFolder:
    """A folder of OSV files, one advisory each, in any order of folders. None: the operator gave none. Looked at anew for each question, so
    that new advisories count at once; read anew only when a file came, went or changed.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._seen: tuple[tuple[str, int], ...] = ()
        self._documents: Sequence[Mapping[str, Any]] = ()

    def about(self, packages: Sequence[Pinned]) -> Sequence[Advised]:
        """One answer for each package."""
        if self._folder is None:
            return [Advised(why_not="no vulnerability data was given (setting packages_advisories)")] * len(packages)
        try:
            documents = self._read(self._folder)
            return [advised(one, documents) for one in packages]
        except InvalidInput as fault:
            return [Advised(why_not=fault.detail)] * len(packages)

    def _read(self, folder: Path) -> Sequence[Mapping[str, Any]]:
        files = sorted(folder.rglob("*.json")) if folder.is_dir() else []
        if not files:
            raise InvalidInput(
                "there is no advisory in the folder of packages_advisories", fix="fill it, or leave it out"
            )
        with self._lock:
            seen = tuple((str(file), file.stat().st_mtime_ns) for file in files)
            if seen != self._seen:
                self._documents, self._seen = [_read(file) for file in files], seen
            return self._documents


def advised(package: Pinned, documents: Iterable[Mapping[str, Any]]) -> Advised:
    """Which of these advisories concern this version. Raises InvalidInput on one that is not in the OSV format."""
    compared = 0
    against: list[Advisory] = []
    perhaps: list[Advisory] = []
    for document in documents:
        compared += 1
        try:
            concerned = None if document.get("withdrawn") else _concerns(package, document.get("affected") or [])
            told = Advisory(
                str(document["id"]), " ".join(str(document.get("summary") or "").split())[:SUMMARY_CHARACTERS_MAX]
            )
        except (KeyError, TypeError, AttributeError):
            raise InvalidInput(
                "an advisory is not in the OSV format", fix="mend the folder of packages_advisories"
            ) from None
        if concerned is not None:
            (against if concerned else perhaps).append(told)
    return Advised(compared, tuple(against), tuple(perhaps))


def _concerns(package: Pinned, affected: Iterable[Mapping[str, Any]]) -> bool | None:
    """True: this version is named, or lies in a range. False: only what cannot be compared, such as commits, could say. None: neither."""
    found: bool | None = None
    for one in affected:
        named = one.get("package") or {}
        if str(named.get("ecosystem", "")).lower() != "pypi" or normalised(str(named.get("name", ""))) != package.name:
            continue
        versions, ranges = one.get("versions") or [], one.get("ranges") or []
        if any(same_version(str(version), package.version) for version in versions):
            return True
        lies_in = [_lies_in(package.version, one.get("events") or []) for one in ranges if one.get("type") != "GIT"]
        if any(lies_in):
            return True
        if None in lies_in or not (versions or lies_in):
            found = False
    return found


def _lies_in(version: str, events: Iterable[Mapping[str, Any]]) -> bool | None:
    """Whether the last event before a version leaves it affected; None where one of the versions cannot be compared."""
    asked = version_of(version)
    if asked is None:
        return None
    reached: list[tuple[Version, int]] = []
    for event in events:
        for kind, said in event.items():
            at = version_of(str(said))
            if kind not in EVENTS:
                continue
            if at is None:
                return None
            if at < asked or (at == asked and kind != "last_affected"):
                reached.append((at, EVENTS.index(kind)))
    return bool(reached) and EVENTS[max(reached)[1]] == "introduced"


def _read(file: Path) -> Mapping[str, Any]:
    try:
        if file.stat().st_size > ADVISORY_BYTES_MAX:
            raise InvalidInput(f"{file.name} is over {ADVISORY_BYTES_MAX:,} bytes", fix="one advisory a file")
        found = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise InvalidInput(f"{file.name} cannot be read as an advisory", fix="fetch it again") from None
    if not isinstance(found, dict):
        raise InvalidInput(f"{file.name} is not an advisory", fix="one advisory a file")
    return found
