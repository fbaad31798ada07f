"""A reader in a straight line, from docs/spec/vault.md alone: nothing here is shared with the real one. Raises Refused."""

import hashlib
import json
import zlib
from base64 import b64decode
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.unit.sealing.straight import CHUNK, derive

MIB64 = 64 * 2**20


class Refused(Exception):  # what a reader does
    """It is not what was written."""


def need(holds: object, what: str) -> None:
    if not holds:
        raise Refused(what)


def open_object(sealed: bytes, key: bytes, context: bytes) -> bytes:
    chunk_key, base, commitment = derive(key, sealed[:24], context)
    need(len(sealed) >= 72 and sealed[24:56] == commitment, "commitment")
    plain, body = b"", sealed[56:]
    for number in range(len(body) // (CHUNK + 16) + 1):
        nonce = (int.from_bytes(base, "big") ^ number).to_bytes(12, "big")
        try:
            plain += AESGCM(chunk_key).decrypt(nonce, body[number * (CHUNK + 16) : (number + 1) * (CHUNK + 16)], None)
        except (InvalidTag, ValueError):
            raise Refused(f"chunk {number}") from None
    return plain


def unwrap(outer: bytes, wrapped: bytes, belongs_to: str) -> bytes:
    try:
        return AESGCM(outer).decrypt(wrapped[:12], wrapped[12:], belongs_to.encode())
    except InvalidTag:
        raise Refused("wrapped key") from None


def read_page(packed: bytes) -> dict[str, Any]:
    unpacking = zlib.decompressobj()
    try:
        raw = unpacking.decompress(packed, MIB64)
        need(unpacking.eof and not unpacking.unused_data, "not one packed page")
        page = json.loads(raw)
    except (zlib.error, ValueError):
        raise Refused("not a page") from None
    need(page.get("form") == "fabriek-page-1", "form")
    before = ""
    for row in page["rows"]:
        path = row[0]
        names = path.split("/")
        need(not {"", ".", ".."} & set(names) and "\\" not in path and "\0" not in path, "path")
        need(not before or path.replace("/", "\0").encode() > before.replace("/", "\0").encode(), "order")
        need(not before or not path.startswith(before + "/"), "a file and a folder")
        before = path
        if page["level"] == 0:
            check_row(row, len(page["objects"]))
    return page  # type: ignore[no-any-return]


def check_row(row: list[Any], objects: int) -> None:
    path, _, size, digest, where = row[:5]
    if isinstance(where, str):
        depth = path.count("/")
        for name in where.split("/"):
            depth += {"..": -1, ".": 0, "": 0}.get(name, 1)
            need(depth >= 0, "link")
        need(not where.startswith("/"), "link")
        return
    need(all(-1 <= number < objects and offset >= 0 and length >= 0 for number, offset, length in where), "parts")
    need(sum(length for _, _, length in where) == size, "size")
    count = -(-size // MIB64) if size > MIB64 else 0
    need(len(row) == (6 if count else 5), "blocks")
    if count:
        need(len(row[5]) == count and digest == digest_of(row[5], size), "blocks")


def digest_of(blocks: list[str], size: int) -> str:
    whole = hashlib.sha256(b"fabriek/blocks\n")
    for number, block in enumerate(blocks):
        zeros = bytes(min(MIB64, size - number * MIB64))
        whole.update(bytes.fromhex(block) if block else hash_of_block(zeros))
    return whole.hexdigest()


def hash_of_block(block: bytes) -> bytes:
    pieces = hashlib.sha256(b"fabriek/block\n")
    for at in range(0, len(block), 2**20):
        pieces.update(hashlib.sha256(block[at : at + 2**20]).digest())
    return pieces.digest()


def said(page: dict[str, Any]) -> str:
    """What the page says, whatever holds it."""
    if page["level"] == 0:
        rows = [[*row[:3], row[4] if isinstance(row[4], str) else row[3]] for row in page["rows"]]
    else:
        rows = [[row[0], row[4], row[5], row[6]] for row in page["rows"]]
    return hashlib.sha256(json.dumps(rows, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def sums(page: dict[str, Any]) -> tuple[int, int]:
    rows = page["rows"]
    return (len(rows), sum(row[2] for row in rows)) if page["level"] == 0 else (sum(row[5] for row in rows), sum(row[6] for row in rows))  # fmt: skip


def read_version(case: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """(label, SHA-256 of every file by its path)."""
    record = case["record"].encode()
    try:
        Ed25519PublicKey.from_public_bytes(b64decode(case["public_key"])).verify(
            b64decode(case["signature"]), b"fabriek/version-record\n" + record
        )
    except InvalidSignature:
        raise Refused("signature") from None
    facts = json.loads(record)
    for name in ("version", "dataset", "organisation", "number"):
        need(facts[name] == case[name], name)
    need(facts["sequence"] == case["newest_sequence"], "sequence")
    objects = {name: b64decode(sealed) for name, sealed in case["objects"].items()}

    def opened(name: str, key: bytes) -> bytes:
        need(name in objects, "object")
        names = (case["organisation"], case["dataset"], name)
        return open_object(objects[name], key, b"".join(len(one).to_bytes(2, "big") + one.encode() for one in names))

    need(hashlib.sha256(objects[facts["manifest"]]).hexdigest() == facts["manifest_sha256"], "outermost page")
    root = read_page(opened(facts["manifest"], b64decode(case["root_key"])))
    need((said(root), *sums(root)) == (facts["content_hash"], facts["files"], facts["size_bytes"]), "record")
    found: dict[str, str] = {}

    def read(page: dict[str, Any]) -> None:
        for row in page["rows"]:
            if page["level"]:
                _, number, offset, length, sha256, files, size = row
                name, key = page["objects"][number]
                below = read_page(opened(name, b64decode(key))[offset : offset + length])
                need((below["level"], said(below), *sums(below)) == (page["level"] - 1, sha256, files, size), "page")
                need(below["rows"][0][0] == row[0], "first path")
                read(below)
            elif not isinstance(row[4], str):
                body = b""
                for number, offset, length in row[4]:
                    name, key = page["objects"][number]
                    body += opened(name, b64decode(key))[offset : offset + length]
                found[row[0]] = hashlib.sha256(body).hexdigest()
                need(found[row[0]] == row[3], "content")

    read(root)
    return facts["label"], found
