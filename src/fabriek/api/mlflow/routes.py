"""The MLflow dialect: REST 2.0 as MLflow's released client speaks it, mounted for people under /lab/{project} and for jobs at the root.

Plain Starlette routes: a training loop calls `log-batch` thousands of times, and a response model would cost more than the write.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from fabriek import __version__
from fabriek.api import packages_index
from fabriek.api.hub import routes as hub
from fabriek.api.mlflow import appending, bodies
from fabriek.api.mlflow.appending import APPENDING, Remembered, Who
from fabriek.api.mlflow.artifacts import artifact_routes
from fabriek.api.mlflow.asked import Asked
from fabriek.api.mlflow.endpoints import refusal
from fabriek.api.mlflow.experiments import EXPERIMENT_CALLS
from fabriek.api.mlflow.metrics import METRIC_CALLS
from fabriek.api.mlflow.models import MODEL_CALLS
from fabriek.api.mlflow.quick import Quick
from fabriek.api.mlflow.runs import RUN_CALLS
from fabriek.kernel.errors import FabriekError, InvalidInput
from fabriek.schemas.codes import Code
from fabriek.schemas.node import JOBS_LAB
from fabriek.web.dialects import job_of_token, member_of_path
from fabriek.web.envelope import Counts, Envelope
from fabriek.web.problems import as_fabriek_error, request_id
from fabriek.web.router import HOLDER, PUBLIC, Right, declare
from fabriek.web.services import Services

log = logging.getLogger("fabriek.lab")

API = "/api/2.0/mlflow"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
MLFLOW_VERSION = "3.17.2"
"""The release whose client this was measured with."""

T = TypeVar("T")

JOB_RIGHTS = frozenset({"lab.view", "lab.write"})


Call = Callable[[Asked], dict[str, Any]]


def people(services: Services) -> Remembered:
    """Who asks under /lab/{project}: a member of the project, with a bearer or basic token."""
    return Remembered(lambda request: member_of_path(request, services), services.clock)


def jobs(services: Services) -> Remembered:
    """Who asks on the jobs' socket: one job, by its own token."""
    return Remembered(lambda request: job_of_token(request, services, JOB_RIGHTS), services.clock)


def routes(services: Services, who: Remembered) -> list[BaseRoute]:
    """The dialect for people, and for jobs where nodes are other hosts."""
    view, write = Right("lab.view"), Right("lab.write")
    access = {"GET": view, "POST": write, "PATCH": write, "PUT": write, "DELETE": write}
    for_jobs = _job_routes(services, JOBS_LAB, jobs(services)) if services.settings.nodes_url else []
    return [*_routes(services, "/lab/{project}", who, access), *for_jobs]


def shorten(app: FastAPI, services: Services, who: Remembered, *, is_open: Callable[[], Awaitable[bool]]) -> None:
    """Puts the short way for points around everything that the app has, the framework's own layers among it. is_open: whether it is not sealed."""
    app.middleware_stack = Quick(
        app.build_middleware_stack(), appending=services.appending, remembered=who, counts=app.state.counts, is_open=is_open
    )  # fmt: skip


def build_job_app(services: Services) -> FastAPI:
    """For jobs, on the socket that only they reach: a job's own run and what it begins, the packages that are
    approved for its project and its base models, by its own token; nothing else is here.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.factory, app.state.counts = services, Counts()
    who = jobs(services)
    app.router.routes[:] = _job_routes(services, "", who)
    app.add_middleware(Envelope, clock=services.clock, ids=services.ids, counts=app.state.counts)
    shorten(app, services, who, is_open=_always)
    return app


async def _always() -> bool:
    """What runs beside jobs is not behind the seal."""
    return True


def _job_routes(services: Services, prefix: str, who: Remembered) -> list[BaseRoute]:
    """The same on the jobs' socket and, where nodes are other hosts, below a path of the main app."""
    access = dict.fromkeys(("GET", "POST", "PATCH", "PUT", "DELETE"), HOLDER)
    return [
        *_routes(services, prefix, who, access),
        *packages_index.job_routes(services, prefix),
        *hub.job_routes(services, prefix),
    ]


