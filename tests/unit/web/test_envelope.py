"""How large a body may be is judged before it is read, by the route that it goes to."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from fabriek.kernel.clock import SystemClock
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.ids import RandomIds
from fabriek.web.envelope import BODY_BYTES_MAX, STREAMED_BYTES_MAX, Counts, Envelope


def announce(path: str, size: int, kind: str = "application/octet-stream") -> None:
    """Sends a request whose body is said to be so large to an app that reads it."""

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Message) -> None:
        return

    headers = [(b"content-type", kind.encode()), (b"content-length", str(size).encode())]
    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "path": path, "headers": headers, "app": SimpleNamespace(exception_handlers={}),
    }  # fmt: skip
    asyncio.run(Envelope(app, clock=SystemClock(), ids=RandomIds(), counts=Counts())(scope, receive, send))


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/package-requests/pkg_1/approve", "/api/v1/package-requests/pkg_1/ready", "/api/v1/package-requests",
        "/api/v1/projects/lab/package-requests", "/api/v1/package-requests//files/x.whl", "/api/v1/projects",
    ],
)  # fmt: skip
def test_no_body_that_is_gathered_in_memory_is_larger_than_one_part(path: str) -> None:
    announce(path, BODY_BYTES_MAX)
    with pytest.raises(InvalidInput, match="larger than"):
        announce(path, BODY_BYTES_MAX + 1)


@pytest.mark.parametrize(
    "path",
    ["/api/v1/package-requests/pkg_1/files/x.whl", "/lab/x/api/2.0/mlflow-artifacts/artifacts/1/run/artifacts/a"],
)
def test_what_is_sealed_while_it_arrives_may_be_larger(path: str) -> None:
    """A file that is itself JSON, as its client says, too."""
    for kind in ("application/octet-stream", "application/json"):
        announce(path, BODY_BYTES_MAX + 1, kind)
        with pytest.raises(InvalidInput, match="larger than"):
            announce(path, STREAMED_BYTES_MAX + 1, kind)
