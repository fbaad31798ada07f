"""The address that programs call with a key: OpenAI's interface, or that of MLflow's scoring server.

Plain Starlette routes: the body goes on as it came, and no model of ours may quote it in an error.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from fabriek.api.serving.passing import JSON, Account, Call, Exchange, key_ended
from fabriek.api.serving.refusals import refusal
from fabriek.compute.serving.admitting import Admitted
from fabriek.compute.serving.keys import ServingKey
from fabriek.compute.serving.served import Kind, Served
from fabriek.kernel.errors import FabriekError, InvalidInput, NotAuthenticated, NotFound, RateLimited
from fabriek.web.callers import token_of
from fabriek.web.router import HOLDER, declare
from fabriek.web.services import Services

BODY_BYTES_MAX = 4 * 2**20
HEAD_BYTES_MAX = 32 * 1024
BODY_SECONDS_MAX = 60.0
ADDRESS = "/serve/{project}/{name}"
TOKENED = ("chat/completions", "completions", "embeddings")
SCORED = frozenset({JSON, "text/csv"})

Handler = Callable[[Request], Awaitable[Response]]


class Lines:
    """How many calls each key has open at this server."""

    def __init__(self, most: int) -> None:
        self._most, self._open = most, Counter[str]()

    def take(self, key: str) -> None:
        """Raises RateLimited where the key has as many as it may."""
        if self._open[key] >= self._most:
            raise RateLimited(
                f"this key has {self._most} calls open already", fix="wait for one to end", retry_after_seconds=1
            )
        self._open[key] += 1

    def release(self, key: str) -> None:
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]


def routes(services: Services) -> list[BaseRoute]:
    """Whoever holds a key, and nobody by a token of their own."""
    calls = Calls(services)
    made: list[tuple[str, str, Kind, Handler]] = [
        *((f"/v1/{one}", "POST", Kind.OPENAI, partial(calls.tokened, one)) for one in TOKENED),
        ("/v1/models", "GET", Kind.OPENAI, calls.models),
        ("/invocations", "POST", Kind.SCORING, calls.scored),
        *((f"/{one}", "GET", Kind.SCORING, partial(calls.looked, one)) for one in ("ping", "health", "version")),
        ("/{rest:path}", "*", Kind.OPENAI, calls.unknown),
    ]
    every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return [
        declare(Route(ADDRESS + path, _handled(handler, kind), methods=every if method == "*" else [method]), HOLDER)
        for path, method, kind, handler in made
    ]


def _handled(handler: Handler, kind: Kind) -> Handler:
    """Errors in the words of the interface that was asked for."""

    async def handled(request: Request) -> Response:
        try:
            return await handler(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as raw:  # noqa: BLE001  # this is the one handler of these routes
            return refusal(request, raw, kind)

    return handled


class Calls:
    """What may be asked for at the address of a served model."""

    def __init__(self, services: Services) -> None:
        self._services, self._admitting = services, services.admitting
        self._lines = Lines(services.settings.serving_calls_per_key)

    async def tokened(self, path: str, request: Request) -> Response:
        """A chat, a completion, or embeddings."""
        key, served = await self._known(request, Kind.OPENAI)
        body = await _body(request)
        asked = _object(body)
        model = str(asked.get("model", ""))
        if not served.is_called(model):
            raise NotFound(f"this address serves {served.name!r} and no other model", fix=f"model={served.name!r}")
        call = Call("POST", f"/v1/{path}", body)
        if asked.get("stream") and path != "embeddings":
            call = _with_usage(call, asked)
        return await self._carried(request, call, key)

    async def scored(self, request: Request) -> Response:
        """Predictions."""
        key, _ = await self._known(request, Kind.SCORING)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in SCORED:
            raise InvalidInput("the body is JSON or CSV", fix="say so: Content-Type: application/json", status=415)
        call = Call("POST", "/invocations", await _body(request), kind, says_tokens=False)
        return await self._carried(request, call, key)

    async def looked(self, path: str, request: Request) -> Response:
        """Whether it is well, and which version it speaks; costs nothing."""
        key, _ = await self._known(request, Kind.SCORING)
        return await self._carried(request, Call("GET", f"/{path}", says_tokens=False), key, free=True)

    async def models(self, request: Request) -> Response:
        """The one model there is, by the name that calls give; answered here."""
        _, served = await self._known(request, Kind.OPENAI)
        created = int(served.changed_at.timestamp())
        models = [{"id": served.name, "object": "model", "created": created, "owned_by": "fabriek"}]
        return JSONResponse({"object": "list", "data": models})

    async def unknown(self, request: Request) -> Response:
        """What is not spoken here is said to who has a key, and nothing to who has none."""
        await self._known(request, None)
        raise NotFound("there is no such call at this address", fix="see docs/howto/serving.md")

    async def _known(self, request: Request, kind: Kind | None) -> tuple[ServingKey, Served]:
        """Before the body is read: who has no key sends us nothing."""
        _check_head(request)
        where = request.path_params["project"], request.path_params["name"]
        key, served = await run_in_threadpool(self._admitting.known, token_of(request), *where)
        if kind is not None and served.kind is not kind:
            raise NotFound(
                f"{served.name} speaks {'OpenAI' if served.kind is Kind.OPENAI else 'MLflow scoring'}",
                fix="see docs/howto/serving.md",
            )
        return key, served

    async def _carried(self, request: Request, call: Call, key: ServingKey, *, free: bool = False) -> Response:
        """Asks for the key once more: it may have ended, or been spent, while the body came."""
        where = request.path_params["project"], request.path_params["name"]
        self._lines.take(key.id)
        try:
            admitted = await run_in_threadpool(self._admitting.admit, token_of(request), *where, free=free)
            answer = await self._exchanged(request, admitted, call, free=free)
        except BaseException:
            self._lines.release(key.id)
            raise
        return _Released(answer, partial(self._lines.release, key.id))

    async def _exchanged(self, request: Request, admitted: Admitted, call: Call, *, free: bool) -> Response:
        """The answer; where the caller leaves before it begins, or the key ends, the model is not kept at it."""
        admitting, key = self._admitting, admitted.key.id
        account = Account(
            (lambda _answered: None) if free else partial(admitting.count, key), (lambda: None) if free else partial(admitting.give_back, key),
            partial(admitting.still_opens, key),
        )  # fmt: skip
        exchange = Exchange(call, account, self._services.settings.serving_wait_seconds)
        answering = asyncio.ensure_future(exchange.answered(admitted.door))
        leaving, ending = asyncio.ensure_future(_left(request)), asyncio.ensure_future(key_ended(account))
        try:
            await asyncio.wait({answering, leaving, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                answering.cancel()
                await asyncio.wait({answering})
                raise ClientDisconnect if leaving.done() else NotAuthenticated("this key has ended")
            return answering.result()
        finally:
            for one in (answering, leaving, ending):
                one.cancel()


class _Released(Response):
    """An answer, and what is to be done once it is over."""

    def __init__(self, answer: Response, release: Callable[[], None]) -> None:
        super().__init__()
        self._answer, self._release = answer, release

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self._answer(scope, receive, send)
        finally:
            self._release()


def _check_head(request: Request) -> None:
    """Raises InvalidInput on a head that is larger than any that these clients send."""
    if sum(len(name) + len(value) for name, value in request.headers.raw) > HEAD_BYTES_MAX:
        raise InvalidInput(f"the headers are larger than {HEAD_BYTES_MAX} bytes", fix="send fewer", status=431)


async def _body(request: Request) -> bytes:
    """Raises InvalidInput on a body that is too large, or that does not come."""
    try:
        return await asyncio.wait_for(_gathered(request), BODY_SECONDS_MAX)
    except TimeoutError:
        raise InvalidInput("the body did not come in time", fix="send it at once", status=408) from None


async def _gathered(request: Request) -> bytes:
    too_large = InvalidInput(f"the body is larger than {BODY_BYTES_MAX} bytes", fix="send less at a time", status=413)
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > BODY_BYTES_MAX:
        raise too_large
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > BODY_BYTES_MAX:
                raise too_large
    except FabriekError:
        raise too_large from None
    return bytes(body)


def _object(body: bytes) -> dict[str, Any]:
    """Raises InvalidInput, without a word of what it was."""
    try:
        asked = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise InvalidInput("the body is not JSON") from None
    if not isinstance(asked, dict):
        raise InvalidInput("the body is not a JSON object")
    return asked


def _no_constant(_name: str) -> None:
    raise ValueError


def _with_usage(call: Call, asked: dict[str, Any]) -> Call:
    """Asks for the event with the usage where the caller did not, and notes that it is ours to keep."""
    said = asked.get("stream_options")
    wanted = said if isinstance(said, dict) else {}
    if wanted.get("include_usage") is True:
        return call
    asked["stream_options"] = wanted | {"include_usage": True}
    return Call(call.method, call.path, json.dumps(asked).encode(), drops_usage=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue
