"""Hosts outside that jobs may reach through their node: what a job asks for, and what the operator lists."""

import ipaddress
import re
from dataclasses import dataclass

from fabriek.kernel.errors import InvalidInput

HOSTS_MAX = 32
PORT_USUAL = 443
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}")
_BRACKETED = re.compile(r"\[([0-9a-f:.]+)\](?::([0-9]+))?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")

Block = ipaddress.IPv4Network | ipaddress.IPv6Network


def hosts_of(text: str) -> tuple[str, ...]:
    """`pypi.example,github.example:8443` as `name:port` each; without a port, that of HTTPS. Raises InvalidInput."""
    found = tuple(dict.fromkeys(_joined(*_host(one)) for one in text.split(",") if one.strip()))
    if not 0 < len(found) <= HOSTS_MAX:
        raise InvalidInput(f"a job names one to {HOSTS_MAX} hosts", fix="--network pypi.example,github.example:8443")
    return found


@dataclass(frozen=True, slots=True)
class Listed:
    """What the operator lets jobs reach: names, `*.` before one for all below it, each with its port; and `addresses`, private ones
    among them, to which a name may lead.
    """

    names: tuple[tuple[str, int], ...] = ()
    addresses: tuple[Block, ...] = ()

    def permits(self, host: str) -> bool:
        """host: `name:port`."""
        name, _, port = host.rpartition(":")
        address = _address(name.strip("[]"))
        if address is not None:
            return any(address in block for block in self.addresses)
        return any(int(port) == its and _matches(name, pattern) for pattern, its in self.names)


NONE_LISTED = Listed()


def listed(text: str) -> Listed:
    """The setting: `pypi.example, *.files.example:8443, 10.1.2.0/24`. Raises InvalidInput on what is none of these."""
    names, addresses = [], []
    for one in (word.strip() for word in text.split(",")):
        if not one:
            continue
        try:
            addresses.append(ipaddress.ip_network(one))
        except ValueError:
            wild = "*." if one.startswith("*.") else ""
            name, port = _host(one.removeprefix("*."))
            names.append((wild + name, port))
    return Listed(tuple(names), tuple(addresses))


def _host(text: str) -> tuple[str, int]:
    """Lower case, without the root's dot. Only plain names and addresses: other spellings of an address are none."""
    text = text.strip().lower()
    bracketed = _BRACKETED.fullmatch(text)
    name, _, port = (bracketed[1], "", bracketed[2] or "") if bracketed else text.partition(":")
    name = name.removesuffix(".")
    fits = _address(name) is not None or (_NAME.fullmatch(name) and len(name) <= 253 and _ends_as_name(name))
    if not fits or (port and (not _PORT.fullmatch(port) or int(port) > 65_535)):
        raise InvalidInput(f"{text[:80]!r} is no host", fix="write NAME or NAME:PORT, such as pypi.example:443")
    return name, int(port or PORT_USUAL)


def _ends_as_name(name: str) -> bool:
    """No name ends in digits: 2130706433 and 0x7f.1 are addresses to some readers."""
    return re.fullmatch(r"[0-9]+|0x[0-9a-f]*", name.rpartition(".")[2]) is None


def _joined(name: str, port: int) -> str:
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _matches(name: str, pattern: str) -> bool:
    return name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern
