"""A manifest in pages: a tree of which each page can be read, checked, kept or written anew by itself.

Where a page ends depends on the paths alone, and on the sizes of very large files, so that the same files always make the same pages, and a
change of one file changes one page on each level. A page's hash says what its files are, whatever keys and objects hold them; that of the
outermost page is the version's content hash.
Source for borders that follow from the content: the probabilistic B-trees of Noms; docs/spec/vault.md says the format.
"""

import hashlib
import json
import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fabriek.kernel.errors import Damaged, InvalidInput
from fabriek.sealing.digests import BLOCK_BYTES, block_count, digest_of, zeros_hash
from fabriek.sealing.manifest import File, Manifest, Part
from fabriek.sealing.objects import KEY_BYTES
from fabriek.sealing.paths import Following, check_link, check_path, path_hash

FORM: Final = "fabriek-page-1"
ROWS_MAX: Final = 2_048
BITS: Final = 8
"""A page of level n ends behind a path whose SHA-256 begins with (n + 1) * BITS zero bits: 256 rows on average."""

BLOCKS_MAX: Final = 16_384
"""A page of files ends behind the row with which it has that many blocks of large files, 1 TiB: each takes some 170 bytes of its row."""

PAGE_BYTES_MAX: Final = 64 * 2**20
"""Of a page that was unpacked: a file of 16 TiB in one row has some 45 MB."""

LEVELS_MAX: Final = 8
HOLE: Final = -1

NUMBERS_BELOW: Final = 2**52
"""Sizes, offsets and counts of files, also all those of a page together: what JSON and every database hold exactly."""

