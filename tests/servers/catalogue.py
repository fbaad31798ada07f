"""A catalogue elsewhere: a real HTTP server that answers at each path what the test says, and counts what was asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.servers.certificates import server_context


@dataclass(frozen=True)
class Page:
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/ld+json"})
    status: int = 200
    slow_seconds: float = 0.0
    """Between one byte and the next."""

    announced: int | None = None
    """The length that it says it has, where that is not so."""


@dataclass
class Elsewhere:
    """`pages`: path → what is there. `asked`: path and headers of each request."""

    url: str = ""
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)


@contextmanager
def elsewhere(certificate: Path | None = None) -> Iterator[Elsewhere]:
    made = Elsewhere()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            page = made.pages.get(self.path, Page(b"nothing", status=404))
            self.send_response(page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(page.body) if page.announced is None else page.announced))
            self.end_headers()
            with suppress(OSError):
                if not page.slow_seconds:
                    self.wfile.write(page.body)
                    return
                for at in range(len(page.body)):
                    self.wfile.write(page.body[at : at + 1])
                    if made.done.wait(page.slow_seconds):
                        return

        def log_message(self, *_: object) -> None:
            """Tests look at what was asked."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that leaves half-way is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        server.socket = server_context(certificate).wrap_socket(server.socket, server_side=True)
    made.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.done.set()
        server.shutdown()
        thread.join()
        server.server_close()
