"""Artifacts in the MLflow dialect: bytes that stream through the server (`mlflow-artifacts:`), and what lies below a run.

In parts (`mpu/…`) and by signed addresses (`presigned/…`) nothing is taken or given: a file is sealed while it streams, in one piece and
however large. Both are refused in the words at which MLflow's client falls back to the plain way (see endpoints.py).
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import anyio.from_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from fabriek.api.mlflow.asked import Asked
from fabriek.kernel.callers import Caller
from fabriek.lab.artifacts import checked
from fabriek.web.router import declare
from fabriek.web.services import Services

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"

Who = Callable[[Request], tuple[Caller, str]]
Handled = Callable[[Callable[[Request], Any]], Callable[[Request], Any]]


def artifact_routes(
    services: Services, prefix: str, who: Who, access: Mapping[str, Any], handled: Handled
) -> list[BaseRoute]:
    """handled: what turns every error into MLflow's own shape."""
    verbs = (("GET", _get), ("PUT", _put), ("DELETE", _delete))
    made: list[BaseRoute] = [
        declare(
            Route(f"{prefix}{ARTIFACTS}/{{place:path}}", handled(verb(services, who)), methods=[method]), access[method]
        )
        for method, verb in verbs
    ]
    listing = Route(f"{prefix}{ARTIFACTS}", handled(_list(services, who)), methods=["GET"])
    return [*made, declare(listing, access["GET"])]


def _put(services: Services, who: Who) -> Callable[[Request], Any]:
    async def put(request: Request) -> Response:
        pieces = request.stream()

        def run() -> Response:
            caller, project = who(request)
            services.keeping.put(project, request.path_params["place"], _arriving(pieces), by=caller)
            return JSONResponse({})

        return await run_in_threadpool(run)

    return put


def _arriving(pieces: AsyncIterator[bytes]) -> Iterator[bytes]:
    """The body, piece by piece, from the event loop to the thread that seals it: never whole in memory, never on a disk."""
    while True:
        try:
            yield anyio.from_thread.run(_next, pieces)
        except StopAsyncIteration:
            return


async def _next(pieces: AsyncIterator[bytes]) -> bytes:
    return await anext(pieces)


def _get(services: Services, who: Who) -> Callable[[Request], Any]:
    async def get(request: Request) -> Response:
        def run() -> Response:
            caller, project = who(request)
            found, pieces = services.keeping.open(project, request.path_params["place"], by=caller)
            headers = {"Content-Length": str(found.size), "Content-Disposition": "attachment"}
            return StreamingResponse(pieces, media_type="application/octet-stream", headers=headers)

        return await run_in_threadpool(run)

    return get


def _delete(services: Services, who: Who) -> Callable[[Request], Any]:
    async def delete(request: Request) -> Response:
        def run() -> Response:
            caller, project = who(request)
            services.keeping.remove(project, request.path_params["place"], by=caller)
            return JSONResponse({})

        return await run_in_threadpool(run)

    return delete


def _list(services: Services, who: Who) -> Callable[[Request], Any]:
    async def listed(request: Request) -> Response:
        def run() -> Response:
            caller, project = who(request)
            found = services.keeping.listed(project, request.query_params.get("path", ""), by=caller)
            return JSONResponse({"files": [file_out(name, size) for name, size in found]})

        return await run_in_threadpool(run)

    return listed


def file_out(path: str, size: int | None) -> dict[str, Any]:
    """A folder has no size."""
    return {"path": path, "is_dir": True} if size is None else {"path": path, "is_dir": False, "file_size": size}


def list_of_run(asked: Asked) -> dict[str, Any]:
    """What lies directly below a folder of a run, by paths below the run: for clients that do not read artifact addresses themselves."""
    run = asked.services.lab.run(asked.project, asked.run_id, by=asked.caller).run
    root, below = f"{run.experiment}/{run.id}/artifacts", checked(asked.text("path"))
    found = asked.services.keeping.listed(asked.project, f"{root}/{below}".rstrip("/"), by=asked.caller)
    return {
        "root_uri": f"mlflow-artifacts:/{root}",
        "files": [file_out(f"{below}/{name}" if below else name, size) for name, size in found],
    }


ARTIFACT_CALLS: dict[tuple[str, str], Callable[[Asked], dict[str, Any]]] = {("GET", "/artifacts/list"): list_of_run}
