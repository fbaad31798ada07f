"""Heads on their way through the gate: nothing of ours goes to the app, nothing of the app's reaches another origin, nothing is ambiguous."""

import pytest

from fabriek.gate.heads import COOKIE, read_request, to_app, to_visitor
from fabriek.kernel.errors import InvalidInput

HOST = "job-01.localhost:8471"


def request(*lines: str, first: str = "GET /lab?x=1 HTTP/1.1") -> bytes:
    return "\r\n".join([first, f"Host: {HOST}", *lines, "", ""]).encode("latin-1")


def test_the_visitors_secret_stays_here_and_the_apps_cookies_go_on() -> None:
    asked = read_request(request(f"Cookie: a=1; {COOKIE}=secret; b=2", "X-Extra: yes"))
    assert asked.cookie == "secret"
    passed = to_app(asked).decode()
    assert passed.startswith("GET /lab?x=1 HTTP/1.1\r\n")
    assert "secret" not in passed
    assert "cookie: a=1; b=2\r\n" in passed
    assert "x-extra: yes\r\n" in passed


def test_one_request_for_each_connection_unless_the_protocol_changes() -> None:
    assert "connection: close\r\n" in to_app(read_request(request("Connection: keep-alive", "TE: trailers"))).decode()
    asked = read_request(request("Connection: keep-alive, Upgrade", "Upgrade: websocket"))
    passed = to_app(asked).decode()
    assert "connection: Upgrade\r\nupgrade: websocket\r\n" in passed
    assert "keep-alive" not in passed


@pytest.mark.parametrize(
    "head",
    [
        request("Content-Length: 5", "Content-Length: 6"),
        request("Content-Length: 5", "Transfer-Encoding: chunked", "Transfer-Encoding: x"),
        request("Content-Length: -1"),
        request("Host: other"),
        request(" folded: x", "bad header"),
        request("X: a\x00b"),
        request(first="GET / HTTP/1.0"),
        request(first="GET /a b HTTP/1.1"),
        b"\x16\x03\x01\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_two_readers_could_read_in_two_ways_is_refused(head: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_request(head)


@pytest.mark.parametrize(
    ("origin", "elsewhere"),
    [
        ("", False),
        (f"http://{HOST}", False),
        ("http://localhost:8470", True),
        ("http://job-02.localhost:8471", True),
        ("null", True),
    ],
)
def test_pages_of_other_origins_are_told_apart(origin: str, elsewhere: bool) -> None:  # noqa: FBT001  # a table's column
    lines = [f"Origin: {origin}"] if origin else []
    assert read_request(request(*lines)).comes_from_elsewhere() is elsewhere


def test_an_app_sets_cookies_for_its_own_host_alone_and_never_ours() -> None:
    head = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/; Domain=localhost; Secure\r\nSet-Cookie: fabriek_door=x\r\n"
    head += b"Referrer-Policy: unsafe-url\r\n\r\n"
    said = to_visitor(head, read_request(request())).decode()
    assert "set-cookie: a=1; Path=/; Secure\r\n" in said
    assert "fabriek_door" not in said
    assert said.count("referrer-policy") == 1
    assert "same-origin" in said


def test_an_app_that_does_not_speak_http_is_not_passed_on() -> None:
    for head in (b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n"):
        with pytest.raises(InvalidInput):
            to_visitor(head, read_request(request()))
