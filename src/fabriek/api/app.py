"""The whole HTTP server: API, MLflow dialect and portal in one app, with every route's access checked before it starts."""

from collections.abc import Callable, Sequence

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import BaseRoute

from fabriek import __version__
from fabriek.api import (
    access,
    accounts,
    agreements,
    applying,
    assurance,
    audit,
    auditor_links,
    base_models,
    cases,
    catalogue,
    classes,
    cluster,
    compute,
    correcting,
    desk,
    device_login,
    duties,
    erasing,
    forecasts,
    foreign,
    funding,
    giving,
    guide,
    harvest,
    harvest_sources,
    health,
    joining,
    keys,
    lab,
    lab_compare,
    lab_live,
    ledger_export,
    matching,
    models,
    offers,
    packages,
    packages_index,
    packs,
    policy,
    power,
    proofs,
    proposals,
    recipes,
    reporting,
    reviewing,
    secrets,
    service_identities,
    spending,
    steering,
    tokens,
    training,
    tus,
    upkeep,
    vault,
    vault_addresses,
    vault_objects,
    vault_versions,
)
from fabriek.api.hub import routes as hub
from fabriek.api.mlflow import routes as mlflow
from fabriek.api.serving import endpoint, managing
from fabriek.kernel.errors import FabriekError, NotPermitted
from fabriek.web import problems
from fabriek.web.envelope import Counts, Envelope
from fabriek.web.leaked import Leaked
from fabriek.web.router import Router, refuse_undeclared
from fabriek.web.sealed import SealGate, is_sealed
from fabriek.web.services import Services

AREAS = (
    access,
    accounts,
    reviewing,
    guide,
    harvest,
    harvest_sources,
    classes,
    tokens,
    service_identities,
    spending,
    device_login,
    joining,
    proofs,
    steering,
    applying,
    funding,
    giving,
    correcting,
    ledger_export,
    auditor_links,
    policy,
    duties,
    reporting,
    foreign,
    vault,
    vault_addresses,
    vault_objects,
    vault_versions,
    tus,
    agreements,
    proposals,
    erasing,
    keys,
    upkeep,
    offers,
    packages,
    compute,
    forecasts,
    secrets,
    packs,
    managing,
    cluster,
    power,
    lab,
    lab_compare,
    lab_live,
    models,
    base_models,
    catalogue,
    cases,
    matching,
    training,
    recipes,
    desk,
    assurance,
    audit,
    health,
)


def build(
    services: Services,
    *,
    portal: Sequence[BaseRoute] = (),
    page_of: Callable[[Request, FabriekError], Response] | None = None,
) -> FastAPI:
    """The app. `portal` are the pages' routes and `page_of` their way to show an error; without them it is the API alone.

    Raises RuntimeError when a route declares no access.
    """
    app = FastAPI(
        title="Fabriek", version=__version__, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False,
        description="Access, funding, vault, compute, lab and knowledge of an AI factory, under one set of rules.",
    )  # fmt: skip
    app.state.factory = services
    app.state.counts = Counts()
    lab_people = mlflow.people(services)

    async def is_open() -> bool:
        return not await is_sealed(services.seal)

    # First: a router asks one after the other, and training loops call it most.
    app.router.routes.extend(mlflow.routes(services, lab_people))
    for area in AREAS:
        router: Router = area.router
        app.router.routes.extend(router.routes)
    app.router.routes.extend(hub.routes(services))
    app.router.routes.extend(packages_index.routes(services))
    app.router.routes.extend(endpoint.routes(services))
    app.router.routes.extend(portal)
    problems.install(app, _renderer(services, page_of))
    app.add_middleware(SealGate, seal=services.seal)
    app.add_middleware(Leaked, access=(services.identity, services.auditing), answer=problems.problem_response)
    app.add_middleware(Envelope, clock=services.clock, ids=services.ids, counts=app.state.counts)
    mlflow.shorten(app, services, lab_people, is_open=is_open)
    refuse_undeclared(app)
    return app


def _renderer(services: Services, page_of: Callable[[Request, FabriekError], Response] | None) -> problems.Renderer:
    async def render(request: Request, error: FabriekError) -> Response:
        caller = getattr(request.state, "caller", None)
        if isinstance(error, NotPermitted) and caller is not None:
            rule = str(error.fields.get("rule", ""))
            await run_in_threadpool(
                services.audit.refused, caller, f"{request.method} {_template(request)}", str(error.code), rule
            )
        if page_of is not None and _wants_page(request):
            return page_of(request, error)
        return problems.problem_response(error, problems.request_id(request))

    return render


def _template(request: Request) -> str:
    """The route's own path, `/projects/{project}/jobs`, so that no name of anybody enters the log."""
    return str(getattr(request.scope.get("route"), "path", "unknown"))


def _wants_page(request: Request) -> bool:
    return not request.url.path.startswith(
        ("/api/", "/lab/", "/hub/", "/packages/simple/", "/serve/")
    ) and "text/html" in request.headers.get("accept", "")
