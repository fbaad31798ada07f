"""The two calls that training loops make thousands of times: read and checked on the event loop, and gathered into common commits.

What names a logged model, or carries parameters and tags beside its points, takes the common way.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from fabriek.api.mlflow import bodies, runs
from fabriek.api.mlflow.asked import Asked
from fabriek.api.mlflow.metrics import metric_in
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import Clock
from fabriek.lab.metrics import Metric
from fabriek.lab.runs import check_batch
from fabriek.web.services import Services

Who = Callable[[Request], tuple[Caller, str]]

REMEMBERED_SECONDS = 1.0
REMEMBERED_MAX = 1_000
ON_LOOP_BYTES_MAX = 32 * 2**10
"""A larger body is read in a thread, so that nobody else waits for it."""

DONE = b"{}"


class Remembered:
    """Who asks, remembered for a second: a loop sends the same token a thousand times in it. Whoever was removed may log that much longer,
    and nothing else.
    """

    def __init__(self, who: Who, clock: Clock) -> None:
        self.who, self._clock = who, clock
        self._known: dict[tuple[str, str], tuple[float, tuple[Caller, str]]] = {}
        self._asking: dict[tuple[str, str], asyncio.Future[tuple[Caller, str]]] = {}

    def known(self, authorization: str, project: str) -> tuple[Caller, str] | None:
        """Who that is, if it was asked within the second."""
        found = self._known.get((authorization, project)) if authorization else None
        return found[1] if found and self._clock.monotonic() - found[0] < REMEMBERED_SECONDS else None

    async def of(self, request: Request) -> tuple[Caller, str]:
        """Raises what `who` raises; that is not remembered."""
        name = (request.headers.get("authorization", ""), request.path_params.get("project", ""))
        if not name[0]:  # a session of the portal is not a training loop, and its cookie is not in the name
            return await run_in_threadpool(self.who, request)
        if (known := self.known(*name)) is not None:
            return known
        if name not in self._asking:  # of those that come at once, one asks
            asking = self._asking[name] = asyncio.ensure_future(run_in_threadpool(self.who, request))
            asking.add_done_callback(lambda asked: self._learn(name, asked))
        return await asyncio.shield(self._asking[name])

    def _learn(self, name: tuple[str, str], asked: "asyncio.Future[tuple[Caller, str]]") -> None:
        del self._asking[name]
        if (
            asked.cancelled() or asked.exception() is not None or not name[0]
        ):  # a session of the portal is not a training loop
            return
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        self._known[name] = (self._clock.monotonic(), asked.result())


Body = Callable[[Request], Awaitable[Mapping[str, Any]]]
Points = Callable[[Mapping[str, Any]], list[Metric] | None]


def endpoint(
    services: Services, who: Remembered, read: Body, points: Points, other: Callable[[Asked], dict[str, Any]]
) -> Callable[[Request], Awaitable[Response]]:
    """points: what a body holds if it is only points, else None: then `other` answers."""

    async def append(request: Request) -> Response:
        caller, project = await who.of(request)
        request.state.caller = caller
        body = await read(request)
        small = int(request.headers.get("content-length") or ON_LOOP_BYTES_MAX) < ON_LOOP_BYTES_MAX
        found = points(body) if small else await run_in_threadpool(points, body)
        if found is None:
            asked = Asked(services, caller, project, body, request.path_params)
            answer = await run_in_threadpool(other, asked)
            return Response(bodies.write(answer), media_type="application/json")
        await services.appending.append(project, body.get("run_id") or body.get("run_uuid"), found, by=caller)
        return Response(DONE, media_type="application/json")

    return append


def of_metric(body: Mapping[str, Any]) -> list[Metric] | None:
    return None if body.get("model_id") else [metric_in(body)]


def of_batch(body: Mapping[str, Any]) -> list[Metric] | None:
    given = body.get("metrics")
    if body.get("params") or body.get("tags") or not isinstance(given, list):
        return None
    if any(isinstance(one, dict) and one.get("model_id") for one in given):
        return None
    check_batch(given, (), ())
    return [metric_in(one, f"metrics[{number}].") for number, one in enumerate(given)]


APPENDING: dict[str, tuple[Points, Callable[[Asked], dict[str, Any]]]] = {
    "/runs/log-metric": (of_metric, runs.log_metric),
    "/runs/log-batch": (of_batch, runs.log_batch),
}