_OBJECT: Final = re.compile(r"obj_[0-9a-z]{1,26}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Ref:
    """A page below another: the path of its first file, where its bytes are, what it says, and how many files and bytes lie below it."""

    first: str
    part: Part
    sha256: str
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Page:
    """Level 0 holds files, higher ones hold pages of the level below. In the order of their paths."""

    level: int
    files: tuple[File, ...] = ()
    refs: tuple[Ref, ...] = ()

    @property
    def first(self) -> str:
        rows = self.files or self.refs
        return "" if not rows else self.files[0].path if self.files else self.refs[0].first

    @property
    def count(self) -> int:
        return len(self.files) + sum(ref.files for ref in self.refs)

    @property
    def size_bytes(self) -> int:
        return sum(file.size for file in self.files) + sum(ref.size_bytes for ref in self.refs)

    def sha256(self) -> str:
        """What it says, whatever objects and keys hold it: of files path, mode, size, and content or target; of pages what they say."""
        rows: list[list[Any]] = [
            [file.path, file.mode & 0o777, file.size, file.link or file.sha256] for file in self.files
        ]
        rows += [[ref.first, ref.sha256, ref.files, ref.size_bytes] for ref in self.refs]
        return hashlib.sha256(_canonical(rows)).hexdigest()

    def objects(self) -> frozenset[str]:
        """What this page itself points at."""
        return frozenset(part.object_id for part in _parts_of(self) if part.object_id)


Keep = Callable[[Page, str], Part]
"""(page, its hash) → where its bytes are now."""


class Growing:
    """Takes files in the order of their paths and makes the tree of them, a page at a time; never holds more than the pages that are open."""

    def __init__(self, keep: Keep) -> None:
        """keep: called for every page but the outermost, each once it is complete."""
        self._keep = keep
        self._rows: list[list[Any]] = [[]]
        self._blocks = 0
        self._done: list[tuple[Page, str] | None] = [None]
        self._following = Following()

    def add(self, file: File) -> None:
        """Raises InvalidInput on a path that does not follow the one before."""
        self._following.check(file.path)
        self._rows[0].append(file)
        self._blocks += block_count(file.size)
        self._close(0, file.path)

    @property
    def is_at_border(self) -> bool:
        """Whether the next file begins a page."""
        return not self._rows[0]

    def add_page(self, ref: Ref) -> None:
        """A page of files as it is, unread, where `is_at_border`; it must be neither the last of the page above it nor of the tree, as where
        pages end is read off their last paths. Raises InvalidInput on one that does not follow what came before.
        """
        assert self.is_at_border, "it would take the files of the page that is open"
        self._following.check(ref.first)
        self._settle(0)
        if len(self._rows) == 1:
            self._rows.append([])
            self._done.append(None)
        self._rows[1].append(ref)
        if len(self._rows[1]) >= ROWS_MAX:
            self._complete(1, "")

    def finish(self) -> Page:
        """The outermost page: the only one of its level."""
        level = 0
        while True:
            if self._rows[level] or self._done[level] is None:
                self._complete(level, self._following.last)
            done = self._done[level]
            assert done is not None, "it was completed above"
            if level + 1 == len(self._done) or (not self._rows[level + 1] and self._done[level + 1] is None):
                return done[0]
            self._settle(level)
            level += 1

    def _close(self, level: int, path: str) -> None:
        """Ends the open page where its last path is a border, or it is full. A page that ended for its length borders nothing above."""
        is_full = len(self._rows[level]) >= ROWS_MAX or (level == 0 and self._blocks >= BLOCKS_MAX)
        if is_full or _zero_bits(path) >= BITS * (level + 1):
            self._complete(level, path)

    def _complete(self, level: int, path: str) -> None:
        """The open page is whole. The one before it has a successor now, and so is not the outermost."""
        self._settle(level)
        rows, self._rows[level] = tuple(self._rows[level]), []
        self._blocks = 0 if level == 0 else self._blocks
        self._done[level] = (Page(level, files=rows) if level == 0 else Page(level, refs=rows), path)

    def _settle(self, level: int) -> None:
        done, self._done[level] = self._done[level], None
        if done is None:
            return
        if level + 1 == len(self._rows):
            self._rows.append([])
            self._done.append(None)
        page, path = done
        said = page.sha256()
        self._rows[level + 1].append(Ref(page.first, self._keep(page, said), said, page.count, page.size_bytes))
        self._close(level + 1, path)


def content_hash(files: Iterable[File]) -> str:
    """Of files in the order of their paths."""
    growing = Growing(lambda _page, _sha256: Part("", b"", 0, 0))
    for file in files:
        growing.add(file)
    return growing.finish().sha256()


def write_page(page: Page) -> bytes:
    """Packed, ready to be sealed. Raises InvalidInput on one that nobody would unpack: a version of it could not be read."""
    places: dict[tuple[str, bytes], int] = {}
    for part in _parts_of(page):
        if part.object_id:
            places.setdefault((part.object_id, part.key), len(places))
    rows: list[list[Any]] = [_file_row(file, places) for file in page.files]
    rows += [
        [ref.first, places[ref.part.object_id, ref.part.key], ref.part.offset, ref.part.length, ref.sha256, ref.files, ref.size_bytes]
        for ref in page.refs
    ]  # fmt: skip
    objects = [[name, b64encode(key).decode()] for name, key in places]
    plain = _canonical({"form": FORM, "level": page.level, "objects": objects, "rows": rows})
    if len(plain) > PAGE_BYTES_MAX:
        raise InvalidInput(
            f"what a version says of {page.first!r} and the files behind it takes more than {PAGE_BYTES_MAX // 2**20} MiB",
            fix="cut the largest files into several, or write their holes as zeros",
        )
    return zlib.compress(plain, 1)


def read_page(packed: bytes) -> Page:
    """Of bytes that were authenticated. Raises Damaged on what is no page, InvalidInput on paths that would escape: a page can come from
    anyone who may push. What it gives holds no surprise for whoever goes on with it: every name, key, hash and number has its form.
    """
    try:
        page = _read_page(json.loads(_unpacked(packed)))
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, zlib.error, RecursionError):
        raise Damaged(
            "a page of the manifest is not readable", fix="fabriek data verify NAME", where="manifest"
        ) from None
    following = Following()
    for path in [file.path for file in page.files] or [ref.first for ref in page.refs]:
        check_path(path)
        following.check(path)
    for file in page.files:
        if file.link:
            check_link(file.path, file.link)
    return page


def _read_page(plain: Any) -> Page:
    """Raises ValueError, or what else comes of a form that is none."""
    level, rows = _number(plain["level"]), plain["rows"]
    if plain["form"] != FORM or level >= LEVELS_MAX or not isinstance(rows, list):
        raise ValueError("not a page of this form")
    objects = [(_formed(_OBJECT, name), _key(key)) for name, key in plain["objects"]]
    if level == 0:
        page = Page(0, files=tuple([_read_file(row, objects) for row in rows]))
    elif rows:
        page = Page(level, refs=tuple([_read_ref(row, objects) for row in rows]))
    else:
        raise ValueError("a page of pages with none below it")
    _number(page.count)
    _number(page.size_bytes)
    return page


def read_root(packed: bytes, content_hash: object, files: object, size_bytes: object) -> Page:
    """The outermost page of a version, beside what the signed record says of it. Raises as `read_page`, and Damaged on another version's."""
    page = read_page(packed)
    if (page.sha256(), page.count, page.size_bytes) != (content_hash, files, size_bytes):
        raise Damaged("the manifest is not what its record says", fix="fabriek data verify NAME", where="manifest")
    return page


def read_below(above: Page, ref: Ref, packed: bytes) -> Page:
    """The page that a row of another points at. Raises as `read_page`, and Damaged on one that is not what the row says: of another version,
    or of another place in this one.
    """
    page = read_page(packed)
    said = (above.level - 1, ref.first, ref.sha256, ref.files, ref.size_bytes)
    if (page.level, page.first, page.sha256(), page.count, page.size_bytes) != said:
        raise Damaged(
            "a page of the manifest is not the one that belongs here", fix="fabriek data verify NAME", where="manifest"
        )
    return page


