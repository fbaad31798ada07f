"""The cases of the kit: what opens, and beside it one failure for each case.

Keys and salts follow from names, so that the kit is the same each time.
"""

import copy
import hashlib
import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fabriek.sealing.context import object_context
from fabriek.sealing.digests import BLOCK_BYTES, Digest, digest_of, zeros_hash
from fabriek.sealing.keys import wrap
from fabriek.sealing.manifest import File, Part, make_manifest
from fabriek.sealing.objects import CHUNK_BYTES, HEAD_BYTES, SEALED_CHUNK_BYTES, open_bytes, seal_bytes
from fabriek.sealing.pages import Growing, Page, write_page
from fabriek.vault.versions import FORM, Facts

Case = dict[str, Any]

ORGANISATION, DATASET, VERSION = "org_kit", "ds_kit", "ver_kit"


def written(case: Case) -> str:
    return json.dumps(case, indent=1, ensure_ascii=False) + "\n"


def every_case() -> Iterator[Case]:
    yield from _objects()
    yield from _keys()
    yield from _pages()
    yield from _versions()


def made(name: str, length: int = 32) -> bytes:
    """Bytes that follow from a name."""
    return hashlib.shake_256(name.encode()).digest(length)


def plain_of(packed: bytes) -> Any:
    return json.loads(zlib.decompress(packed))


def packed_of(plain: Any) -> bytes:
    """Not compressed, so that every zlib writes the same."""
    return zlib.compress(json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(), 0)


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


# Sealed objects.


def _objects() -> Iterator[Case]:
    body = made("a body", 2 * CHUNK_BYTES + 100)
    key, context = made("key"), object_context(ORGANISATION, DATASET, "obj_kit")
    sealed = seal_bytes(body, key, context, made("salt", 24))
    first, second = (
        sealed[HEAD_BYTES + n * SEALED_CHUNK_BYTES : HEAD_BYTES + (n + 1) * SEALED_CHUNK_BYTES] for n in (0, 1)
    )
    last = sealed[HEAD_BYTES + 2 * SEALED_CHUNK_BYTES :]
    whole = seal_bytes(body[:CHUNK_BYTES], key, context, made("salt", 24))

    def case(name: str, about: str, changed: bytes, *, plain: bytes | None = None, **other: str) -> Case:
        said = {"kind": "object", "name": name, "about": about, "opens": plain is not None, "key": _text(key), "context": _text(context),
                "sealed": _text(changed)} | other  # fmt: skip
        return (
            said
            if plain is None
            else said | {"plain_sha256": hashlib.sha256(plain).hexdigest(), "plain_bytes": len(plain)}
        )

    yield case("object-of-three-chunks", "two whole chunks and a short one", sealed, plain=body)
    yield case(
        "object-of-whole-chunks", "one whole chunk, and the empty one that ends it", whole, plain=body[:CHUNK_BYTES]
    )
    yield case(
        "object-empty", "nothing but the empty last chunk", seal_bytes(b"", key, context, made("salt", 24)), plain=b""
    )
    yield case("object-salt-flipped", "a bit of the salt", _flipped(sealed, 3))
    yield case("object-commitment-flipped", "a bit of the commitment: nothing may be decrypted", _flipped(sealed, 24))
    yield case(
        "object-chunk-flipped", "a bit of the second chunk", _flipped(sealed, HEAD_BYTES + SEALED_CHUNK_BYTES + 9)
    )
    yield case("object-tag-flipped", "a bit of the last tag", _flipped(sealed, len(sealed) - 1))
    yield case(
        "object-chunks-swapped", "the first two chunks have changed places", sealed[:HEAD_BYTES] + second + first + last
    )
    yield case("object-chunk-missing", "the chunk in the middle is gone", sealed[:HEAD_BYTES] + first + last)
    yield case("object-last-chunk-missing", "cut at a chunk's border", sealed[: -len(last)])
    yield case(
        "object-empty-last-chunk-missing", "cut at a chunk's border, where the last chunk was empty", whole[:-16]
    )
    yield case("object-cut-in-a-chunk", "cut in the middle of the last chunk", sealed[:-5])
    yield case("object-longer", "a byte behind the end", sealed + b"\0")
    yield case("object-chunk-behind-the-end", "the last chunk once more", sealed + last)
    yield case("object-shorter-than-its-head", "not even a head", sealed[:40])
    yield case("object-other-key", "under another key", sealed, key=_text(made("another key")))
    yield case(
        "object-other-place",
        "in the place of another object",
        sealed,
        context=_text(object_context(ORGANISATION, DATASET, "obj_other")),
    )
    yield case(
        "object-other-dataset",
        "in another dataset",
        sealed,
        context=_text(object_context(ORGANISATION, "ds_other", "obj_kit")),
    )


