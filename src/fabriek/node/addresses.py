"""From a name to a connection: the address that was judged is the one that is connected to."""

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from fabriek.kernel.errors import NotPermitted, Unavailable

CONNECT_SECONDS_MAX = 20.0
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses whose last four bytes are an IPv4 address, for gateways that translate."""

SIX_TO_FOUR = ipaddress.ip_network("2002::/16")
"""IPv6 addresses that tunnel to the IPv4 address within."""

GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All that is given out of IPv6 for one receiver in the world. What lies beside it leads inside, or to IPv4 in older spellings."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Block = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Iterable[str]]


def resolve(name: str, port: int) -> list[str]:
    """Addresses in the order in which they should be tried. Raises OSError. As bytes: for text, Python would load a codec, which who asks
    may have no right to read.
    """
    found = socket.getaddrinfo(name.encode(), port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def is_open(address: Address, allowed: Sequence[Block]) -> bool:
    """Whether a job may be led there: an address of the public internet, or one that the operator lists. An address within another
    (IPv4 within IPv6, a tunnel's far end) must be so too.
    """
    if any(address in block for block in allowed):
        return True
    if address.version == 6 and address not in GLOBAL_UNICAST and address not in TRANSLATED:
        return False
    # What a tunnel's far end is, the address within says; releases of Python differ on whether 6to4's own block is global.
    is_public = address in SIX_TO_FOUR or (address.is_global and not address.is_multicast)
    return is_public and all(is_open(one, allowed) for one in _within(address))


def connect(name: str, port: int, allowed: Sequence[Block], resolve: Resolve = resolve) -> socket.socket:
    """A connection to the first address that may be reached and answers. The name is looked up once: what it leads to a moment later
    is never asked. Raises NotPermitted where it leads to the machine itself or its neighbours, Unavailable where nothing answers.
    """
    try:
        found = [ipaddress.ip_address(one.partition("%")[0]) for one in resolve(name, port)]
    except OSError as error:
        raise Unavailable(f"{name} has no address: {error.strerror}", fix="is the name right?") from None
    reachable = [one for one in found if is_open(one, allowed)]
    if not reachable:
        raise NotPermitted(
            f"{name} leads to an address inside, which jobs do not reach",
            rule="network.address",
            fix="ask the operator to list the address in job_network_hosts",
        )
    for address in reachable:
        with suppress(OSError):
            return _connected(str(address), port, address.version)
    raise Unavailable(f"{name}:{port} does not answer", fix="try again later")


def _connected(address: str, port: int, version: int) -> socket.socket:
    line = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    try:
        line.settimeout(CONNECT_SECONDS_MAX)
        line.connect((address, port))
    except OSError:
        line.close()
        raise
    return line


def _within(address: Address) -> list[Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in TRANSLATED:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return [one for one in found if one is not None]
