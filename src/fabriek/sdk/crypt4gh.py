"""Crypt4GH files, opened and made as a stream: blocks of 64 KiB, each authenticated before a byte of it is passed on.

Keys and headers are read and written by the `crypt4gh` package (extra `crypt4gh`). Its loop over the blocks is not used: it swallows
errors of the disk, and takes a short read for the end. Source: the GA4GH file encryption standard, version 1.
"""

import contextlib
import io
import logging
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import IO, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from fabriek.kernel.errors import Damaged, InvalidInput, Unavailable

BLOCK_BYTES: Final = 64 * 1024
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
SEALED_BLOCK_BYTES: Final = NONCE_BYTES + BLOCK_BYTES + TAG_BYTES
KEY_BYTES: Final = 32
HEADER_BYTES_MAX: Final = 4 * 2**20
"""Of a header that anybody may have written: some 40,000 recipients, or half a million edits."""

PACKET_BYTES_MIN: Final = 4 + 4 + KEY_BYTES + NONCE_BYTES + TAG_BYTES
"""Length, method, the writer's key, nonce and tag around nothing: a header of shorter ones would only keep its reader busy."""

Standing = tuple[int, int, int]


def read_secret_key(file: Path, passphrase: Callable[[], str]) -> bytes:
    """A Crypt4GH or OpenSSH Ed25519 key; `passphrase` is asked where the file needs one. Raises InvalidInput."""
    keys = _package("crypt4gh.keys")
    try:
        # On a wrong passphrase the package writes to standard error and leaves the program.
        with contextlib.redirect_stderr(io.StringIO()):
            key = bytes(keys.get_private_key(str(file), passphrase))
    except SystemExit:
        raise InvalidInput(f"{file} does not open with this passphrase", fix="type it again") from None
    except OSError as error:
        raise InvalidInput(
            f"{file} cannot be read ({error.strerror})", fix="name the file of your secret key"
        ) from None
    except Exception:  # noqa: BLE001  # the package raises whatever its parser met
        key = b""
    return _checked(key, file, "secret")


def read_public_key(file: Path) -> bytes:
    """A Crypt4GH or OpenSSH Ed25519 key. Raises InvalidInput."""
    keys = _package("crypt4gh.keys")
    try:
        key = bytes(keys.get_public_key(str(file)))
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read ({error.strerror})", fix="name the recipient's public key") from None
    except Exception:  # noqa: BLE001  # the package raises whatever its parser met
        key = b""
    return _checked(key, file, "public")


def sealed(pieces: Iterable[bytes], recipients: Sequence[bytes], sender: bytes | None = None) -> Iterator[bytes]:
    """The stream as a Crypt4GH file for these public keys. `sender`: a secret key that shows who made it; without one nobody is shown."""
    header = _package("crypt4gh.header")
    session, own = secrets.token_bytes(KEY_BYTES), sender or secrets.token_bytes(KEY_BYTES)
    packets = header.encrypt(header.make_packet_data_enc(0, session), [(0, own, one) for one in recipients])
    yield bytes(header.serialize(packets))
    cipher, held = ChaCha20Poly1305(session), bytearray()
    for piece in pieces:
        held += piece
        whole = len(held) - len(held) % BLOCK_BYTES
        for start in range(0, whole, BLOCK_BYTES):
            yield _sealed_block(cipher, held[start : start + BLOCK_BYTES])
        del held[:whole]
    if held:
        yield _sealed_block(cipher, held)


