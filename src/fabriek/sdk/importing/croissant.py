"""A document in Croissant, 1.0 or 1.1, and the files beside it. Nothing is fetched: what lies elsewhere is named, and refused."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.licences import licence_of
from fabriek.kernel.lines import one_line
from fabriek.sdk.importing.handed import (
    AUTHOR_CHARACTERS_MAX,
    AUTHORS_MAX,
    SUMMARY_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    Handed,
    contained,
    language_of,
    name_of,
    words_of,
)

DOCUMENT_BYTES_MAX = 16 * 2**20
FILES_MAX = 50_000
VERSION = re.compile(r"https?://mlcommons\.org/croissant/1\.[01]")
PREFIXES = (
    "",
    "sc:",
    "schema:",
    "cr:",
    "https://schema.org/",
    "http://schema.org/",
    "http://mlcommons.org/croissant/",
    "dct:",
)
TAKEN = frozenset({
    "@context", "@id", "@type", "conformsTo", "name", "description", "license", "keywords", "creator", "author", "inLanguage", "distribution",
    "recordSet", "sameAs",
})  # fmt: skip
"""What the card and the version take. Record sets stay in the document, which is among the version's files."""

FIX = "see docs/howto/catalogue-exchange.md"


def read_croissant(file: Path) -> Handed:
    """Reads the document and checks each file that it names. Raises InvalidInput on what is no Croissant, a file that is not beside it, and one
    whose hash is another.
    """
    told, root = _document(file), file.parent
    conforms = [one for one in _texts(_said(told, "conformsTo")) if VERSION.fullmatch(one.rstrip("/"))]
    if not conforms:
        raise InvalidInput(
            f"{file} does not say that it is Croissant 1.0 or 1.1",
            fix='"conformsTo": "http://mlcommons.org/croissant/1.1"',
        )
    title = one_line(_text(told, "name"), TITLE_CHARACTERS_MAX)
    description = _text(told, "description").strip()
    if not title:
        raise InvalidInput(f"{file} names no dataset", fix='"name": "Cells of 569 biopsies"')
    face: dict[str, str | Sequence[str]] = {
        "title": title, "summary": one_line(description, SUMMARY_CHARACTERS_MAX) or title,
        "text": description[:TEXT_CHARACTERS_MAX] if len(description) > SUMMARY_CHARACTERS_MAX else "",
        "licence": next((licence_of(one) for one in _texts(_said(told, "license"))), ""), "keywords": words_of(_keywords(told)),
        "language": language_of(next(iter(_texts(_said(told, "inLanguage"))), "en")), "doi": _doi(told), "authors": _authors(told),
    }  # fmt: skip
    paths = [file.name, *_files(told, root)]
    left = sorted(name for name in told if _bare(name) not in TAKEN)
    return Handed("dataset", name_of(title, file.parent.resolve().name), root, face, tuple(dict.fromkeys(paths)), left)


def _document(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            content = opened.read(DOCUMENT_BYTES_MAX + 1)
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read ({error.strerror})", fix="check the name of the file") from None
    if len(content) > DOCUMENT_BYTES_MAX:
        raise InvalidInput(
            f"{file} has more than {DOCUMENT_BYTES_MAX // 2**20} MiB", fix="leave its inline records out"
        )
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        raise InvalidInput(f"{file} is not JSON", fix=FIX) from None
    if not isinstance(told, dict):
        raise InvalidInput(f"{file} is no document in Croissant", fix=FIX)
    return told


def _files(told: Mapping[str, Any], root: Path) -> Iterator[str]:
    """Paths of what the document distributes, each checked. What lies in an archive comes with the archive."""
    parts = _listed(_said(told, "distribution"))
    if len(parts) > FILES_MAX:
        raise InvalidInput(
            f"the document names more than {FILES_MAX:,} files", fix="name them together, as sets of files"
        )
    for part in parts:
        if not isinstance(part, dict):
            raise InvalidInput("the document distributes what is no file", fix=FIX)
        if _said(part, "containedIn") is not None:
            continue
        kinds = {_bare(one) for one in _texts(part.get("@type"))}
        if "FileObject" in kinds:
            yield _file(part, root)
        elif "FileSet" in kinds:
            yield from _set(part, root)
        else:
            raise InvalidInput("the document distributes what is neither a file nor a set of files", fix=FIX)


def _file(part: Mapping[str, Any], root: Path) -> str:
    url, name = _text(part, "contentUrl"), _text(part, "name")
    path = url.removeprefix("./")
    if not url or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", url):
        # Somebody may have fetched it beforehand, under the name that the document gives it.
        path = name
        try:
            contained(root, path)
        except InvalidInput:
            raise InvalidInput(
                f"{name[:100]!r} lies at {url[:100]!r}, and nothing is fetched from elsewhere",
                fix="fetch it yourself, and put it beside the document under its name",
            ) from None  # fmt: skip
    file = contained(root, path)
    _check(file, path, _text(part, "sha256"), _text(part, "md5"))
    return path


def _check(file: Path, path: str, sha256: str, md5: str) -> None:
    """In hexadecimal or base64, as documents have it."""
    algorithm, said = ("sha256", sha256) if sha256 else ("md5", md5)
    if not said:
        raise InvalidInput(f"the document gives no sha256 of {path[:100]!r}", fix=f"sha256sum {path[:100]}")
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, lambda: hashlib.new(algorithm, usedforsecurity=False)).digest()
    if found not in _digests(said):
        raise InvalidInput(
            f"{path[:100]!r} is not the file that the document tells of: its {algorithm} is another",
            fix="fetch it again",
        )


def _digests(said: str) -> list[bytes]:
    found = []
    for read in (bytes.fromhex, base64.b64decode):
        try:
            found.append(read(said))
        except (ValueError, binascii.Error):
            continue
    return found


def _set(part: Mapping[str, Any], root: Path) -> Iterator[str]:
    """Files of the folder by patterns. Links are passed over: a pattern names none of its own."""
    left_out = {file for pattern in _texts(_said(part, "excludes")) for file in _glob(root, pattern)}
    for pattern in _texts(_said(part, "includes")):
        for file in sorted(_glob(root, pattern) - left_out):
            contained(root, file)
            yield file


def _glob(root: Path, pattern: str) -> set[str]:
    if pattern.startswith("/") or ".." in pattern.split("/") or not pattern:
        raise InvalidInput(f"{pattern[:100]!r} leads out of the folder", fix="name files beside the document")
    try:
        found = [one for one in root.glob(pattern) if one.is_file() and not one.is_symlink()]
    except (ValueError, RuntimeError):  # patterns of a disk are what this Python does not do
        raise InvalidInput(f"{pattern[:100]!r} is no pattern", fix='"includes": "images/*.png"') from None
    inside = root.resolve()
    return {one.relative_to(root).as_posix() for one in found if one.resolve().is_relative_to(inside)}


def _authors(told: Mapping[str, Any]) -> list[str]:
    found = list[str]()
    for name in ("creator", "author"):
        for one in _listed(_said(told, name)):
            said = _text(one, "name") if isinstance(one, dict) else next(iter(_texts(one)), "")
            found.append(one_line(said, AUTHOR_CHARACTERS_MAX))
    return list(dict.fromkeys(one for one in found if one))[:AUTHORS_MAX]


def _keywords(told: Mapping[str, Any]) -> list[str]:
    return [word for one in _texts(_said(told, "keywords")) for word in one.split(",")]


def _doi(told: Mapping[str, Any]) -> str:
    for name in ("citeAs", "sameAs", "@id", "identifier", "url"):
        for one in _texts(_said(told, name)):
            if found := re.search(r"https?://(?:dx\.)?doi\.org/(10\.\d{4,9}/[^\s\"<>{}]{1,200})", one):
                return found[1].rstrip(".,;")
    return ""


def _bare(name: str) -> str:
    prefix = max((one for one in PREFIXES if one and name.startswith(one)), key=len, default="")
    return name.removeprefix(prefix)


def _said(told: Mapping[str, Any], name: str) -> Any:
    return next((told[prefix + name] for prefix in PREFIXES if prefix + name in told), None)


def _listed(said: Any) -> list[Any]:
    return [] if said is None else said if isinstance(said, list) else [said]


def _texts(said: Any) -> list[str]:
    """Texts however they are written: alone, in a list, with their language, or as a thing with a name or an address."""
    found = list[str]()
    for one in _listed(said):
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, dict):
            named = next(
                (
                    one[key]
                    for key in ("@value", "@id", "url", "name", "alternateName", "en", "nl")
                    if isinstance(one.get(key), str)
                ),
                None,
            )
            found += [named] if named is not None else [value for value in one.values() if isinstance(value, str)][:1]
    return found


def _text(told: Mapping[str, Any], name: str) -> str:
    return next(iter(_texts(_said(told, name))), "")
