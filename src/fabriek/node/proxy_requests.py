"""What a job asks of its proxy: a tunnel to a host, or one plain request of HTTP."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from fabriek.kernel.errors import InvalidInput

HEAD_BYTES_MAX = 64 * 1024
HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization", b"te", b"upgrade", b"host"})
"""Headers between two neighbours, which go no further; the host is written anew from the address."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`forward`: what to send there first; empty for a tunnel."""

    name: str
    port: int
    forward: bytes

    @property
    def host(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


def read_request(head: bytes) -> Asked:
    """head: up to and with the empty line. Raises InvalidInput on what is not plainly one request to a proxy."""
    reader = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)
    try:
        reader.receive_data(head)
        event = reader.next_event()
    except h11.RemoteProtocolError as error:
        raise InvalidInput(f"this is no request: {error}") from None
    if not isinstance(event, h11.Request):
        raise InvalidInput("this is no request")
    target = event.target.decode("ascii", "replace")
    if event.method == b"CONNECT":
        name, port = _authority(target, 0)
        return Asked(name, port, b"")
    if not target.startswith("http://"):
        raise InvalidInput("this is a proxy: ask it for http://HOST/…, or for a tunnel with CONNECT")
    authority, slash, path = target.removeprefix("http://").partition("/")
    name, port = _authority(authority, 80)
    headers = [(b"host", authority.encode()), *((key, value) for key, value in event.headers if key not in HOP)]
    lines = [b"%s %s HTTP/1.1" % (event.method, (slash + path or "/").encode()), *(b"%s: %s" % one for one in headers)]
    # One request for each connection, so that none goes to a host that was not looked at.
    return Asked(name, port, b"\r\n".join([*lines, b"connection: close", b"", b""]))


def _authority(text: str, usual: int) -> tuple[str, int]:
    try:
        cut = urlsplit(f"//{text}")
        name, port = (cut.hostname or "").removesuffix("."), cut.port or usual
    except ValueError:
        name, port = "", 0
    if not name or not port or "@" in text or "/" in text or "%" in text:
        raise InvalidInput(f"{text[:80]!r} is no host", fix="write NAME:PORT")
    return name, port
