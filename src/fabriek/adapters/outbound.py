"""The one way out to addresses that users name: listed hosts only, over TLS, to an address that was looked at first, and no further.

The name is resolved once and the connection goes to what was found, so that a name cannot mean one thing when it is judged and another
when it is used. Nothing of the answer is read but its first line, and a redirect is an answer like any other.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

from fabriek.kernel.errors import InvalidInput, NotPermitted, Unavailable

SECONDS_MAX = 10.0
"""For all of it, from the connection to the first line of the answer."""

LINE_BYTES_MAX = 1024
URL_CHARACTERS_MAX = 2_000
PLAIN = re.compile(r"[!-\[\]-~]+")
"""Printable ASCII without blanks and backslashes, which readers of addresses take for different things."""

ANSWER = re.compile(rb"HTTP/1\.[01] ([0-9]{3})\b")
GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that is given out of IPv6 for one receiver in the world; site-local addresses and old spellings of IPv4 lie beside it."""

CARRIERS_OF_IPV4 = (IPv6Network("2002::/16"), IPv6Network("2001::/32"))
"""Ways within it of writing an IPv4 address, private ones too, as one of IPv6."""

Resolve = Callable[..., list[tuple[Any, ...]]]
Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Hosts:
    """What the setting `outbound_hosts` lists: (host, port), those of them on plain HTTP, and networks besides the public ones."""

    ends: frozenset[tuple[str, int]]
    plain: frozenset[tuple[str, int]]
    networks: tuple[Any, ...]

    @classmethod
    def read(cls, text: str) -> "Hosts":
        """`hooks.example.org`, `hooks.example.org:8443`, `10.1.0.0/16`, `http://127.0.0.1:9000`; with commas. Raises InvalidInput."""
        ends, plain, networks = set(), set(), []
        for entry in filter(None, re.split(r"[,\s]+", text.strip())):
            if "/" in entry and "://" not in entry:
                networks.append(_network(entry))
                continue
            end, alone = _end(entry), _literal(entry)
            ends.add(end)
            if entry.startswith("http://"):
                plain.add(end)
            if alone is not None:
                networks.append(ip_network(alone))
        return cls(frozenset(ends), frozenset(plain), tuple(networks))