# Wrapped keys.


def _keys() -> Iterator[Case]:
    outer, inner, nonce = made("outer"), made("inner"), made("nonce", 12)
    wrapped = wrap(outer, inner, VERSION.encode(), nonce)

    def case(name: str, about: str, *, opens: bool = False, **other: str) -> Case:
        said = {"kind": "key", "name": name, "about": about, "opens": opens, "wrapping_key": _text(outer), "belongs_to": VERSION,
                "wrapped": _text(wrapped)} | other  # fmt: skip
        return said | {"key": _text(inner)} if opens else said

    yield case("key", "the key of a version's outermost page under an epoch key", opens=True)
    yield case("key-of-another-version", "the wrapped key of one version in the row of another", belongs_to="ver_other")
    yield case("key-flipped", "a bit of the wrapped key", wrapped=_text(_flipped(wrapped, 20)))
    yield case("key-cut", "cut by a byte", wrapped=_text(wrapped[:-1]))
    yield case("key-under-another", "under another epoch's key", wrapping_key=_text(made("another")))


# Pages: their bytes are authentic, what they say is not to be believed.


def _a_file(path: str, body: bytes, name: str = "obj_a", offset: int = 0) -> File:
    return File(
        path,
        0o644,
        len(body),
        hashlib.sha256(body).hexdigest(),
        (Part(name, made(name), offset, len(body)),) if body else (),
    )


def _sparse_file(path: str) -> File:
    """A hole of a block, and behind it five bytes."""
    size, digest = BLOCK_BYTES + 5, Digest(BLOCK_BYTES + 5)
    digest.update(b"bytes")
    blocks = (zeros_hash(size, 0), digest.hexdigest())
    parts = (Part("", b"", 0, BLOCK_BYTES), Part("obj_b", made("obj_b"), 0, 5))
    return File(path, 0o644, BLOCK_BYTES + 5, digest_of(blocks), parts, "", blocks)


def _pages() -> Iterator[Case]:
    link = File("a-link", 0o777, 0, "", (), "a/one")
    files = [
        _a_file("a/one", b"one"),
        _a_file("a/two", b"two", offset=3),
        _sparse_file("sparse"),
        link,
        _a_file("empty", b""),
    ]
    page = Page(0, files=make_manifest(files).files)
    plain = plain_of(write_page(page))

    def case(name: str, about: str, packed: bytes) -> Case:
        return {"kind": "page", "name": name, "about": about, "opens": False, "packed": _text(packed)}

    def changed(change: Callable[[Any], object]) -> bytes:
        other = copy.deepcopy(plain)
        change(other)
        return packed_of(other)

    def row(number: int, **values: Any) -> Callable[[Any], object]:
        return lambda one: [one["rows"][number].__setitem__(int(at[1:]), value) for at, value in values.items()]

    yield case("page", "files, a link, a file with a hole, an empty file", packed_of(plain)) | {
        "opens": True, "sha256": page.sha256(), "paths": [file.path for file in page.files],
    }  # fmt: skip
    yield case(
        "page-other-form",
        "of a form that this text does not know",
        changed(lambda one: one.update(form="fabriek-page-9")),
    )
    yield case("page-not-packed", "JSON that was not packed", json.dumps(plain).encode())
    yield case("page-cut", "cut by a byte", packed_of(plain)[:-1])
    yield case("page-and-more", "a second page behind the first", packed_of(plain) + packed_of(plain))
    yield case("page-too-large", "unpacks to more than 64 MiB", zlib.compress(b" " * (64 * 2**20) + b"{}", 9))
    yield case("page-path-leads-out", "a path that leads out", changed(row(0, _0="../one")))
    yield case("page-path-absolute", "an absolute path", changed(row(0, _0="/etc/one")))
    yield case("page-path-twice", "a path that stands twice", changed(row(1, _0="a/one")))
    yield case("page-out-of-order", "rows in another order", changed(lambda one: one["rows"].reverse()))
    yield case("page-file-and-folder", "a path that is a file and a folder", changed(row(0, _0="a")))
    yield case("page-link-leads-out", "a link that leads out", changed(row(2, _4="../../etc/passwd")))
    yield case("page-size-is-not-its-parts", "a file whose parts do not make up its size", changed(row(0, _2=4)))
    yield case("page-part-nowhere", "a part of an object that the page does not name", changed(row(0, _4=[[7, 0, 3]])))
    yield case("page-part-before-its-object", "a part that begins before its object", changed(row(0, _4=[[0, -1, 3]])))
    yield case(
        "page-blocks-missing",
        "a file of more than 64 MiB without hashes of its blocks",
        changed(lambda one: one["rows"][4].pop()),
    )
    yield case("page-blocks-of-another", "blocks whose digest is not the file's", changed(row(4, _5=["", "0" * 64])))