def _routes(services: Services, prefix: str, remembered: Remembered, access: Mapping[str, Any]) -> list[BaseRoute]:
    made: list[BaseRoute] = []
    who = remembered.who
    for path, (points, other) in APPENDING.items():  # first: a router asks one route after the other
        gathered = appending.endpoint(services, remembered, _body, points, other)
        made.append(declare(Route(f"{prefix}{API}{path}", _handled(gathered), methods=["POST"]), access["POST"]))
    for (method, path), call in {**RUN_CALLS, **METRIC_CALLS, **EXPERIMENT_CALLS, **MODEL_CALLS}.items():
        route = Route(f"{prefix}{API}{path}", _endpoint(services, who, call), methods=[method])
        made.append(declare(route, access[method]))
    made += artifact_routes(services, prefix, who, access, _handled)
    made.append(declare(Route(f"{prefix}/version", _version, methods=["GET"]), PUBLIC))
    made.append(declare(Route(f"{prefix}/health", _health, methods=["GET"]), PUBLIC))
    made.append(declare(Route(f"{prefix}/api/3.0/mlflow/server-info", _server_info, methods=["GET"]), PUBLIC))
    for side in ("api", "ajax-api", "v1", "gateway"):
        everything = Route(f"{prefix}/{side}/{{rest:path}}", _unknown(f"/{side}/"), methods=METHODS)
        made.append(declare(everything, PUBLIC))
    return made


def _endpoint(services: Services, who: Who, call: Call) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        body = await _body(request)

        def run() -> bytes:
            caller, project = who(request)
            request.state.caller = caller
            answer = call(Asked(services, caller, project, body, request.path_params))
            return bodies.write(answer)

        return Response(await run_in_threadpool(run), media_type="application/json")

    return _handled(endpoint)


async def _body(request: Request) -> Mapping[str, Any]:
    """The fields of a call: of its JSON body, or of its query. Raises InvalidInput on what is not an object, or is too deep."""
    if request.method == "GET":
        query: dict[str, Any] = {}
        for name, value in request.query_params.multi_items():
            query[name] = (
                [*query[name], value]
                if isinstance(query.get(name), list)
                else [query[name], value]
                if name in query
                else value
            )
        return query
    if request.headers.get("content-encoding", "identity") != "identity":
        raise InvalidInput(
            "a body in an encoding such as gzip is not read: it may be far larger than it looks", fix="send it plain"
        )
    return bodies.read(await request.body())


def _handled(endpoint: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """Every error in MLflow's own shape, with the status that its server sends."""

    async def handled(request: Request) -> Response:
        try:
            response: Response = await endpoint(request)
        except Exception as raw:  # noqa: BLE001  # this is the one handler of these routes
            return _refusal(request, raw)
        return response

    return handled


def _refusal(request: Request, raw: Exception) -> Response:
    error: FabriekError = as_fabriek_error(raw)
    if error.code is Code.INTERNAL:
        log.error("fault", exc_info=raw, extra={"request_id": request_id(request)})
    meaning = error.meaning
    message = error.detail if not error.fix else f"{error.detail} ({error.fix})"
    headers = {"Retry-After": str(error.fields["retry_after_seconds"])} if "retry_after_seconds" in error.fields else {}
    return JSONResponse(
        {"error_code": meaning.mlflow, "message": message}, status_code=meaning.mlflow_status, headers=headers
    )


def _unknown(side: str) -> Callable[[Request], Any]:
    """What no route takes: in MLflow's shape, with the reason where there is one."""

    async def unknown(request: Request) -> Response:
        status, body = refusal(request.method, side + request.path_params["rest"])
        return JSONResponse(body, status_code=status)

    return unknown


async def _version(_request: Request) -> Response:
    return Response(MLFLOW_VERSION, media_type="text/plain")


async def _health(_request: Request) -> Response:
    return Response("OK", media_type="text/plain")


async def _server_info(_request: Request) -> Response:
    return JSONResponse({"store_type": "SqlStore", "workspaces_enabled": False, "server": f"Fabriek {__version__}"})