class Container:
    """A Crypt4GH file on this machine, for any number of threads. `size`: of what it holds, its edits applied, in bytes."""

    def __init__(self, file: Path, secret: bytes) -> None:
        """Raises InvalidInput on what is no such file or is not for this key, Damaged on one that was cut."""
        self.file = file
        with self._opened() as source:
            self._stood = _standing(source)
            sessions, edits = _header(source, secret, file)
            self._begin, end = source.tell(), self._stood[0]
        self._ciphers = [ChaCha20Poly1305(one) for one in sessions]
        whole, rest = divmod(end - self._begin, SEALED_BLOCK_BYTES)
        if 0 < rest <= NONCE_BYTES + TAG_BYTES:
            raise self._cut()
        plain = whole * BLOCK_BYTES + max(0, rest - NONCE_BYTES - TAG_BYTES)
        self.ends_on_a_border = whole > 0 and rest == 0 and edits is None
        self._kept = [(0, plain)] if edits is None else _kept(edits, plain)
        if any(start + length > plain for start, length in self._kept):
            raise self._cut()
        self.size = sum(length for _, length in self._kept)

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        """Bytes of what it holds. Raises Damaged at the first block that does not hold, InvalidInput when the file changed meanwhile."""
        with self._opened() as source:
            position = 0
            for start, count in self._kept:
                begin, end = max(offset, position), min(offset + length, position + count)
                if begin < end:
                    yield from self._plain(source, start + begin - position, end - begin)
                position += count
            if _standing(source) != self._stood:
                raise InvalidInput(f"{self.file} changed while it was being read", fix="import it again")

    def _plain(self, source: IO[bytes], start: int, count: int) -> Iterator[bytes]:
        number, skip = divmod(start, BLOCK_BYTES)
        source.seek(self._begin + number * SEALED_BLOCK_BYTES)
        while count:
            piece = self._block(source.read(SEALED_BLOCK_BYTES), number)[skip : skip + count]
            if not piece:
                raise self._cut()
            yield piece
            count -= len(piece)
            number, skip = number + 1, 0

    def _block(self, raw: bytes, number: int) -> bytes:
        for cipher in self._ciphers:
            with contextlib.suppress(InvalidTag, ValueError):
                return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], None)
        raise Damaged(
            f"{self.file} is damaged or was cut: its block {number} does not hold",
            fix="fetch the file again from whoever made it",
            where=str(self.file),
        )

    def _opened(self) -> IO[bytes]:
        try:
            return self.file.open("rb")
        except OSError as error:
            raise InvalidInput(f"{self.file} cannot be read ({error.strerror})", fix="name a Crypt4GH file") from None

    def _cut(self) -> Damaged:
        return Damaged(
            f"{self.file} was cut: its end is missing",
            fix="fetch the file again from whoever made it",
            where=str(self.file),
        )


def _sealed_block(cipher: ChaCha20Poly1305, plain: bytearray) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, bytes(plain), None)


class _Head(io.RawIOBase):
    """What the package reads a header from: lengths in it are anybody's word, so that there is an end to what is read."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source, self._left = source, HEADER_BYTES_MAX
        self._reads = 2 * HEADER_BYTES_MAX // PACKET_BYTES_MIN

    def read(self, count: int = -1) -> bytes:
        if not 0 <= count <= self._left or not self._reads:
            raise ValueError("a header longer than any")
        self._left, self._reads = self._left - count, self._reads - 1
        return self._source.read(count)

    def readinto(self, room: Any) -> int:
        taken = self.read(len(room))
        room[: len(taken)] = taken
        return len(taken)


def _header(source: IO[bytes], secret: bytes, file: Path) -> tuple[list[bytes], list[int] | None]:
    """Session keys, and the edits where there are some. Leaves the source at the first block."""
    header = _package("crypt4gh.header")
    try:
        packets, others = header.decrypt(header.parse(_Head(source)), [(0, secret, None)])
    except ValueError as error:
        raise InvalidInput(
            f"{file} is not a Crypt4GH file, or its header was cut ({error})", fix="name a Crypt4GH file"
        ) from None
    if not packets:
        raise InvalidInput(
            f"this key opens none of the {len(others)} packets in the header of {file}: it is for somebody else, or damaged",
            fix="ask whoever made it to make it for your public key",
        )
    try:
        data, edits = header.partition_packets(packets)
        sessions = [bytes(header.parse_enc_packet(one)) for one in data]
        listed = None if edits is None else [int(one) for one in header.parse_edit_list_packet(edits)]
    except ValueError as error:
        raise InvalidInput(
            f"the header of {file} says what is not known here ({error})", fix="ask whoever made it"
        ) from None
    if not sessions or any(len(one) != KEY_BYTES for one in sessions) or listed == []:
        raise InvalidInput(f"the header of {file} has no key for its blocks", fix="ask whoever made it")
    return sessions, listed


def _kept(edits: Sequence[int], plain: int) -> list[tuple[int, int]]:
    """(start, length) of what the edit list keeps: it says by turns how much to pass over and how much to take."""
    borders = [0]
    for one in edits:
        borders.append(borders[-1] + one)
    if len(edits) % 2:  # the last one is passed over, and the rest is kept
        borders.append(max(plain, borders[-1]))
    return [(begin, end - begin) for begin, end in list(pairwise(borders))[1::2]]


def _standing(source: IO[bytes]) -> Standing:
    status = os.fstat(source.fileno())
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _checked(key: bytes, file: Path, kind: str) -> bytes:
    if len(key) != KEY_BYTES:
        raise InvalidInput(
            f"{file} holds no {kind} key of Crypt4GH", fix="make a pair with crypt4gh-keygen, or name the right file"
        )
    return key


def _package(name: str) -> ModuleType:
    from importlib import import_module  # noqa: PLC0415  # beside its one use

    # At its lower levels the package writes keys into the log.
    logging.getLogger("crypt4gh").setLevel(logging.CRITICAL)
    try:
        return import_module(name)
    except ImportError:
        raise Unavailable("the crypt4gh package is not installed here", fix="pip install 'fabriek[crypt4gh]'") from None
