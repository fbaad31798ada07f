"""What the client makes of a server that breaks off."""

import socket
import threading

import pytest

from fabriek.kernel.errors import Unavailable
from fabriek.sdk.client import Client

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nContent-Range: bytes 0-99/100\r\n\r\n"


@pytest.mark.parametrize("body", [b"", b"x" * 60])
def test_an_answer_that_ends_before_its_object_is_a_broken_line_and_no_damage(body: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for _ in range(3):
                with listening.accept()[0] as line:
                    line.recv(4_096)
                    line.sendall(ANSWER + body)

        threading.Thread(target=serve, daemon=True).start()
        client = Client(f"http://127.0.0.1:{listening.getsockname()[1]}")
        with pytest.raises(Unavailable):
            list(client.fetch_sealed("/object", piece_bytes=50))
        with pytest.raises(Unavailable):
            client.fetch_range("/object", 0, 100)
        client.close()
