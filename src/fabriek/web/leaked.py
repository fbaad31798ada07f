"""A token in an address is never taken, and what opened something until then is revoked: it stands in the logs of whoever carried the request.

Only who has a secret can have it revoked so, and who has a secret that is not theirs should be helped to lose it.
"""

import re
from collections.abc import Callable, Sequence
from typing import Protocol
from urllib.parse import parse_qsl, unquote

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fabriek.kernel.errors import FabriekError, NotAuthenticated

NAMES = frozenset({"token", "access_token", "api_key", "apikey", "authorization", "bearer", "private_token"})
"""What others call a token in an address: older tokens of ours do not begin so that they can be known."""

TOKEN = re.compile(r"fbk_[A-Za-z0-9_-]{20,}")
ASKED_MAX = 8
"""Of one address. More are not looked up: whoever sends them pays for their own."""


class Revoking(Protocol):
    """What is needed of whoever keeps secrets."""

    def revoke_leaked(self, secrets: Sequence[str]) -> int:
        """Ends those of them that are ours, whatever they opened; how many."""


def seen_in(path: str, query: bytes) -> list[str]:
    """What could be secrets of ours in an address, which has not been looked at otherwise. Nearly always empty."""
    if b"=" not in query and "fbk_" not in path and b"fbk_" not in query:
        return []
    said = unquote(query.decode("latin-1"))
    found = TOKEN.findall(path) + TOKEN.findall(said)
    found += [
        value.strip().removeprefix("Bearer ").strip()
        for name, value in parse_qsl(query.decode("latin-1"))
        if name.lower() in NAMES and len(value) <= 300
    ]
    return list(dict.fromkeys(found))[:ASKED_MAX]


class Leaked:
    """ASGI middleware: looks at addresses before anything else does."""

    def __init__(
        self, app: ASGIApp, *, access: Sequence[Revoking], answer: Callable[[FabriekError, str], Response]
    ) -> None:
        """access: each that keeps secrets of ours."""
        self._app, self._access, self._answer = app, access, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (secrets := seen_in(scope["path"], scope["query_string"])):
            ended = 0
            for one in self._access:
                ended += await run_in_threadpool(one.revoke_leaked, secrets)
            if ended:
                refusal = NotAuthenticated(
                    "a token came in the address, where logs keep it; it is revoked and opens nothing any more",
                    rule="token.in_address",
                    fix="fabriek token create NAME, and send it in the header: Authorization: Bearer TOKEN",
                )
                request_id = str(scope.get("state", {}).get("request_id", ""))
                await self._answer(refusal, request_id)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def hidden(path: str) -> str:
    """A path as logs may have it."""
    return TOKEN.sub("fbk_[hidden]", path)
