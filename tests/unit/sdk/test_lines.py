"""A line that ends before its time is an error, whichever way it ends, and never a short answer."""

import socket
import threading
from collections.abc import Iterator

import pytest

from fabriek.kernel.errors import InvalidInput, Unavailable
from fabriek.sdk.client import Client
from fabriek.sdk.lines import Lines


@pytest.fixture
def breaking_off() -> Iterator[str]:
    """A server that announces ten bytes, sends four and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line:
                line.recv(65_536)
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_body_that_breaks_off_is_not_taken_for_whole(breaking_off: str) -> None:
    client = Client(breaking_off, "token")
    with pytest.raises(Unavailable, match="broke off"):
        b"".join(client.fetch_sealed("/object", piece_bytes=4))
    client.close()


def test_lines_that_were_closed_stay_closed(breaking_off: str) -> None:
    lines = Lines(breaking_off, "")
    lines.close()
    with pytest.raises(ConnectionError), lines.get("/object", {}):
        pass


@pytest.mark.parametrize("address", ["file:///etc/passwd", "obj_1", "", "memory:1"])
def test_what_is_no_address_of_a_store_is_not_followed(address: str) -> None:
    client = Client("http://127.0.0.1:9", "token")
    with pytest.raises(InvalidInput):
        client.lines_to(address)
    client.close()


def test_the_store_is_not_told_our_token() -> None:
    client = Client("http://127.0.0.1:9", "token")
    lines, path = client.lines_to("http://127.0.0.1:9/bucket/objects/obj_1?X-Amz-Signature=1")
    assert (lines._headers, path) == ({}, "/bucket/objects/obj_1?X-Amz-Signature=1")
    client.close()
