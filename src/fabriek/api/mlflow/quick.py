"""The short way for points: a training loop's call is answered before the layers that every other request passes.

Only the plain case is taken: a token that holds, a body of points alone, and the answer that all is kept. Whatever is
otherwise goes the long way with its body, and gets its answer, its refusal and its line in the log there.
"""

import re
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fabriek.api.mlflow import bodies
from fabriek.api.mlflow.appending import APPENDING, Remembered
from fabriek.lab.appending import Appending
from fabriek.web.envelope import JSON_BYTES_MAX, SECURITY_HEADERS, Counts

_PATH = re.compile(r"(?:/lab/([^/]+))?/api/2\.0/mlflow(/runs/log-(?:metric|batch))")
_REFUSED_HEADERS = (b"content-encoding", b"x-request-id", b"transfer-encoding")
"""Whoever sends these wants the long way: another encoding is refused there, and a request id is answered with."""

_DONE: Sequence[Message] = (
    {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", b"2"),
            *((name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()),
        ],
    },
    {"type": "http.response.body", "body": b"{}"},
)


class Quick:
    """ASGI middleware around everything else."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        appending: Appending,
        remembered: Remembered,
        counts: Counts,
        is_open: Callable[[], Awaitable[bool]],
    ) -> None:
        """is_open: whether the installation is not sealed."""
        self._app, self._appending, self._remembered = app, appending, remembered
        self._counts, self._is_open = counts, is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        seen: list[Message] = []
        if await self._keeps(scope, receive, seen, found[1] or "", found[2]):
            for message in _DONE:
                await send(message)
        else:
            await self._app(scope, _again(seen, receive), send)

    async def _keeps(self, scope: Scope, receive: Receive, seen: list[Message], project: str, call: str) -> bool:
        """Whether the points were kept. `seen`: what was read of the body on the way."""
        authorization, length = "", 0
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value.decode("latin-1")
            elif name == b"content-length" and value.isdigit():
                length = int(value)
            elif name in _REFUSED_HEADERS:
                return False
        if not 0 < length <= JSON_BYTES_MAX or not await self._is_open():
            return False
        try:
            known = self._remembered.known(authorization, project)
            caller, acted_in = known or await self._remembered.of(_request(scope, project))
            raw = await _body(receive, seen, length)
            body = bodies.read(raw)
            points = APPENDING[call][0](body)
            if points is None:
                return False
            await self._appending.append(acted_in, body.get("run_id") or body.get("run_uuid"), points, by=caller)
        except Exception:  # noqa: BLE001  # whatever it is, it happens again on the long way, which has the words for it
            return False
        self._counts.add("POST", 200, 0.0)
        return True


def _request(scope: Scope, project: str) -> Request:
    return Request({**scope, "path_params": {"project": project}})


async def _body(receive: Receive, seen: list[Message], length: int) -> bytes:
    """As much as was announced, or less where the client went away."""
    pieces: list[bytes] = []
    total = 0
    while total < length:
        message = await receive()
        seen.append(message)
        piece = message.get("body", b"")
        pieces.append(piece)
        total += len(piece)
        if not message.get("more_body"):
            break
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _again(seen: list[Message], receive: Receive) -> Receive:
    """What was read already, then what comes."""
    pending = iter(seen)

    async def received() -> Message:
        return next(pending, None) or await receive()

    return received
