"""Reading what lies on the public web, at addresses that somebody named and others answer for. Nothing of it is believed.

Names are resolved once for each request, every address that a name has must be a public one, and the connection goes to the address that was
looked at. A redirect is a new request, judged anew. No proxy of the environment, no cookies, and nothing of ours is sent along.
"""

import http.client
import socket
import ssl
import threading
import time
import zlib
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urldefrag, urljoin

from fabriek.adapters.outbound import Address, Hosts, Resolve, address_of, host_port, left_of, split_address, why_of
from fabriek.kernel.errors import InvalidInput, NotPermitted, Unavailable

SECONDS_MAX = 30.0
"""For one answer, redirects and all."""

REDIRECTS_MAX = 5
PIECE_BYTES = 2**16
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HTTPS_PORT = 443


@dataclass(frozen=True, slots=True)
class Answered:
    """`url`: where it was found, after redirects. `link`: the header of that name, as it came."""

    url: str
    media_type: str
    body: bytes
    link: str = ""


class PublicWeb:
    """Reads over https. `hosts`: what the setting that `says` names lists besides: other ports, plain HTTP, networks of one's own."""

    def __init__(
        self, hosts: Hosts, resolve: Resolve = socket.getaddrinfo, *, says: str, seconds_max: float = SECONDS_MAX
    ) -> None:
        self._hosts, self._resolve, self._says, self._seconds_max = hosts, resolve, says, seconds_max

    def check(self, url: str) -> None:
        """Raises InvalidInput on what is no plain address, or not one over https. Resolves nothing."""
        self._checked(url)

    def read(self, url: str, *, accept: str, bytes_max: int) -> Answered:
        """What is there. Raises InvalidInput, NotPermitted on an address that is not public, Unavailable on any answer but a 200, on more than
        bytes_max once it is unpacked, and when time is over.
        """
        give_up = time.monotonic() + self._seconds_max
        for _ in range(REDIRECTS_MAX + 1):
            at = self._checked(url)
            host, port = host_port(at)
            # A network of one's own is open to the hosts that are listed, and to no name that somebody else points into it.
            networks = self._hosts.networks if (host, port) in self._hosts.ends else ()
            address = address_of(host, port, networks, self._resolve, says=self._says)
            try:
                found = self._ask(at, address, accept, bytes_max, give_up)
            except (OSError, http.client.HTTPException, ValueError) as error:
                why = (
                    "timed out"
                    if time.monotonic() >= give_up
                    else why_of(error)
                    if isinstance(error, OSError)
                    else "it does not answer in HTTP"
                )
                raise Unavailable(f"{host} cannot be read: {why}") from None
            if isinstance(found, Answered):
                return found
            url = urldefrag(urljoin(url, found)).url
        raise Unavailable(f"{url[:200]} redirects more than {REDIRECTS_MAX} times")

    def _checked(self, url: str) -> SplitResult:
        at = split_address(url)
        end = host_port(at)
        if at.scheme != "https" and not (at.scheme == "http" and end in self._hosts.plain):
            raise InvalidInput("catalogues are read over https only", fix="https://HOST/PATH")
        if end[1] != HTTPS_PORT and end not in self._hosts.ends:
            raise NotPermitted(
                f"nothing is read at port {end[1]} of {end[0]}", rule="outbound.host", fix=f"ask the operator for the setting {self._says}"
            )  # fmt: skip
        return at

    def _ask(self, at: SplitResult, address: Address, accept: str, bytes_max: int, give_up: float) -> Answered | str:
        """What was answered, or where else to look."""
        host, port = host_port(at)
        with closing(_connected(host, port, address, left_of(give_up), is_plain=at.scheme == "http")) as connection:
            # A receiver that sends a byte now and then keeps within the limit of each read; the whole has one too.
            watch = threading.Timer(left_of(give_up), _cut, [connection.sock])
            watch.daemon = True
            watch.start()
            try:
                path = (at.path or "/") + (f"?{at.query}" if at.query else "")
                connection.putrequest("GET", path, skip_accept_encoding=True)
                for name, value in (
                    ("Accept", accept), ("Accept-Encoding", "gzip, identity"), ("User-Agent", "fabriek"), ("Connection", "close"),
                ):  # fmt: skip
                    connection.putheader(name, value)
                connection.endheaders()
                answer = connection.getresponse()
                if answer.status in REDIRECTS and (location := answer.headers.get("Location")):
                    return location
                if answer.status != http.client.OK:
                    raise Unavailable(f"{host} answered {answer.status}")
                encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
                body, is_whole = _body(answer, encoding, bytes_max, host)
                left_of(give_up)  # one that was cut when time was over looks like one that ended
                if not is_whole:
                    raise Unavailable(f"{host} did not answer to the end")
                return Answered(
                    at.geturl(), answer.headers.get_content_type(), body, answer.headers.get("Link", "")[:PIECE_BYTES]
                )
            finally:
                watch.cancel()


def _connected(host: str, port: int, address: Address, seconds: float, *, is_plain: bool) -> http.client.HTTPConnection:
    """Open, to this very address; what it is connected to is asked of the socket too."""
    opened = socket.create_connection((str(address), port), timeout=seconds)
    try:
        _check_peer(opened, address)
        if not is_plain:
            opened = ssl.create_default_context().wrap_socket(opened, server_hostname=host)
    except BaseException:
        opened.close()
        raise
    connection = http.client.HTTPConnection(host, 80 if port == HTTPS_PORT else port)  # as the header Host says it
    connection.sock = opened
    return connection


def _check_peer(opened: socket.socket, address: Address) -> None:
    if str(opened.getpeername()[0]).partition("%")[0] != str(address):
        raise OSError("it is connected to another address")


def _cut(opened: socket.socket) -> None:
    with suppress(OSError):
        opened.shutdown(socket.SHUT_RDWR)


def _body(answer: http.client.HTTPResponse, encoding: str, bytes_max: int, host: str) -> tuple[bytes, bool]:
    """(what was sent, unpacked, never by more than one byte over the limit; whether that is all of it)."""
    if encoding not in {"identity", "", "gzip", "x-gzip"}:
        raise Unavailable(f"{host} packs its answer in a way that was not asked for")
    opener = zlib.decompressobj(16 + zlib.MAX_WBITS) if encoding.endswith("gzip") else None
    body = bytearray()
    while piece := answer.read(PIECE_BYTES):
        left = piece
        while left:
            room = bytes_max + 1 - len(body)
            body += left[:room] if opener is None else _unpacked(opener, left, room, host)
            left = opener.unconsumed_tail if opener is not None else b""
            if len(body) > bytes_max:
                raise Unavailable(f"{host} answered with more than {bytes_max // 2**20} MiB")
    return bytes(body), not answer.length and (opener is None or opener.eof)


def _unpacked(opener: Any, piece: bytes, room: int, host: str) -> bytes:
    try:
        return bytes(opener.decompress(piece, room))
    except zlib.error:
        raise Unavailable(f"{host} sent what is no gzip") from None
