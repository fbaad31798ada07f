"""What a proxy is asked, read so that no two readers could read it in two ways."""

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.node.proxy_requests import read_request


def test_a_tunnel_names_its_host() -> None:
    asked = read_request(b"CONNECT PyPI.example:443 HTTP/1.1\r\nHost: other.example\r\n\r\n")
    assert (asked.host, asked.forward) == ("pypi.example:443", b"")
    assert read_request(b"CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: x\r\n\r\n").host == "[2001:db8::1]:443"


def test_a_plain_request_goes_on_for_its_own_host_and_ends_the_connection() -> None:
    head = (
        b"GET http://files.example:8080/a?b=c HTTP/1.1\r\nHost: other.example\r\nProxy-Authorization: secret\r\n"
        b"Connection: keep-alive\r\nAccept: */*\r\n\r\n"
    )
    asked = read_request(head)
    assert asked.host == "files.example:8080"
    assert asked.forward == (
        b"GET /a?b=c HTTP/1.1\r\nhost: files.example:8080\r\naccept: */*\r\nconnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET https://a.example/ HTTP/1.1\r\nHost: x\r\n\r\n", b"CONNECT a.example HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT user@a.example:443 HTTP/1.1\r\nHost: x\r\n\r\n", b"CONNECT a.example:99999 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT :443 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET http:///x HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"\r\n\r\n",
        b"GET http://a.example/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\nHost: x\r\n\r\n",
        b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_plain_question_to_a_proxy_is_refused(head: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_request(head)
