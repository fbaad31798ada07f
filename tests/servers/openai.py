"""A small server in OpenAI's shape, in its own process or in a test's: it answers with the words it was asked, last first, and behaves as badly
as the last message says.

`python openai.py PORT` serves on 127.0.0.1, prints every request as servers of models like to do, and needs nothing but the standard library.
"""

import json
import os
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

GO_ON = threading.Event()
"""What a stream that was asked to `wait` waits for, after its first part."""

SEEN: list[dict[str, Any]] = []
"""What came, as it came: path, headers, body."""


class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._whole(200, {"object": "list", "data": [{"id": "inside", "object": "model"}]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        asked = json.loads(body)
        sys.stdout.write(f"prompt: {asked}\n")
        sys.stdout.flush()
        SEEN.append({"path": self.path, "headers": dict(self.headers), "asked": asked})
        said = str(asked["messages"][-1]["content"] if "messages" in asked else asked.get("prompt", asked.get("input")))
        words = said.split()
        usage = {"prompt_tokens": 3, "completion_tokens": len(words), "total_tokens": 3 + len(words)}
        bad = getattr(self, f"_{words[0].replace('-', '_')}", None) if words else None
        if bad is not None:
            bad(asked)
        elif asked.get("stream"):
            self._stream(words[::-1], usage if (asked.get("stream_options") or {}).get("include_usage") else None)
        else:
            text = " ".join(words[::-1])
            choice = {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "text": text,
                "finish_reason": "stop",
            }
            self._whole(
                200,
                {
                    "id": "x",
                    "object": "chat.completion",
                    "created": 1,
                    "model": "inside",
                    "choices": [choice],
                    "usage": usage,
                },
            )

    def log_message(self, *_said: object) -> None:
        return

    def _whole(self, status: int, said: Any, kind: str = "application/json") -> None:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", "theirs=1")
        self.end_headers()
        self.wfile.write(body)

    def _begin(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def _event(self, choices: list[Any], **more: Any) -> None:
        event = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "inside", "choices": choices}
        self.wfile.write(b"data: " + json.dumps(event | more).encode() + b"\n\n")
        self.wfile.flush()

    def _part(self, word: str) -> None:
        self._event(
            [{"index": 0, "delta": {"role": "assistant", "content": f"{word} "}, "text": word, "finish_reason": None}]
        )

    def _stream(self, words: list[str], usage: dict[str, int] | None) -> None:
        self._begin()
        for word in words:
            self._part(word)
        self._event([{"index": 0, "delta": {}, "finish_reason": "stop"}])
        if usage:
            self._event([], usage=usage)
        self.wfile.write(b"data: [DONE]\n\n")

    def _wait(self, _asked: Any) -> None:
        self._begin()
        self._part("first")
        GO_ON.wait(30)
        self._part("second")
        self.wfile.write(b"data: [DONE]\n\n")

    def _die(self, _asked: Any) -> None:
        """After two parts."""
        self._begin()
        self._part("one")
        self._part("two")

    def _garbage(self, _asked: Any) -> None:
        self.wfile.write(b"\x00\x01 this is no HTTP\r\n\r\n")
        self.close_connection = True

    def _garbled(self, _asked: Any) -> None:
        self._begin()
        self._part("one")
        self.wfile.write(b"data: {not json\n\n")

    def _no_json(self, _asked: Any) -> None:
        self._whole(200, b"<h1>hello</h1>")

    def _page(self, _asked: Any) -> None:
        self._whole(200, b"<script>1</script>", "text/html")

    def _short(self, _asked: Any) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"a"')
        self.close_connection = True

    def _hang(self, _asked: Any) -> None:
        GO_ON.wait(30)

    def _silent(self, _asked: Any) -> None:
        """After one part."""
        self._begin()
        self._part("one")
        GO_ON.wait(30)

    def _no_usage(self, _asked: Any) -> None:
        self._whole(200, {"choices": [{"message": {"content": "twelve signs"}}]})

    def _lies(self, _asked: Any) -> None:
        self._whole(200, {"choices": [], "usage": {"prompt_tokens": -5, "completion_tokens": 10**30}})

    def _refuse(self, _asked: Any) -> None:
        self._whole(
            400,
            {
                "error": {
                    "message": "too long",
                    "type": "invalid_request_error",
                    "param": None,
                    "code": "context_length_exceeded",
                }
            },
        )

    def _elsewhere(self, _asked: Any) -> None:
        self.send_response(302)
        self.send_header("Location", "http://169.254.169.254/latest/meta-data")
        self.send_header("Content-Length", "0")
        self.end_headers()


class _AtDoor(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def get_request(self) -> tuple[Any, Any]:
        request, _ = super().get_request()
        return request, ("door", 0)

    def handle_error(self, *_said: object) -> None:
        """A caller who leaves is no error."""


@contextmanager
def at_door(socket: Path) -> Iterator[None]:
    """In a thread of this process, on a socket file."""
    SEEN.clear()
    GO_ON.clear()
    folder = os.open(socket.parent, os.O_PATH)  # a socket's path may not be longer than some hundred characters
    server = _AtDoor(f"/proc/self/fd/{folder}/{socket.name}", Model)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        GO_ON.set()
        server.shutdown()
        server.server_close()
        os.close(folder)
        socket.unlink(missing_ok=True)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Model).serve_forever()
