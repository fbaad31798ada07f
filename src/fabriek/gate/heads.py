"""Heads of HTTP/1.1 messages: read by h11, which refuses what two readers could read in two ways, and rewritten for the way through."""

from collections.abc import Sequence
from dataclasses import dataclass

import h11

from fabriek.kernel.errors import InvalidInput

HEAD_BYTES_MAX = 64 * 1024
COOKIE = "fabriek_door"
HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"te", b"upgrade", b"proxy-authorization"})
"""Headers between two neighbours, which go no further."""

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as far as the gate looks at it."""

    method: str
    target: str
    headers: Headers

    def header(self, name: str) -> str:
        """The value, empty where there is none; of several the first."""
        wanted = name.encode()
        return next((value.decode("latin-1") for key, value in self.headers if key == wanted), "")

    @property
    def cookie(self) -> str:
        """The visitor's own secret; empty without one."""
        for pair in self.header("cookie").split(";"):
            name, _, value = pair.strip().partition("=")
            if name == COOKIE:
                return value
        return ""

    def upgrades(self) -> bool:
        return bool(self.header("upgrade")) and "upgrade" in self.header("connection").lower()

    def comes_from_elsewhere(self) -> bool:
        """Whether another origin's page made the browser send it. Only browsers send Origin, and none can be made to lie."""
        origin = self.header("origin")
        return bool(origin) and origin.partition("://")[2] != self.header("host")


def read_request(head: bytes) -> Asked:
    """head: up to and with the empty line. Raises InvalidInput on what is not plainly one HTTP/1.1 request."""
    reader = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)
    try:
        reader.receive_data(head)
        event = reader.next_event()
    except h11.RemoteProtocolError as error:
        raise InvalidInput(f"this is no request: {error}") from None
    if not isinstance(event, h11.Request) or event.http_version != b"1.1":
        raise InvalidInput("this is no request of HTTP/1.1")
    return Asked(event.method.decode("ascii"), event.target.decode("latin-1"), list(event.headers))


def to_app(asked: Asked) -> bytes:
    """The head that the job's app gets: without the visitor's secret, and for one request alone, so that each is judged anew."""
    kept = [(name, value) for name, value in asked.headers if name not in HOP and name != b"cookie"]
    cookies = [pair.strip() for pair in asked.header("cookie").split(";") if pair.strip()]
    theirs = "; ".join(pair for pair in cookies if pair.partition("=")[0] != COOKIE)
    if theirs:
        kept.append((b"cookie", theirs.encode("latin-1")))
    if asked.upgrades():
        kept += [(b"connection", b"Upgrade"), (b"upgrade", asked.header("upgrade").encode("latin-1"))]
    else:
        kept.append((b"connection", b"close"))
    return _head(f"{asked.method} {asked.target} HTTP/1.1".encode("latin-1"), kept)


def to_visitor(head: bytes, asked: Asked) -> bytes:
    """The app's head as the visitor gets it: its cookies stay on its own host, and nobody else may frame it or learn its address.

    Raises InvalidInput on what is no answer.
    """
    status, headers = _answer(head)
    kept = [
        (name, _own_host_only(value) if name == b"set-cookie" else value) for name, value in headers if name not in HOP
    ]
    kept = [(name, value) for name, value in kept if not (name == b"set-cookie" and value.startswith(COOKIE.encode()))]
    kept = [(name, value) for name, value in kept if name != b"referrer-policy"]
    kept.append((b"referrer-policy", b"same-origin"))
    if status.split(b" ")[1] == b"101":
        kept += [(b"connection", b"Upgrade"), (b"upgrade", asked.header("upgrade").encode("latin-1"))]
    else:
        kept.append((b"connection", b"close"))
    return _head(status, kept)


def answer(status: str, headers: Sequence[tuple[str, str]], body: bytes = b"") -> bytes:
    """A whole answer of the gate's own."""
    said = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    said += [(b"content-length", str(len(body)).encode()), (b"connection", b"close"), (b"cache-control", b"no-store")]
    return _head(f"HTTP/1.1 {status}".encode(), said) + body


def _answer(head: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    reader = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES_MAX)
    reader.send(
        h11.Request(method="GET", target="/", headers=[("Host", "job"), ("Connection", "Upgrade"), ("Upgrade", "any")])
    )
    reader.send(h11.EndOfMessage())
    try:
        reader.receive_data(head)
        event = reader.next_event()
    except h11.RemoteProtocolError as error:
        raise InvalidInput(f"the app's answer is no HTTP: {error}") from None
    if not isinstance(event, h11.Response | h11.InformationalResponse):
        raise InvalidInput("the app's answer is no HTTP")
    return b"HTTP/1.1 %d %s" % (event.status_code, bytes(event.reason)), list(event.headers)


def _own_host_only(cookie: bytes) -> bytes:
    """Without `Domain`: a job's app must not set cookies for the portal or for other jobs."""
    first, *attributes = cookie.split(b";")
    kept = [one for one in attributes if one.strip().partition(b"=")[0].lower() != b"domain"]
    return b";".join([first, *kept])


def _head(first: bytes, headers: Headers) -> bytes:
    return first + b"\r\n" + b"".join(name + b": " + value + b"\r\n" for name, value in headers) + b"\r\n"
