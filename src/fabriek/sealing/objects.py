"""One sealed object: C2SP chunked-encryption with HKDF-SHA-256 and AES-256-GCM.

The object is `salt (24) ‖ commitment (32) ‖ chunks`. Each chunk is 16 KiB of plaintext and a tag of 16 bytes; the last is always
shorter, perhaps empty, so that a cut at a chunk's border is seen. The commitment is checked before anything is decrypted.
Source: the specification c2sp.org/chunked-encryption; docs/spec/vault.md says the same in our words.
"""

import hmac
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from fabriek.kernel.errors import Damaged

KEY_BYTES: Final = 32
SALT_BYTES: Final = 24
COMMITMENT_BYTES: Final = 32
HEAD_BYTES: Final = SALT_BYTES + COMMITMENT_BYTES
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
CHUNK_BYTES: Final = 16 * 1024
SEALED_CHUNK_BYTES: Final = CHUNK_BYTES + TAG_BYTES
BATCH_CHUNKS: Final = 16
"""Chunks handled before a buffer is passed on: 256 KiB stay in the processor's cache, and cost no page faults as larger ones do."""

PIECE_BYTES: Final = BATCH_CHUNKS * CHUNK_BYTES
"""How much to read at a time for a stream that is to be sealed or opened."""

ROOM_BYTES_MAX: Final = 2 * 2**20
"""Of a thread's own buffer; what is larger is made anew each time."""

_own = threading.local()

_INFO: Final = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"

ReadAt = Callable[[int, int], bytes]
"""(offset, count) → that many bytes of the sealed object, fewer only at its end."""