class Outbound:
    """Sends to listed hosts. `resolve` is the system's own, unless a test has another; `says` is the setting that lists them."""

    def __init__(self, hosts: Hosts, resolve: Resolve = socket.getaddrinfo, *, says: str = "outbound_hosts") -> None:
        self._hosts, self._resolve, self._says = hosts, resolve, says

    def check(self, url: str) -> None:
        """Raises InvalidInput on what is no plain address, NotPermitted on a host that is not listed. Resolves nothing."""
        self._checked(url)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Returns when the answer was a 2xx. Raises Unavailable on any other and on none, NotPermitted as `check` and on a private address."""
        at = self._checked(url)
        host, port = host_port(at)
        address = address_of(host, port, self._hosts.networks, self._resolve, says=self._says)
        give_up = time.monotonic() + SECONDS_MAX
        try:
            with socket.create_connection((str(address), port), timeout=SECONDS_MAX) as plain:
                if at.scheme == "http":
                    code = _exchange(plain, _request(at, body, headers), give_up)
                else:
                    with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secured:
                        code = _exchange(secured, _request(at, body, headers), give_up)
        except OSError as error:
            raise Unavailable(f"{host} cannot be reached: {why_of(error)}") from None
        if not 200 <= code < 300:
            aside = ", and redirects are not followed" if 300 <= code < 400 else ""
            raise Unavailable(f"{host} answered {code}{aside}")

    def _checked(self, url: str) -> SplitResult:
        at = split_address(url)
        end = host_port(at)
        if at.scheme != "https" and not (at.scheme == "http" and end in self._hosts.plain):
            raise InvalidInput("notices go over https only", fix="https://HOST/PATH")
        if end not in self._hosts.ends:
            raise NotPermitted(
                f"nothing is sent to {end[0]} from here",
                rule="outbound.host",
                fix=f"ask the operator for the setting {self._says}",
            )
        return at


def address_of(host: str, port: int, networks: Sequence[Any], resolve: Resolve, *, says: str) -> Address:
    """The one to connect to. Raises NotPermitted if the name has any that we would not, Unavailable if it has none. says: the setting that lists
    networks besides the public ones.
    """
    try:
        found = resolve(host, port, type=socket.SOCK_STREAM)
        addresses = [ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    except (OSError, ValueError):
        raise Unavailable(f"{host} has no address") from None
    if not addresses:
        raise Unavailable(f"{host} has no address")
    for address in addresses:
        if not _is_public(address) and not any(address in network for network in networks):
            raise NotPermitted(
                f"{host} leads to a private address",
                rule="outbound.address",
                fix=f"ask the operator to list its network in {says}",
            )
    return addresses[0]


def split_address(url: str) -> SplitResult:
    """The parts of an address that somebody named. Raises InvalidInput on what is no plain one, or has a user or a fragment."""
    if len(url) > URL_CHARACTERS_MAX or not PLAIN.fullmatch(url):
        raise InvalidInput("this is no plain address of the web", fix="https://HOST/PATH")
    try:
        at = urlsplit(url)
        end = host_port(at)
    except ValueError:
        raise InvalidInput("this is no plain address of the web", fix="https://HOST/PATH") from None
    if not end[0] or at.username is not None or at.password is not None or at.fragment:
        raise InvalidInput("the address has no host, or a user or fragment", fix="https://HOST/PATH")
    return at


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address not in GLOBAL_UNICAST or any(address in network for network in CARRIERS_OF_IPV4):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def host_port(at: SplitResult) -> tuple[str, int]:
    """Raises ValueError on a port that is none."""
    return (at.hostname or "").lower(), at.port or (80 if at.scheme == "http" else 443)


def _request(at: SplitResult, body: bytes, headers: Mapping[str, str]) -> bytes:
    path = (at.path or "/") + (f"?{at.query}" if at.query else "")
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {at.netloc}",
        "User-Agent: fabriek",
        "Connection: close",
        f"Content-Length: {len(body)}",
    ]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _exchange(connection: socket.socket, request: bytes, give_up: float) -> int:
    """The status. Raises OSError when time is over: every step gets what is left of it, so that no trickle lasts longer."""
    connection.settimeout(left_of(give_up))
    connection.sendall(request)
    said = b""
    while b"\n" not in said and len(said) < LINE_BYTES_MAX:
        connection.settimeout(left_of(give_up))
        piece = connection.recv(LINE_BYTES_MAX - len(said))
        if not piece:
            break
        said += piece
    found = ANSWER.match(said)
    if found is None:
        raise OSError("it does not answer in HTTP")
    return int(found[1])


def left_of(give_up: float) -> float:
    """Seconds until then. Raises TimeoutError when there are none."""
    left = give_up - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def why_of(error: OSError) -> str:
    """What went wrong with a connection, in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate does not hold ({error.verify_message})"
    return error.strerror or str(error)


def _network(entry: str) -> Any:
    try:
        return ip_network(entry)
    except ValueError:
        raise _unreadable(entry) from None


def _literal(entry: str) -> Address | None:
    """The address that an entry is, where it is not a name."""
    try:
        return ip_address(urlsplit(entry if "://" in entry else f"//{entry}").hostname or "")
    except ValueError:
        return None


def _end(entry: str) -> tuple[str, int]:
    try:
        at = urlsplit(entry if "://" in entry else f"https://{entry}")
        end = host_port(at)
    except ValueError:
        raise _unreadable(entry) from None
    loopback = (literal := _literal(entry)) is not None and literal.is_loopback
    if not end[0] or at.path or at.scheme not in {"https", "http"} or (at.scheme == "http" and not loopback):
        raise _unreadable(entry)
    return end


def _unreadable(entry: str) -> InvalidInput:
    return InvalidInput(
        f"outbound_hosts lists {entry!r}",
        fix="HOST, HOST:PORT, a network such as 10.1.0.0/16, or http://127.0.0.1:PORT",
    )
