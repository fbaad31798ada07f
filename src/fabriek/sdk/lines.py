"""Lines for sealed bytes: plain HTTP/1.1 connections, one a thread, kept open, that copy as little as they can.

Large bodies go around httpx: it hands them on in pieces of 64 KiB, each through several layers, and that costs more than sealing.
"""

import http.client
import selectors
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx

CONNECT_SECONDS_MAX = 10.0
ANSWER_SECONDS_MAX = 120.0


class Lines:
    """To one server, as one caller. What fails raises OSError or http.client.HTTPException, and the line is given up."""

    def __init__(self, url: str, token: str, *, silent_seconds_max: float = ANSWER_SECONDS_MAX) -> None:
        self._at = urlsplit(url)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._silent_seconds_max = silent_seconds_max
        self._closed = False
        self._own = threading.local()
        self._every: list[http.client.HTTPConnection] = []
        self._tls = httpx.create_ssl_context(trust_env=False) if self._at.scheme == "https" else None

    def put(self, path: str, pieces: Iterable[bytes | memoryview], length: int) -> httpx.Response:
        """Sends a body of exactly `length` bytes; the answer, whole. What `pieces` raises passes through."""
        with self._line() as line:
            line.putrequest("PUT", self._at.path + path, skip_accept_encoding=True)
            self._begin(line, {"Content-Type": "application/octet-stream", "Content-Length": str(length)})
            try:
                for piece in pieces:
                    line.send(piece)
            except (BrokenPipeError, ConnectionResetError):
                # The server may have said why before it hung up; if it did not, reading says that.
                pass
            answer = line.getresponse()
            return httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read())

    @contextmanager
    def get(self, path: str, headers: Mapping[str, str]) -> Iterator[http.client.HTTPResponse]:
        """The answer, its body still to be read."""
        with self._line() as line:
            line.putrequest("GET", self._at.path + path, skip_accept_encoding=True)
            self._begin(line, headers)
            answer = line.getresponse()
            try:
                yield answer
                if not answer.isclosed():
                    line.close()  # the rest of a body that nobody wants
            finally:
                answer.close()

    def close(self) -> None:
        """For good: a thread that is still at it gets no new line."""
        self._closed = True
        for line in self._every:
            line.close()

    def _begin(self, line: http.client.HTTPConnection, headers: Mapping[str, str]) -> None:
        for name, value in (self._headers | dict(headers)).items():
            line.putheader(name, value)
        line.endheaders()

    @contextmanager
    def _line(self) -> Iterator[http.client.HTTPConnection]:
        line = getattr(self._own, "line", None)
        if line is None:
            line = self._own.line = self._new()
            self._every.append(line)
        try:
            if line.sock is None or _is_over(line.sock):
                line.close()
                self._connect(line)
            yield line
        except BaseException:
            line.close()
            raise

    def _connect(self, line: http.client.HTTPConnection) -> None:
        line.timeout = CONNECT_SECONDS_MAX
        line.connect()
        line.sock.settimeout(self._silent_seconds_max)
        if self._closed:
            raise ConnectionError("this client is closed")

    def _new(self) -> http.client.HTTPConnection:
        host, port = self._at.hostname or "", self._at.port
        if self._tls is not None:
            return http.client.HTTPSConnection(host, port, context=self._tls, blocksize=2**18)
        return http.client.HTTPConnection(host, port, blocksize=2**18)


def _is_over(idle: socket.socket) -> bool:
    """Whether the server has hung up on a line that was kept: there is something to read though nothing was asked."""
    with selectors.DefaultSelector() as waiting:
        waiting.register(idle, selectors.EVENT_READ)
        return bool(waiting.select(0))
