"""A home is opened by docs/spec/vault.md alone: the keyring file, four rows of the database, the objects, and nothing of Fabriek's."""

import base64
import hashlib
import json
import sqlite3
import zlib
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.factories.services import a_town
from tests.factories.tables import a_database
from tests.factories.vault import fill
from tests.unit.sealing.straight import CHUNK, derive

FILES = {"a/large.csv": bytes(range(256)) * 300, "b.txt": b"small", "c.txt": b""}


def written(folder: Path) -> Path:
    """A home with one version of those files."""
    database = a_database(folder / "home.db")
    town = a_town(database, folder / "home", file_keys=True)
    person = town.person("ziekenhuis")
    project = town.project(person)
    by, vault = town.again(person), town.services.vault
    vault.create(project, "cells", label="personal", by=by)
    fill(town.services, vault.open_upload(project, "cells", label="", by=by), FILES, by=by)
    database.close()
    return folder / "home"


def opened(sealed: bytes, key: bytes, context: bytes) -> bytes:
    chunk_key, base, commitment = derive(key, sealed[:24], context)
    assert sealed[24:56] == commitment
    plain, body = b"", sealed[56:]
    for number in range(len(body) // (CHUNK + 16) + 1):
        nonce = (int.from_bytes(base, "big") ^ number).to_bytes(12, "big")
        plain += AESGCM(chunk_key).decrypt(nonce, body[number * (CHUNK + 16) : (number + 1) * (CHUNK + 16)], None)
    return plain


def unwrapped(key: bytes, wrapped: bytes, belongs_to: str) -> bytes:
    return AESGCM(key).decrypt(wrapped[:12], wrapped[12:], belongs_to.encode())


def context_of(*names: str) -> bytes:
    return b"".join(len(name.encode()).to_bytes(2, "big") + name.encode() for name in names)


def test_a_home_is_opened_by_the_specification_alone(tmp_path: Path) -> None:
    home = written(tmp_path)
    keyring = json.loads((home / "keys" / "keyring.json").read_text())
    rows = sqlite3.connect(tmp_path / "home.db")
    version, dataset, epoch, wrapped_key, record, signature = rows.execute(
        "select id, dataset, epoch, wrapped_key, record, signature from vault_versions"
    ).fetchone()
    (wrapped_epoch,) = rows.execute(
        "select wrapped from vault_epochs where dataset = ? and number = ?", (dataset, epoch)
    ).fetchone()
    rows.close()
    signing = Ed25519PrivateKey.from_private_bytes(base64.b64decode(keyring["signing"]))
    signing.public_key().verify(signature, b"fabriek/version-record\n" + record.encode())
    facts = json.loads(record)
    named, _, bare = wrapped_epoch.partition(b"\0")
    assert named == b"file/1"
    master = base64.b64decode(keyring["masters"]["1"])
    epoch_key = unwrapped(master, bare, f"fabriek/epoch\n{dataset}\n{epoch}")
    objects = {file.name: file.read_bytes() for file in (home / "objects").rglob("obj_*")}
    sealed = objects[facts["manifest"]]
    assert hashlib.sha256(sealed).hexdigest() == facts["manifest_sha256"]
    raw = opened(sealed, unwrapped(epoch_key, wrapped_key, version), context_of(facts["organisation"], dataset, facts["manifest"]))  # fmt: skip
    page = json.loads(zlib.decompress(raw))
    assert (page["form"], page["level"]) == ("fabriek-page-1", 0)
    found = {row[0]: _file(row, page["objects"], objects, facts["organisation"], dataset) for row in page["rows"]}
    assert found == FILES
    canonical = json.dumps([row[:4] for row in page["rows"]], separators=(",", ":")).encode()
    assert hashlib.sha256(canonical).hexdigest() == facts["content_hash"]


def _file(row: list[Any], named: list[list[str]], objects: dict[str, bytes], organisation: str, dataset: str) -> bytes:
    plain = b""
    for number, offset, length in row[4]:
        name, key = named[number]
        whole = opened(objects[name], base64.b64decode(key), context_of(organisation, dataset, name))
        plain += whole[offset : offset + length]
    assert hashlib.sha256(plain).hexdigest() == row[3]
    return plain
