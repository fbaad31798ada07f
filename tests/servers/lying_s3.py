"""A store that lies: an HTTP server in front of a real S3 store, which passes everything on until it is told to do otherwise.

It sits where TLS would end, on loopback. Signatures stay right, since the name of the host is the lying server's own and is passed on.
"""

import http.client
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import obstore
from obstore.store import S3Store

from tests.servers.seaweed import S3Server

FLIPPED = 0xFF


class Lie(Enum):
    """What may be done in place of what was asked."""

    ERROR = auto()
    """500, and nothing was done."""
    BUSY = auto()
    """503, and nothing was done."""
    DONE_BUT_ERROR = auto()
    """It was done, and 500 is the answer."""
    STALL = auto()
    """Silence, until the test lets go."""
    STALL_HALF_WAY = auto()
    """Half of the body, then silence."""
    HANG_UP = auto()
    """The line is closed without an answer."""
    SHORT = auto()
    """Half of the body that was announced, then the line is closed."""
    SHORT_AND_SAID = auto()
    """Half of the body, announced as if it were all."""
    WRONG_BYTES = auto()
    """The right length, with one byte of the middle turned over."""
    WRONG_ETAG = auto()
    """An ETag of something else."""
    IGNORE_RANGE = auto()
    """The whole object, where a part was asked for."""
    LOST = auto()
    """200, and nothing was kept."""
    CUT = auto()
    """200, and half of it was kept."""
    KEPT_WRONG = auto()
    """200, and what was kept has one byte of the middle turned over."""
    GONE = auto()
    """404 for what is there."""
    ELSEWHERE = auto()
    """A redirect to another path of this server."""
    STALE = auto()
    """The answer that the same question got before."""
    NO_CONDITIONS = auto()
    """501 to what is under a condition, as stores say that know none."""
    FORGET_CONDITIONS = auto()
    """What was asked under a condition is done without it, and nobody says so."""


@dataclass
class Rule:
    """One lie: of requests like `METHOD /path?query` that the pattern finds, the next `times`; -1 for all."""

    lie: Lie
    pattern: "re.Pattern[str]"
    times: int


@dataclass
class Answer:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Liar:
    """Told by a test what to lie about; `told` are the lies that were told, `asked` all that was asked."""

    endpoint: str
    upstream: str
    bucket: S3Store
    rules: list[Rule] = field(default_factory=list)
    told: list[Lie] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    before: dict[str, Answer] = field(default_factory=dict)
    release: threading.Event = field(default_factory=threading.Event)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def lies(self, lie: Lie, pattern: str, *, times: int = 1) -> None:
        """pattern: of `METHOD /path?query`."""
        self.rules.append(Rule(lie, re.compile(pattern), times))

    def honest(self) -> None:
        self.rules.clear()

    def choose(self, asked: str) -> Lie | None:
        with self.turn:
            self.asked.append(asked)
            for rule in self.rules:
                if rule.times and rule.pattern.search(asked):
                    rule.times -= 1
                    self.told.append(rule.lie)
                    return rule.lie
        return None


