"""One call carried to the job's own door and back: bounded in size and time, cut off where its key ends, and counted once, however it ends.

What is asked and what is answered is in memory while it passes, and nowhere else.
"""

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fabriek.api.serving.answers import Events, Garbled, of_whole
from fabriek.api.serving.refusals import event_of
from fabriek.compute.serving.keys import Answered
from fabriek.kernel.errors import Unavailable

ANSWER_BYTES_MAX = 32 * 2**20
"""Of an answer in one piece: a batch of embeddings or predictions."""

CONNECT_SECONDS_MAX = 5.0
LOOK_SECONDS = 15.0
"""How often it is asked, during a long answer, whether its key still opens anything."""

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Never used, since a socket file is spoken to in plain. Without it, each call would read the authorities of the whole world from the disk."""

JSON, EVENTS = "application/json", "text/event-stream"
WHOLE = frozenset({JSON, "text/plain", "text/csv"})
"""What an answer in one piece may be. A page is none of these: it would stand at our address."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it goes on: nothing of the caller's headers but what the body is. `says_tokens`: its answer says what it took."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = JSON
    says_tokens: bool = True
    drops_usage: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """Where a call is written down, durably: `count` what was answered, or `give_back` what was taken for an answer that never was."""

    count: Callable[[Answered], None]
    give_back: Callable[[], None]
    still_opens: Callable[[], bool]


def bad(detail: str, status: int = 502) -> Unavailable:
    """The model's server answered, and not as it should; or it did not."""
    return Unavailable(detail, fix="tell who serves the model", status=status)


