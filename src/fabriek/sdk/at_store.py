"""The store itself, spoken to by address: sealed bytes put and got without the server between. The store is not believed: what comes from
it is authenticated by whoever opens it, and what it took is looked at by the server.
"""

import hashlib
import http.client
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from fabriek.kernel.clock import Clock, SystemClock
from fabriek.kernel.errors import Damaged, InvalidInput, NotFound, StorageFull, Unavailable
from fabriek.schemas.vault import TakeIn
from fabriek.sdk.addresses import Addresses
from fabriek.sdk.client import Client
from fabriek.sealing.objects import sealed_size
from fabriek.sealing.packing import PART_BYTES

T = TypeVar("T")


class NotTaken(Unavailable):
    """What was sent may be there, and the server could not look: sending it again would not help."""


WHOLE_BYTES_MAX = sealed_size(PART_BYTES)

TRIES = 3
TAKE_TRIES = 2
"""The server has been patient itself."""

PAUSE_SECONDS = 0.2
"""Before the second try; four times that before the third."""

_BROKEN = (http.client.HTTPException, ConnectionError, TimeoutError, socket.gaierror, ssl.SSLError)
"""Not every OSError: a file that cannot be read is not the store's."""

_FORBIDDEN, _NOT_FOUND, _FULL = 403, 404, 507


class AtStore:
    """Objects of a grant or an upload, at their addresses. For many threads."""

    def __init__(self, client: Client, path: str, clock: Clock | None = None) -> None:
        """path: of the grant or upload on the server."""
        self._client, self._path, self._clock = client, path, clock or SystemClock()
        self._addresses = Addresses(client, path, self._clock)
        self.expect = self._addresses.expect

    def whole(self, object_id: str) -> bytes:
        """Raises Damaged when the object is gone or larger than one can be, Unavailable, NotPermitted when the grant has ended."""
        return self._patiently(lambda: self._whole(object_id))

    def stream(self, object_id: str, piece_bytes: int) -> Iterator[bytes | memoryview]:
        """Its bytes once from the start, in pieces. Raises as `whole` does; Unavailable where the body is shorter than announced."""
        with self._got(object_id, {}) as answer:
            while piece := answer.read(piece_bytes):
                yield piece
            if answer.length:
                raise self._away("it broke off")

    def at(self, object_id: str, offset: int, count: int) -> bytes:
        """`count` bytes from an offset on, fewer only at the end."""
        return self._patiently(lambda: self._part(object_id, offset, count)[1])

    def head(self, object_id: str, count: int) -> tuple[int, bytes]:
        """What the store says is the object's size, and its first bytes."""
        return self._patiently(lambda: self._part(object_id, 0, count))

    def put(self, object_id: str, pieces: Iterator[bytes | memoryview], length: int) -> None:
        """Sends one object and has the server look at it; kept when this returns. It cannot be rewound: raises Unavailable where it
        did not arrive whole, and the caller seals anew; NotTaken where the server could not look.
        """
        digest = hashlib.sha256()

        def hashed() -> Iterator[bytes | memoryview]:
            for piece in pieces:
                digest.update(piece)
                yield piece

        lines, path = self._client.lines_to(self._addresses.of(object_id))
        with self._broken():
            response = lines.put(path, hashed(), length)
        self._addresses.forget(object_id)
        if response.status_code == _FULL:
            raise StorageFull("the object store is full", fix="tell the operator; nothing was lost")
        if not response.is_success:
            raise self._away(f"it answered {response.status_code}")
        said = TakeIn(size=length, sha256=digest.hexdigest()).model_dump()
        try:
            self._patiently(
                lambda: self._client.post(f"{self._path}/objects/{object_id}/taken", json=said), tries=TAKE_TRIES
            )
        except (NotFound, InvalidInput) as error:
            raise self._away(error.detail) from error
        except Unavailable as error:
            raise NotTaken(error.detail, fix=error.fix) from error

    def _whole(self, object_id: str) -> bytes:
        """Held in memory before it is authenticated: so no more of it than an object has, whatever is sent."""
        found = bytearray()
        for piece in self.stream(object_id, 2**20):
            found += piece
            if len(found) > WHOLE_BYTES_MAX:
                raise Damaged(
                    "an object is larger than any that was pushed", fix="fabriek data verify NAME", where=object_id
                )
        return bytes(found)

    def _part(self, object_id: str, offset: int, count: int) -> tuple[int, bytes]:
        """(size of the object, bytes). No more is read than was asked for, whatever is sent."""
        with self._got(object_id, {"Range": f"bytes={offset}-{offset + count - 1}"}) as answer:
            said = answer.getheader("Content-Range", "").rpartition("/")[2]
            if answer.status != http.HTTPStatus.PARTIAL_CONTENT or not said.isdigit():
                raise self._away("it does not know ranges")
            length = answer.length
            found = answer.read(count)
            if length is not None and len(found) < min(length, count):
                raise self._away("it broke off")
            return int(said), found

    @contextmanager
    def _got(self, object_id: str, headers: dict[str, str]) -> Iterator[http.client.HTTPResponse]:
        with self._broken(), ExitStack() as kept:
            answer = self._answer(object_id, headers, kept)
            if answer.status == _FORBIDDEN:
                # Its time was over before we thought so: the server gives another, or says why not.
                kept.close()
                self._addresses.forget(object_id)
                answer = self._answer(object_id, headers, kept)
            if answer.status == _NOT_FOUND:
                raise Damaged(
                    "an object of this version is gone from the store", fix="fabriek data verify NAME", where=object_id
                )
            if answer.status not in {http.HTTPStatus.OK, http.HTTPStatus.PARTIAL_CONTENT}:
                raise self._away(f"it answered {answer.status}")
            yield answer

    def _answer(self, object_id: str, headers: dict[str, str], kept: ExitStack) -> http.client.HTTPResponse:
        lines, path = self._client.lines_to(self._addresses.of(object_id))
        return kept.enter_context(lines.get(path, headers))

    def _patiently(self, act: Callable[[], T], *, tries: int = TRIES) -> T:
        for attempt in range(tries - 1):
            try:
                return act()
            except (Unavailable, Damaged):
                self._clock.sleep(PAUSE_SECONDS * 4**attempt)
        return act()

    @contextmanager
    def _broken(self) -> Iterator[None]:
        try:
            yield
        except _BROKEN as error:
            raise self._away(str(error) or type(error).__name__) from error

    def _away(self, why: str) -> Unavailable:
        return Unavailable(
            f"the object store did not do it ({why})", fix="try again; if it stays so, the operator: fabriek doctor"
        )
