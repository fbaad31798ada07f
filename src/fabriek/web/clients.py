"""Where a request comes from: the connection says it, and a header only where a proxy that the operator trusts wrote it."""

from ipaddress import ip_address, ip_network

from fastapi import Request

from fabriek.settings import Settings


def address_of(request: Request, settings: Settings) -> str:
    """The client's address; of a chain of trusted proxies, the last address that none of them is. Empty on a socket file."""
    peer = request.client.host if request.client else ""
    if not settings.trusted_proxies or not _is_among(peer, settings.trusted_proxies):
        return peer
    chain = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    for one in reversed([part.strip() for part in chain if part.strip()]):
        if not _is_address(one):
            break
        peer = one
        if not _is_among(one, settings.trusted_proxies):
            break
    return peer


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_among(address: str, listed: str) -> bool:
    if not _is_address(address):
        return False
    return any(ip_address(address) in ip_network(one.strip(), strict=False) for one in listed.split(",") if one.strip())
