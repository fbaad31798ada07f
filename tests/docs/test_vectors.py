"""The vector kit: our reader and one made from the specification alone open what is to open and refuse everything else."""

import hashlib
import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fabriek.kernel.errors import Damaged, InvalidInput, NotFound
from fabriek.schemas.vault import GrantOut, RecordOut
from fabriek.sdk.fetching import fetch
from fabriek.sdk.opened import OpenedVersion
from fabriek.sealing.keys import unwrap
from fabriek.sealing.manifest import File
from fabriek.sealing.objects import Opener, open_bytes
from fabriek.sealing.pages import read_page
from fabriek.vault.versions import Record, Version, check_record
from tests.vectors import straight
from tests.vectors.making import every_case, written

KIT = Path(__file__).parents[2] / "docs" / "spec" / "vectors" / "kit"
CASES = {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(KIT.glob("*.json"))}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Shelf:
    """In the place of a server: whoever holds the grant gets what lies here."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self._objects = objects

    def get_bytes(self, path: str) -> bytes:
        return self._at(path)

    def fetch_range(self, path: str, offset: int, count: int) -> tuple[bytes, int]:
        body = self._at(path)
        return body[offset : offset + count], len(body)

    def fetch_sealed(self, path: str, *, piece_bytes: int) -> Iterator[bytes]:
        body = self._at(path)
        return (body[at : at + piece_bytes] for at in range(0, len(body), piece_bytes))

    def _at(self, path: str) -> bytes:
        try:
            return self._objects[path.rpartition("/")[2]]
        except KeyError:
            raise Damaged("an object of this version is gone from the store", where=path) from None


class Kept:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.body = b""

    def write(self, offset: int, piece: bytes | memoryview) -> None:
        assert offset == len(self.body)
        self.body += piece

    def close(self) -> None:
        """Kept."""


def ours(case: dict[str, Any]) -> Any:
    """What we make of a case, in the form of `straightly`. Raises Damaged, InvalidInput."""
    if case["kind"] == "object":
        sealed, key, context = (b64decode(case[name]) for name in ("sealed", "key", "context"))
        body = open_bytes(sealed, key, context)
        at_random = Opener(lambda offset, count: sealed[offset : offset + count], len(sealed), key, context)
        assert b"".join(at_random.stream()) == body
        return hashlib.sha256(body).hexdigest()
    if case["kind"] == "key":
        return unwrap(b64decode(case["wrapping_key"]), b64decode(case["wrapped"]), case["belongs_to"].encode())
    if case["kind"] == "page":
        page = read_page(b64decode(case["packed"]))
        return page.sha256(), [file.path for file in page.files]
    record = Record(case["record"], b64decode(case["signature"]))
    version = Version(case["version"], case["dataset"], case["number"], NOW, "", record, 1, b"")
    facts = check_record(version, b64decode(case["public_key"]), case["newest_sequence"])
    grant = GrantOut.model_construct(
        grant="grt_kit", organisation=case["organisation"], dataset=case["dataset"], version=case["version"], number=case["number"],
        manifest_object=facts.manifest, manifest_key=b64decode(case["root_key"]), expires_at=NOW,
        record=RecordOut.model_construct(text=record.text, signature=record.signature),
    )  # fmt: skip
    opened = OpenedVersion(Shelf({name: b64decode(body) for name, body in case["objects"].items()}), grant)  # type: ignore[arg-type]  # a twin
    bodies: dict[str, Kept] = {}

    def sink(file: File) -> Kept:
        return bodies.setdefault(file.path, Kept())

    for done in fetch(opened, opened.book.files(), sink):
        if done.damage:
            raise Damaged(done.damage)
    return facts.label, {path: hashlib.sha256(kept.body).hexdigest() for path, kept in bodies.items()}


def straightly(case: dict[str, Any]) -> Any:
    if case["kind"] == "object":
        sealed, key, context = (b64decode(case[name]) for name in ("sealed", "key", "context"))
        return hashlib.sha256(straight.open_object(sealed, key, context)).hexdigest()
    if case["kind"] == "key":
        return straight.unwrap(b64decode(case["wrapping_key"]), b64decode(case["wrapped"]), case["belongs_to"])
    if case["kind"] == "page":
        page = straight.read_page(b64decode(case["packed"]))
        return straight.said(page), [row[0] for row in page["rows"]]
    return straight.read_version(case)


def expected(case: dict[str, Any]) -> Any:
    return {
        "object": lambda: case["plain_sha256"],
        "key": lambda: b64decode(case["key"]),
        "page": lambda: (case["sha256"], case["paths"]),
        "version": lambda: (case["label"], case["files"]),
    }[case["kind"]]()


@pytest.mark.parametrize("name", CASES)
def test_our_reader_agrees_with_the_kit(name: str) -> None:
    case = CASES[name]
    if case["opens"]:
        assert ours(case) == expected(case)
    else:
        with pytest.raises((Damaged, InvalidInput, NotFound)):
            ours(case)


@pytest.mark.parametrize("name", CASES)
def test_a_reader_made_from_the_specification_agrees_with_the_kit(name: str) -> None:
    case = CASES[name]
    if case["opens"]:
        assert straightly(case) == expected(case)
    else:
        with pytest.raises(straight.Refused):
            straightly(case)


def test_the_kit_is_what_its_generator_makes_and_has_every_kind_both_ways() -> None:
    made = {case["name"]: case for case in every_case()}
    # The one case that has to be compressed: how small is each zlib's own matter.
    assert made.pop("page-too-large").keys() == CASES["page-too-large"].keys()
    assert {name: written(case) for name, case in made.items()} == {
        name: written(case) for name, case in CASES.items() if name != "page-too-large"
    }
    assert {(case["kind"], case["opens"]) for case in CASES.values()} == {
        (kind, opens) for kind in ("object", "key", "page", "version") for opens in (True, False)
    }