def sealed_size(plain_size: int) -> int:
    """Bytes of the object that holds so much plaintext."""
    return HEAD_BYTES + plain_size + TAG_BYTES * (plain_size // CHUNK_BYTES + 1)


def plain_size(size: int) -> int:
    """Bytes of plaintext in an object of this size. Raises Damaged on a size that no object has."""
    body = size - HEAD_BYTES
    whole, last = divmod(body, SEALED_CHUNK_BYTES)
    if body < TAG_BYTES or last < TAG_BYTES:
        raise Damaged("the object has a length that no sealed object has", fix="fabriek data verify", where="length")
    return whole * CHUNK_BYTES + last - TAG_BYTES


class Cipher:
    """Key, base nonce and commitment of one object, for one thread."""

    def __init__(self, key: bytes, salt: bytes, context: bytes) -> None:
        assert len(key) == KEY_BYTES, "an object's key has 32 bytes"
        length = KEY_BYTES + NONCE_BYTES + COMMITMENT_BYTES
        made = HKDFExpand(SHA256(), length, _INFO + salt + context).derive(key)
        self._aead = AESGCM(made[:KEY_BYTES])
        self._base = int.from_bytes(made[KEY_BYTES : KEY_BYTES + NONCE_BYTES], "big")
        self.commitment = made[KEY_BYTES + NONCE_BYTES :]

    def check(self, head: bytes) -> None:
        """Raises Damaged unless the head of an object was made with this key, salt and context."""
        if not hmac.compare_digest(self.commitment, head[SALT_BYTES:HEAD_BYTES]):
            raise _changed("commitment")

    def seal_run(self, first: int, plain: memoryview | bytes) -> bytes:
        """Chunks one after another; the last of them may be short."""
        count = -(-len(plain) // CHUNK_BYTES)
        out = self._room_for(len(plain) + count * TAG_BYTES)
        self.seal_into(first, memoryview(plain), out)
        return bytes(out)

    def seal_into(self, first: int, plain: memoryview, out: memoryview) -> int:
        """The same into room of the caller's; how many bytes of it were filled."""
        base, encrypt = self._base, self._aead.encrypt_into
        start = at = 0
        for number in range(first, first - (-len(plain) // CHUNK_BYTES)):
            chunk = plain[start : start + CHUNK_BYTES]
            end = at + len(chunk) + TAG_BYTES
            encrypt((base ^ number).to_bytes(NONCE_BYTES, "big"), chunk, None, out[at:end])
            start, at = start + CHUNK_BYTES, end
        return at

    def seal_last(self, number: int) -> bytes:
        """The empty chunk at the end of a message of whole chunks."""
        return self._aead.encrypt((self._base ^ number).to_bytes(NONCE_BYTES, "big"), b"", None)

    def open_run(self, first: int, sealed: memoryview | bytes) -> bytes:
        """Chunks one after another; the last of them may be short. Nothing is returned unless all of them hold."""
        return bytes(self.open_here(first, sealed))

    def open_here(self, first: int, sealed: memoryview | bytes) -> memoryview:
        """The same in the buffer that the thread keeps: it holds until the next call, for whichever object."""
        count = -(-len(sealed) // SEALED_CHUNK_BYTES)
        out = self._room_for(len(sealed) - count * TAG_BYTES)
        self.open_into(first, memoryview(sealed), out)
        return out

    def open_into(self, first: int, sealed: memoryview, out: memoryview) -> int:
        """The same into room of the caller's, who uses none of it unless this returns; how many bytes of it were filled."""
        base, decrypt = self._base, self._aead.decrypt_into
        start = at = 0
        number = first
        try:
            for number in range(first, first - (-len(sealed) // SEALED_CHUNK_BYTES)):
                chunk = sealed[start : start + SEALED_CHUNK_BYTES]
                end = at + len(chunk) - TAG_BYTES
                decrypt((base ^ number).to_bytes(NONCE_BYTES, "big"), chunk, None, out[at:end])
                start, at = start + SEALED_CHUNK_BYTES, end
        except InvalidTag:
            raise _changed(f"chunk {number}") from None
        return at

    def _room_for(self, count: int) -> memoryview:
        """A buffer that the thread keeps: a fresh one of this size would be zeroed by the kernel, page by page, for each run."""
        room: bytearray = getattr(_own, "room", None) or bytearray()
        if len(room) < count:
            room = bytearray(count)
            if count <= ROOM_BYTES_MAX:
                _own.room = room
        return memoryview(room)[:count]


def seal(plain: Iterable[bytes | memoryview], key: bytes, context: bytes, salt: bytes) -> Iterator[bytes]:
    """Seals a stream; yields the object in pieces as large as those that come in. `salt`: 24 fresh random bytes."""
    assert len(salt) == SALT_BYTES, "a salt has 24 bytes"
    cipher = Cipher(key, salt, context)
    yield salt + cipher.commitment
    number, left = 0, b""
    for run, rest in _whole_chunks(plain, CHUNK_BYTES, keep=0):
        if run:
            yield cipher.seal_run(number, run)
            number += len(run) // CHUNK_BYTES
        left = rest
    yield cipher.seal_run(number, left) if left else cipher.seal_last(number)


def _whole_chunks(
    pieces: Iterable[bytes | memoryview], size: int, *, keep: int
) -> Iterator[tuple[memoryview | bytes, bytes]]:
    """(run, rest): as many whole chunks as have come, and what is left of the next; at least `keep` bytes are always left over.

    Pieces are passed through as they are: only what straddles two of them is copied.
    """
    left = b""
    for piece in pieces:
        view = memoryview(piece)
        if left:
            short = size - len(left)
            if len(view) < short + keep:
                left += view
                yield b"", left
                continue
            yield left + view[:short], b""
            view = view[short:]
        whole = max(0, (len(view) - keep) // size) * size
        left = bytes(view[whole:])
        yield view[:whole], left


class Opener:
    """Opens parts of an object, for one thread. Its size is believed only once the commitment and the last chunk were checked."""

    def __init__(self, read_at: ReadAt, size: int, key: bytes, context: bytes) -> None:
        """size: of the sealed object, in bytes. Raises Damaged."""
        self._read_at, self._sealed_size = read_at, size
        self.size = plain_size(size)
        head = read_at(0, HEAD_BYTES)
        if len(head) < HEAD_BYTES:
            raise _changed("head")
        self._cipher = Cipher(key, head[:SALT_BYTES], context)
        self._cipher.check(head)
        self._last = self.size // CHUNK_BYTES
        self._tail = bytes(self._open_chunks(self._last, self._last + 1))

    def read(self, offset: int, count: int) -> bytes:
        """Plaintext from an offset on; fewer bytes only at the end. Fetches no more chunks than it needs. Raises Damaged."""
        end = min(offset + max(count, 0), self.size)
        if offset >= end:
            return b""
        first, stop = offset // CHUNK_BYTES, (end - 1) // CHUNK_BYTES + 1
        opened = self._open_chunks(first, min(stop, self._last))
        if stop > self._last:
            opened = memoryview(bytes(opened) + self._tail)
        begin = offset - first * CHUNK_BYTES
        return bytes(opened[begin : begin + end - offset])

    def stream(self, offset: int = 0) -> Iterator[bytes]:
        """The plaintext from an offset to the end, in pieces of a few MiB."""
        while piece := self.read(offset, BATCH_CHUNKS * CHUNK_BYTES - offset % CHUNK_BYTES):
            offset += len(piece)
            yield piece

    def _open_chunks(self, first: int, stop: int) -> memoryview:
        if stop <= first:
            return memoryview(b"")
        begin = HEAD_BYTES + first * SEALED_CHUNK_BYTES
        end = min(HEAD_BYTES + stop * SEALED_CHUNK_BYTES, self._sealed_size)
        sealed = self._read_at(begin, end - begin)
        if len(sealed) != end - begin:
            raise _changed(f"chunk {first}")
        return self._cipher.open_here(first, sealed)


def open_stream(pieces: Iterable[bytes | memoryview], key: bytes, context: bytes) -> Iterator[bytes]:
    """Opens an object that arrives in order; yields only what was authenticated. Raises Damaged, at the latest at the end."""
    return (bytes(piece) for piece in open_views(pieces, key, context))


def open_views(pieces: Iterable[bytes | memoryview], key: bytes, context: bytes) -> Iterator[memoryview]:
    """The same without a copy: what is yielded holds until the thread opens anything else."""
    source = iter(pieces)
    head = b""
    for piece in source:
        head += piece
        if len(head) >= HEAD_BYTES:
            break
    if len(head) < HEAD_BYTES:
        raise _changed("commitment")
    cipher = Cipher(key, head[:SALT_BYTES], context)
    cipher.check(head)
    number, left = 0, b""
    # One byte is always kept back: a chunk is opened once more bytes follow it, since the one at the end must be short.
    for run, rest in _whole_chunks(itertools.chain([head[HEAD_BYTES:]], source), SEALED_CHUNK_BYTES, keep=1):
        if run:
            yield cipher.open_here(number, run)
            number += len(run) // SEALED_CHUNK_BYTES
        left = rest
    if not TAG_BYTES <= len(left) < SEALED_CHUNK_BYTES:
        raise _changed("end")
    yield cipher.open_here(number, left)


def seal_bytes(plain: bytes, key: bytes, context: bytes, salt: bytes) -> bytes:
    return b"".join(seal([plain], key, context, salt))


def open_bytes(sealed: bytes, key: bytes, context: bytes) -> bytes:
    return b"".join(open_stream([sealed], key, context))


def _changed(where: str) -> Damaged:
    return Damaged(
        f"the sealed object does not open: its {where} is not what was written", fix="fabriek data verify", where=where
    )