# Whole versions.


@dataclass(frozen=True)
class _World:
    """One version with everything that it takes to read it. `newest`: the sequence that the audit log repeats."""

    facts: Facts
    objects: dict[str, bytes]
    root_key: bytes
    pages: dict[str, Part]
    newest: int = 7

    def case(self, name: str, about: str, **changed: Any) -> Case:
        text = json.dumps(
            {"form": FORM, **asdict(self.facts)}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        signer = Ed25519PrivateKey.from_private_bytes(made("signing"))
        said = {
            "kind": "version", "name": name, "about": about, "opens": False,
            "public_key": _text(signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)),
            "record": text, "signature": _text(signer.sign(b"fabriek/version-record\n" + text.encode())),
            "newest_sequence": self.newest, "version": VERSION, "dataset": DATASET, "organisation": ORGANISATION, "number": 3,
            "root_key": _text(self.root_key), "objects": {one: _text(body) for one, body in self.objects.items()},
        }  # fmt: skip
        return said | changed


def border(first: str) -> str:
    """A name that ends a page, from `first` on."""
    return next(
        name for number in range(10_000) if hashlib.sha256((name := f"{first}{number}").encode()).digest()[0] == 0
    )


BODIES = {border("b"): b"one", border("d"): b"two", "e/last": b"three", "f": b""}


def _world(salt: str = "", bodies: dict[str, bytes] | None = None) -> _World:
    """Three pages on level 0, packed in one object; two files in one object, one in another."""
    bodies = bodies or BODIES
    objects, files, contents, pages = {}, [], bytearray(), {}

    def put(name: str, body: bytes, key: bytes | None = None) -> None:
        objects[name] = seal_bytes(
            body, key or made(name + salt), object_context(ORGANISATION, DATASET, name), made(f"salt {name}{salt}", 24)
        )

    for path, body in bodies.items():
        name = "obj_second" if path == "e/last" else "obj_first"
        offset = len(contents) if name == "obj_first" else 0
        contents += body if name == "obj_first" else b""
        file = _a_file(path, body, name, offset)
        files.append(replace(file, parts=tuple(replace(part, key=made(name + salt)) for part in file.parts)))
    put("obj_first", bytes(contents))
    put("obj_second", bodies["e/last"])
    pack = bytearray()

    def keep(page: Page, sha256: str) -> Part:
        packed = packed_of(plain_of(write_page(page)))
        part = pages[sha256] = Part("obj_pages", made("obj_pages" + salt), len(pack), len(packed))
        pack.extend(packed)
        return part

    growing = Growing(keep)
    for file in make_manifest(files).files:
        growing.add(file)
    root = growing.finish()
    put("obj_pages", bytes(pack))
    put("obj_root", packed_of(plain_of(write_page(root))), made("root" + salt))
    facts = Facts(DATASET, VERSION, 3, 7, "personal", ORGANISATION, "obj_root", hashlib.sha256(objects["obj_root"]).hexdigest(), "ver_before",
                  root.sha256(), root.count, root.size_bytes)  # fmt: skip
    return _World(facts, objects, made("root" + salt), pages)