def write_files(manifest: Manifest) -> bytes:
    """All files of a manifest in one page, however many: for members of a job, which hand each other what they left."""
    return write_page(Page(0, files=manifest.files))


def read_files(packed: bytes) -> Manifest:
    """Raises Damaged, InvalidInput."""
    return Manifest(read_page(packed).files)


def _parts_of(page: Page) -> Iterable[Part]:
    for file in page.files:
        yield from file.parts
    for ref in page.refs:
        yield ref.part


def _file_row(file: File, places: dict[tuple[str, bytes], int]) -> list[Any]:
    """A link has its target where a file has its parts."""
    if file.link:
        return [file.path, file.mode, 0, "", file.link]
    parts = [
        [places[part.object_id, part.key] if part.object_id else HOLE, part.offset, part.length] for part in file.parts
    ]
    row: list[Any] = [file.path, file.mode, file.size, file.sha256, parts]
    if file.blocks:
        row.append(["" if one == zeros_hash(file.size, number) else one for number, one in enumerate(file.blocks)])
    return row


def _read_file(row: Sequence[Any], objects: Sequence[tuple[str, bytes]]) -> File:
    path, mode, size, sha256, where = row[:5]
    if isinstance(where, str):
        return File(_text(path), _number(mode) & 0o777, 0, "", (), _target(where))
    parts = tuple([_read_part(number, offset, length, objects) for number, offset, length in where])
    blocks: tuple[str, ...] = ()
    if len(row) > 5 or _number(size) > BLOCK_BYTES:
        blocks = _read_blocks(row[5] if len(row) > 5 else [], _number(size))
    held = parts[0].length if len(parts) == 1 else sum([part.length for part in parts])
    if held != size or (blocks and digest_of(blocks) != sha256):
        raise ValueError("parts or blocks that do not make up the file")
    return File(_text(path), _number(mode) & 0o777, size, _formed(_HASH, sha256), parts, "", blocks)


def _read_part(number: Any, offset: Any, length: Any, objects: Sequence[tuple[str, bytes]]) -> Part:
    begin, count = _number(offset), _number(length)
    if type(number) is int and number == HOLE:
        return Part("", b"", 0, count)
    object_id, key = objects[_number(number)]
    return Part(object_id, key, begin, count)


def _read_blocks(said: Any, size: int) -> tuple[str, ...]:
    if not isinstance(said, list) or len(said) != block_count(size):
        raise ValueError("a file has more or fewer blocks")
    return tuple([zeros_hash(size, number) if one == "" else _formed(_HASH, one) for number, one in enumerate(said)])


def _read_ref(row: Sequence[Any], objects: Sequence[tuple[str, bytes]]) -> Ref:
    first, number, offset, length, sha256, files, size_bytes = row
    part = _read_part(_number(number), offset, length, objects)
    return Ref(_text(first), part, _formed(_HASH, sha256), _number(files), _number(size_bytes))


def _number(said: Any) -> int:
    """A whole one, not below 0. Raises ValueError; JSON has also 1.0, 1e3 and true."""
    if type(said) is not int or not 0 <= said < NUMBERS_BELOW:
        raise ValueError("not a number that counts bytes or files")
    return said


def _formed(form: re.Pattern[str], said: Any) -> str:
    if not isinstance(said, str) or not form.fullmatch(said):
        raise ValueError("a name or a hash of another form")
    return said


def _text(said: Any) -> str:
    if not isinstance(said, str):
        raise ValueError("not a text")  # noqa: TRY004  # of what was read, as its other faults
    return said


def _target(said: str) -> str:
    """Of a link. Raises ValueError on none, and on what has no form in UTF-8: JSON can say half of a character."""
    if not said.encode():
        raise ValueError("a link without a target")
    return said


def _key(said: Any) -> bytes:
    key = b64decode(said, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError("not a key")
    return key


def _unpacked(packed: bytes) -> bytes:
    """Raises ValueError above the limit: a few bytes can unpack to any number."""
    unpacking = zlib.decompressobj()
    plain = unpacking.decompress(packed, PAGE_BYTES_MAX)
    if unpacking.unconsumed_tail or not unpacking.eof or unpacking.unused_data:
        raise ValueError("not one packed page")
    return plain


def _zero_bits(path: str) -> int:
    """At the start of its SHA-256, of the first four bytes."""
    return 32 - int.from_bytes(path_hash(path)[:4], "big").bit_length()


def _canonical(thing: Any) -> bytes:
    """JSON with sorted keys, no white space, UTF-8: the same bytes for the same content everywhere (RFC 8785 for what we write)."""
    return json.dumps(thing, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
