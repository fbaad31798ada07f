"""What wraps every request: its id, the size of its body, the headers that browsers obey, one log line, and the counts for /metrics."""

import logging
import re
import threading
from collections import Counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.ids import Ids
from fabriek.web.leaked import hidden

log = logging.getLogger("fabriek.request")

BODY_BYTES_MAX = 80 * 2**20
"""The largest body anywhere: one sealed part of 64 MiB with room to spare. Routes with smaller needs are bounded by their schemas."""

JSON_BYTES_MAX = 4 * 2**20
"""A commit names every object of its version: 200,000 of them take 6.6 MB."""

STREAMED = re.compile(
    r"/mlflow-artifacts/artifacts/|/package-requests/[^/]+/files/|^/api/v1/(arrivals/[^/]+|uploads/[^/]+/files|"
    r"projects/[^/]+/datasets/[^/]+/files|projects/[^/]+/base-models/contents/[^/]+)$"
)
STREAMED_BYTES_MAX = 256 * 2**30
"""A file of a run or a base model, a wheel, or a file by tus, is sealed while it arrives, so that its size is a question of room on the disk
and not of memory. No other route: their bodies are gathered before anybody asks who sends them.
"""

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_ASKED_OF_MODEL = re.compile(
    r"^(/serve/[^/]*/[^/]*/)(?!(?:v1/(?:chat/completions|completions|embeddings|models)|invocations|ping|health|version)$).*",
    re.DOTALL,
)
"""What stands behind the address of a served model, unless it is one of the calls that there are."""

_OPENS = re.compile(r"(/sign-in/|^/invitations/).+")
_ASKED_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}")


class Counts:
    """Requests by method and status class, and the seconds they took: bounded labels, never a name of anybody."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.requests: Counter[tuple[str, str]] = Counter()
        self.seconds = 0.0

    def add(self, method: str, status: int, seconds: float) -> None:
        known = method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} else "other"
        with self._lock:
            self.requests[known, f"{status // 100}xx"] += 1
            self.seconds += seconds


class Envelope:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, *, clock: Clock, ids: Ids, counts: Counts) -> None:
        self._app, self._clock, self._ids, self._counts = app, clock, ids, counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = headers.get("x-request-id", "")
        request_id = asked if _ASKED_ID.fullmatch(asked) else self._ids.new("req")
        scope.setdefault("state", {})["request_id"] = request_id
        started, status, started_to_answer = self._clock.monotonic(), 500, False

        async def send_wrapped(message: Message) -> None:
            nonlocal status, started_to_answer
            if message["type"] == "http.response.start":
                status, started_to_answer = message["status"], True
                out = MutableHeaders(scope=message)
                out["X-Request-Id"] = request_id
                for name, value in SECURITY_HEADERS.items():
                    out.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, _bounded(receive, headers, scope["path"]), send_wrapped)
        except Exception as fault:
            if started_to_answer:
                raise
            await self._answer(fault, scope, receive, send_wrapped)
        finally:
            seconds = self._clock.monotonic() - started
            self._counts.add(scope["method"], status, seconds)
            log.info(
                "%s %s %s", scope["method"], _logged_path(scope["path"]), status,
                extra={"request_id": request_id, "milliseconds": round(seconds * 1000, 1)},
            )  # fmt: skip

    async def _answer(self, fault: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        """A fault is answered in here: outside of us, where the framework does it, the answer would lack its id and its headers."""
        handler = scope["app"].exception_handlers.get(Exception)
        if handler is None:
            raise fault
        response = await handler(Request(scope, receive), fault)
        await response(scope, receive, send)


def _body_bytes_max(headers: Headers, path: str) -> int:
    """A file that is itself JSON comes with that type too, and is a file: MLflow's client says what a file's name ends in."""
    if STREAMED.search(path):
        return STREAMED_BYTES_MAX
    return JSON_BYTES_MAX if headers.get("content-type", "").startswith("application/json") else BODY_BYTES_MAX


def _bounded(receive: Receive, headers: Headers, path: str) -> Receive:
    """Stops a body before its first byte when its Content-Length says too much, else once it passes the limit. The error comes
    where the body is read, so that each route says it in its own words.
    """
    limit, seen = _body_bytes_max(headers, path), 0
    length = headers.get("content-length", "0")
    announced = int(length) if length.isdigit() else 0

    async def bounded() -> Message:
        nonlocal seen
        message: Message = {} if announced > limit else await receive()
        seen += len(message.get("body", b""))
        if max(seen, announced) > limit:
            raise InvalidInput(f"the body is larger than {limit} bytes", fix="send it in parts")
        return message

    return bounded


def _logged_path(path: str) -> str:
    """The path without what opens doors, since the link of a sign-in or an invitation does, and without what might have been asked of a model."""
    return hidden(_ASKED_OF_MODEL.sub(r"\1[hidden]", _OPENS.sub(r"\1[hidden]", path)))