def _versions() -> Iterator[Case]:
    world, other = _world(), _world(" of another version", {path: body[::-1] for path, body in BODIES.items()})
    good = world.case("version", "three pages below the outermost, four files in two objects")
    files = {path: hashlib.sha256(body).hexdigest() for path, body in BODIES.items()}
    yield good | {"opens": True, "files": files, "label": "personal"}
    facts = json.loads(good["record"])

    def record(**changed: Any) -> str:
        return json.dumps(facts | changed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    yield world.case("version-label-lowered", "the label in the record, lowered", record=record(label="open"))
    yield world.case(
        "version-record-of-another-dataset", "its record, signed, is of another dataset", dataset="ds_other"
    )
    yield world.case(
        "version-record-of-another-version", "its record, signed, is of another version", version="ver_other"
    )
    yield world.case(
        "version-signature-flipped",
        "a bit of the signature",
        signature=_text(_flipped(b64decode(good["signature"]), 5)),
    )
    yield world.case("version-signed-by-another", "signed by another installation", public_key=_text(
        Ed25519PrivateKey.from_private_bytes(made("others")).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)))  # fmt: skip
    yield world.case("version-old-record-put-back", "the log has a newer record", newest_sequence=8)
    yield world.case("version-without-an-event", "the log has no record of it", newest_sequence=0)
    for name, about, changed in (
        ("content-hash", "the record's content hash is of other files", {"content_hash": "0" * 64}),
        ("files", "the record says another number of files", {"files": 5}),
        ("bytes", "the record says another size", {"size_bytes": 1}),
        ("root-hash", "the record says the SHA-256 of another outermost page", {"manifest_sha256": "0" * 64}),
    ):
        yield replace(world, facts=replace(world.facts, **changed)).case(f"version-other-{name}", about)

    def objects(**changed: bytes | None) -> dict[str, str]:
        return {one: _text(body) for one, body in (world.objects | changed).items() if body is not None}

    swapped = {"obj_first": world.objects["obj_second"], "obj_second": world.objects["obj_first"]}
    yield world.case("version-objects-swapped", "two objects have changed places", objects=objects(**swapped))
    yield world.case("version-object-gone", "an object is gone", objects=objects(obj_second=None))
    yield world.case(
        "version-object-flipped",
        "a bit of an object",
        objects=objects(obj_first=_flipped(world.objects["obj_first"], 58)),
    )
    yield world.case(
        "version-object-of-another",
        "an object of another version in its place",
        objects=objects(obj_first=other.objects["obj_first"]),
    )
    yield world.case(
        "version-root-of-another",
        "the outermost page of another version",
        objects=objects(obj_root=other.objects["obj_root"]),
    )
    yield world.case(
        "version-pages-of-another",
        "the pages of another version",
        objects=objects(obj_pages=other.objects["obj_pages"]),
    )
    yield from _with_other_pages(world)


def _with_other_pages(world: _World) -> Iterator[Case]:
    """What only somebody with the keys could make: pages that open, and are not what the signed record means."""
    root = plain_of(_opened(world, "obj_root", world.root_key))
    refs, key, context = root["rows"], made("obj_pages"), object_context(ORGANISATION, DATASET, "obj_pages")
    pack = _opened(world, "obj_pages", key)
    pages = [plain_of(pack[one[2] : one[2] + one[3]]) for one in refs]

    def case(name: str, about: str, plains: list[Any]) -> Case:
        """Each page at the place of the one that belongs there, as long as it was."""
        body = b"".join(_as_long(packed_of(plain), one[3]) for plain, one in zip(plains, refs, strict=True))
        sealed = seal_bytes(body, key, context, made(f"salt {name}", 24))
        return world.case(
            name, about, objects={one: _text(kept) for one, kept in (world.objects | {"obj_pages": sealed}).items()}
        )

    yield case(
        "version-page-says-another-hash", "a page with another hash of a file", [*pages[:2], _hash_changed(pages[2])]
    )
    yield case(
        "version-page-says-another-mode", "a page that makes a file a program", [_mode_changed(pages[0]), *pages[1:]]
    )
    renamed = copy.deepcopy(pages[0])
    renamed["rows"][0][0] = "B" + renamed["rows"][0][0][1:]
    yield case("version-page-says-another-path", "a page with another path", [renamed, *pages[1:]])


def _hash_changed(page: Any) -> Any:
    other = copy.deepcopy(page)
    other["rows"][0][3] = other["rows"][0][3][::-1]
    return other


def _mode_changed(page: Any) -> Any:
    other = copy.deepcopy(page)
    other["rows"][0][1] = 493
    return other


def _as_long(packed: bytes, length: int) -> bytes:
    assert len(packed) == length, "a changed page keeps its length"
    return packed


def _opened(world: _World, name: str, key: bytes) -> bytes:
    return open_bytes(world.objects[name], key, object_context(ORGANISATION, DATASET, name))