@contextmanager
def lying(store: S3Server) -> Iterator[Liar]:
    """store: the real one."""

    class Handler(_Handler):
        liar: Liar

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    liar = Handler.liar = Liar(f"http://127.0.0.1:{server.server_address[1]}", store.endpoint, store.bucket())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield liar
    finally:
        liar.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    liar: Liar

    def log_message(self, *_: object) -> None:
        """The test says what it needs."""

    def _handle(self) -> None:
        body = self._body()
        lie = self.liar.choose(f"{self.command} {self.path}")
        if lie in _INSTEAD:
            _INSTEAD[lie](self, body)
            return
        answer = self._pass_on(body, lie)
        _AFTER.get(lie, _Handler._answer)(self, answer)  # type: ignore[arg-type]  # None is in no table

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _handle  # noqa: N815  # the names that http.server looks for

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        pieces = []
        while length := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _pass_on(self, body: bytes, lie: Lie | None) -> Answer:
        at = urlsplit(self.liar.upstream)
        left_out = {"connection", "transfer-encoding", "content-length"}
        if lie is Lie.IGNORE_RANGE:
            left_out.add("range")
        sent = {Lie.CUT: body[: len(body) // 2], Lie.KEPT_WRONG: _turned_over(body)}.get(lie, body)  # type: ignore[arg-type]
        line = http.client.HTTPConnection(at.hostname or "", at.port, timeout=60)
        try:
            line.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in left_out:
                    line.putheader(name, value)
            if body or self.command in {"PUT", "POST"}:
                line.putheader("Content-Length", str(len(sent)))
            line.endheaders(sent or None)
            got = line.getresponse()
            answer = Answer(got.status, got.reason, got.getheaders(), got.read())
        finally:
            line.close()
        with self.liar.turn:
            self.liar.before.setdefault(self._question(), answer)
        return answer

    def _forget(self, body: bytes) -> None:
        if "If-None-Match" not in self.headers:
            self._answer(self._pass_on(body, None))
            return
        # The condition is signed: the liar writes in its own name.
        key = unquote(urlsplit(self.path).path).split("/", 2)[2]
        obstore.put(self.liar.bucket, key, body, use_multipart=False)
        self._say(200, "OK")

    def _question(self) -> str:
        """A question without its signature and time."""
        return f"{self.command} {re.sub(r'[?&]X-Amz-[^&]*', '', self.path)}"

    def _answer(self, answer: Answer, *, sent: bytes | None = None) -> None:
        """`sent`: what really follows the head, where that is not what the head says."""
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.headers:
            if name.lower() not in {"transfer-encoding", "connection", "content-length"}:
                self.send_header(name, value)
        kept = {name.lower(): value for name, value in answer.headers}.get("content-length", "0")
        self.send_header("Content-Length", kept if self.command == "HEAD" else str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body if sent is None else sent)

    def _say(self, status: int, code: str) -> None:
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>a lie</Message></Error>".encode()
        self._answer(Answer(status, code, [("Content-Type", "application/xml"), ("ETag", '"0"')], body))

    def _hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        with _quiet():
            self.connection.shutdown(socket.SHUT_RDWR)

    def _stall(self) -> None:
        self.wfile.flush()
        self.liar.release.wait()
        self._hang_up()

    def _half(self, answer: Answer) -> None:
        self._answer(answer, sent=answer.body[: len(answer.body) // 2])

    def _stale(self, answer: Answer) -> None:
        self._answer(self.liar.before.get(self._question(), answer))


def _changed(answer: Answer, **fields: object) -> Answer:
    return Answer(**(vars(answer) | fields))  # type: ignore[arg-type]


def _turned_over(body: bytes) -> bytes:
    changed = bytearray(body)
    if changed:
        changed[len(changed) // 2] ^= FLIPPED
    return bytes(changed)


def _other_etag(answer: Answer) -> Answer:
    headers = [(name, value) for name, value in answer.headers if name.lower() != "etag"]
    return _changed(answer, headers=[*headers, ("ETag", f'"{"0" * 32}"')])


@contextmanager
def _quiet() -> Iterator[None]:
    try:
        yield
    except OSError:
        return


_INSTEAD: dict[Lie | None, Callable[[_Handler, bytes], None]] = {
    Lie.ERROR: lambda one, _: one._say(500, "InternalError"),
    Lie.BUSY: lambda one, _: one._say(503, "SlowDown"),
    Lie.GONE: lambda one, _: one._say(404, "NoSuchKey"),
    Lie.ELSEWHERE: lambda one, _: one._answer(
        Answer(307, "Temporary Redirect", [("Location", f"{one.liar.endpoint}/elsewhere")], b"")
    ),
    Lie.LOST: lambda one, _: one._say(200, "OK"),
    Lie.STALL: lambda one, _: one._stall(),
    Lie.HANG_UP: lambda one, _: one._hang_up(),
    Lie.FORGET_CONDITIONS: lambda one, body: one._forget(body),
    Lie.NO_CONDITIONS: lambda one, body: (
        one._say(501, "NotImplemented") if "If-None-Match" in one.headers else one._answer(one._pass_on(body, None))
    ),
}
_AFTER: dict[Lie | None, Callable[[_Handler, Answer], None]] = {
    Lie.DONE_BUT_ERROR: lambda one, _: one._say(500, "InternalError"),
    Lie.SHORT: lambda one, answer: (one._half(answer), one._hang_up())[1],
    Lie.STALL_HALF_WAY: lambda one, answer: (one._half(answer), one._stall())[1],
    Lie.SHORT_AND_SAID: lambda one, answer: one._answer(_changed(answer, body=answer.body[: len(answer.body) // 2])),
    Lie.WRONG_BYTES: lambda one, answer: one._answer(_changed(answer, body=_turned_over(answer.body))),
    Lie.WRONG_ETAG: lambda one, answer: one._answer(_other_etag(answer)),
    Lie.STALE: lambda one, answer: one._stale(answer),
}
