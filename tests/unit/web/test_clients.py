"""Where a request comes from: a header says it only where a trusted proxy wrote it."""

import pytest
from fastapi import Request

from fabriek.settings import Settings
from fabriek.web.clients import address_of


@pytest.mark.parametrize(
    ("trusted", "peer", "headers", "found"),
    [
        ("", "203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("", "127.0.0.1", ["198.51.100.1"], "127.0.0.1"),
        ("10.0.0.2", "203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("10.0.0.2", "10.0.0.2", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.2", "10.0.0.2", ["192.0.2.66, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.2", "10.0.0.2", ["192.0.2.66", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.0/24, 10.1.0.1", "10.0.0.2", ["192.0.2.66, 198.51.100.1, 10.1.0.1"], "198.51.100.1"),
        ("10.0.0.2", "10.0.0.2", [], "10.0.0.2"),
        ("10.0.0.2", "10.0.0.2", ["198.51.100.1, <script>"], "10.0.0.2"),
        ("10.0.0.2", "10.0.0.2", [",,"], "10.0.0.2"),
        ("10.0.0.2", None, ["198.51.100.1"], ""),
    ],
)
def test_the_address_of_a_guest(trusted: str, peer: str | None, headers: list[str], found: str) -> None:
    scope = {
        "type": "http", "client": (peer, 1) if peer else None,
        "headers": [(b"x-forwarded-for", one.encode()) for one in headers],
    }  # fmt: skip
    assert address_of(Request(scope), Settings(trusted_proxies=trusted)) == found
