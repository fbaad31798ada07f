"""The way to a lab on another host: what the job says on its socket goes over HTTP or HTTPS to the server, below one path of it.

Request by request, so that no job reaches any other path. The job's token goes along as it is: it opens this job's run and no more.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import unquote

import h11
import httpx

from fabriek.schemas.node import JOBS_LAB

PIECE_BYTES = 1 << 16
HEAD_BYTES_MAX = 64 * 1024
PATIENCE_SECONDS = 60.0
"""How long a request waits for a server that restarts, as on the socket."""

RETRY_SECONDS = 0.25
ANSWER_SECONDS_MAX = 600.0
HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"te", b"upgrade", b"host", b"transfer-encoding"})


class Relay:
    """`server_url`: where nodes reach the server."""

    def __init__(self, server_url: str) -> None:
        self._base = server_url.rstrip("/") + JOBS_LAB
        self._client = httpx.Client(timeout=httpx.Timeout(ANSWER_SECONDS_MAX, connect=10.0), trust_env=False)
        self._client.headers.clear()  # what the job did not say is not said for it: it might not understand a packed answer

    def counted(self) -> bytes:
        return b""

    def answer(self, connection: socket.socket) -> None:
        """Every request of one connection."""
        with closing(_Line(connection)) as line:
            while (request := line.request()) is not None:
                if not _plain(request.target):
                    line.say(404, [], iter([b"there is no such path\n"]))
                    return
                try:
                    with closing(self._asked(request, line)) as answer:
                        line.say(answer.status_code, answer.headers.raw, answer.iter_raw())
                except httpx.HTTPError:
                    line.say(503, [(b"retry-after", b"5")], iter([b"the server cannot be reached\n"]))
                    return
                if not line.goes_on():
                    return

    def _asked(self, request: h11.Request, line: "_Line") -> httpx.Response:
        """Raises httpx.HTTPError. Only a connection that never stood is tried again: nothing was said on it."""
        headers = [(name, value) for name, value in request.headers if name not in HOP]
        body = line.body() if line.brings_body(request) else None
        give_up = time.monotonic() + PATIENCE_SECONDS
        while True:
            asked = self._client.build_request(
                request.method.decode("ascii"),
                self._base + request.target.decode("ascii"),
                headers=headers,
                content=body,
            )
            try:
                return self._client.send(asked, stream=True)
            except httpx.ConnectError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(RETRY_SECONDS)


class _Line:
    """One connection of the job, in h11's words."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._state = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)

    def request(self) -> h11.Request | None:
        """The next; None when there is none, or none that could be read in one way only."""
        try:
            event = self._event()
        except h11.RemoteProtocolError:
            return None
        return event if isinstance(event, h11.Request) else None

    def brings_body(self, request: h11.Request) -> bool:
        return any(name in {b"content-length", b"transfer-encoding"} for name, _ in request.headers)

    def body(self) -> Iterator[bytes]:
        if self._state.they_are_waiting_for_100_continue:
            self._send(h11.InformationalResponse(status_code=100, headers=[]))
        while isinstance(event := self._event(), h11.Data):
            yield bytes(event.data)

    def say(self, status: int, headers: list[tuple[bytes, bytes]], pieces: Iterator[bytes]) -> None:
        kept = [(name, value) for name, value in headers if name.lower() not in HOP]
        self._send(h11.Response(status_code=status, headers=kept))
        for piece in pieces:
            self._send(h11.Data(data=piece))
        self._send(h11.EndOfMessage())

    def goes_on(self) -> bool:
        """Whether another request may come: the whole of this one was read, and both sides keep the connection."""
        while self._state.their_state is h11.SEND_BODY:
            self._event()
        if self._state.our_state is not h11.DONE or self._state.their_state is not h11.DONE:
            return False
        self._state.start_next_cycle()
        return True

    def close(self) -> None:
        self._connection.close()

    def _event(self) -> object:
        while (event := self._state.next_event()) is h11.NEED_DATA:
            self._state.receive_data(self._connection.recv(PIECE_BYTES))
        return event

    def _send(self, event: h11.InformationalResponse | h11.Response | h11.Data | h11.EndOfMessage) -> None:
        said = self._state.send(event)
        if said:
            self._connection.sendall(said)


def _plain(target: bytes) -> bool:
    """Whether it is a path that leads nowhere else: a server before ours might resolve `..`, in whichever spelling."""
    path = target.decode("latin-1").partition("?")[0]  # before it is unquoted: a %3F within the path begins no query
    for _ in range(3):
        path = unquote(path)
    return target.startswith(b"/") and target.isascii() and ".." not in path.replace("\\", "/").split("/")