@asynccontextmanager
async def asked(door: Path, call: Call, silence_seconds: float) -> AsyncIterator[httpx.Response]:
    """The head of the answer, its body still to come. The socket is held by a descriptor of its own: the folder is the job's, so that a link in
    the socket's place would be of the job's choosing, and is not followed. Raises Unavailable.
    """
    try:
        held = os.open(door, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        raise _not_yet() from None
    try:
        limits = httpx.Timeout(silence_seconds, connect=CONNECT_SECONDS_MAX)
        transport = httpx.AsyncHTTPTransport(uds=f"/proc/self/fd/{held}", verify=NO_TLS)
        headers = {"Host": "model", "Content-Type": call.content_type, "Accept-Encoding": "identity"}
        async with httpx.AsyncClient(transport=transport, timeout=limits, trust_env=False) as client:
            request = client.build_request(call.method, f"http://model{call.path}", content=call.body, headers=headers)
            try:
                answer = await client.send(request, stream=True)
            except httpx.TimeoutException:
                raise bad(f"the model's server was silent for {silence_seconds:g} s", 504) from None
            except httpx.HTTPError as error:
                raise _failed(error) from None
            try:
                yield answer
            finally:
                await answer.aclose()
    finally:
        os.close(held)


def _failed(error: httpx.HTTPError) -> Unavailable:
    if isinstance(error, httpx.RemoteProtocolError) and "without sending" not in str(error):
        return bad("the model's server answered with what is no HTTP")
    return _not_yet()


def _not_yet() -> Unavailable:
    """The door stands before anybody listens behind it."""
    return Unavailable(
        "the model's server does not answer yet, or not any more", fix="try again in a moment", retry_after_seconds=2
    )


class Exchange:
    """One call and its answer. It holds the line from `answered` on, until the answer is over."""

    def __init__(self, call: Call, account: Account, silence_seconds: float) -> None:
        self.call, self.account, self._silence = call, account, silence_seconds
        self._line = AsyncExitStack()
        self._taken: Answered | None = None

    async def answered(self, door: Path) -> Response:
        """The whole answer, or one that begins and goes on as a stream. Raises Unavailable for one that is none; then nothing is counted."""
        handed_over = False
        try:
            answer = await self._line.enter_async_context(asked(door, self.call, self._silence))
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            if answer.status_code == 200 and kind == EVENTS and self.call.says_tokens:
                handed_over = True
                return Stream(self, answer)
            return await self._whole(answer, kind)
        finally:
            if not handed_over:
                await asyncio.shield(asyncio.ensure_future(self.over()))

    async def over(self, taken: Answered | None = None) -> None:
        """Lets go of the line, and writes down what was taken, or that nothing was. Nothing of it may be cut off half way."""
        await self._line.aclose()
        taken = taken or self._taken
        if taken is None:
            await run_in_threadpool(self.account.give_back)
        else:
            await run_in_threadpool(self.account.count, taken)

    async def _whole(self, answer: httpx.Response, kind: str) -> Response:
        body = bytearray()
        try:
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > ANSWER_BYTES_MAX:
                    raise bad(f"the model's server answered with more than {ANSWER_BYTES_MAX} bytes")
        except httpx.TimeoutException:
            raise bad(f"the model's server was silent for {self._silence:g} s within its answer", 504) from None
        except httpx.HTTPError:
            raise bad("the model's server broke off its answer") from None
        status = answer.status_code
        if not (200 <= status < 300 or 400 <= status < 600):
            raise bad(f"the model's server answered {status}")
        if status >= 400 and (kind != JSON or not _is_object(bytes(body))):
            raise bad(f"the model's server answered {status}", status)
        if kind not in WHOLE or answer.headers.get("content-encoding"):
            raise bad("the model's server answered with another kind of content")
        if status < 400:
            self._taken = self._cost(bytes(body))
        return Response(bytes(body), status, media_type=kind)

    def _cost(self, body: bytes) -> Answered:
        if not self.call.says_tokens:
            return Answered()
        try:
            return of_whole(body, len(self.call.body))
        except Garbled as error:
            raise bad(str(error)) from None


class Stream(Response):
    """Server-sent events, each handed on as it comes: counted when they are over, were cut off, or their reader has left."""

    def __init__(self, exchange: Exchange, answer: httpx.Response) -> None:
        super().__init__()
        self._exchange, self._answer = exchange, answer
        self._events = Events(len(exchange.call.body), exchange.call.drops_usage)
        self._is_counted = False

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        carrying = asyncio.ensure_future(self._carry(send))
        leaving, ending = (
            asyncio.ensure_future(_left(receive)),
            asyncio.ensure_future(key_ended(self._exchange.account)),
        )
        try:
            await asyncio.wait({carrying, leaving, ending}, return_when=asyncio.FIRST_COMPLETED)
            if ending.done() and not carrying.done():
                carrying.cancel()
                await asyncio.wait({carrying})
                await self._count()
                await _send(send, event_of("this key has ended"), more=False)
        finally:
            for one in (carrying, leaving, ending):
                one.cancel()
            await asyncio.gather(carrying, leaving, ending, return_exceptions=True)
            await self._count()

    async def _count(self) -> None:
        """Once, and to its end, whatever becomes of the caller."""
        if not self._is_counted:
            self._is_counted = True
            await asyncio.shield(asyncio.ensure_future(self._exchange.over(self._events.answered())))

    async def _carry(self, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        last = b""
        try:
            async for piece in self._answer.aiter_raw():
                for event in self._events.feed(piece):
                    if self._events.is_done:
                        last = event
                        break
                    await _send(send, event, more=True)
                if last:
                    break
        except httpx.TimeoutException:
            last = event_of("the model's server fell silent within its answer")
        except httpx.HTTPError:
            last = event_of("the model's server broke off its answer")
        except Garbled as error:
            last = event_of(str(error))
        # What says that the answer is whole is said once it is counted.
        await self._count()
        await _send(send, last or event_of("the model's server ended before its answer did"), more=False)


async def key_ended(account: Account) -> None:
    """Returns when the key opens nothing any more."""
    opens = True
    while opens:
        await asyncio.sleep(LOOK_SECONDS)
        opens = await run_in_threadpool(account.still_opens)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


async def _send(send: Send, body: bytes, *, more: bool) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


def _is_object(body: bytes) -> bool:
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict)
