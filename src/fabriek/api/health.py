"""For machines that watch: alive, ready, and counts. And the description of the API itself."""

from typing import Any

from fastapi import Request
from starlette.responses import PlainTextResponse, Response

from fabriek.schemas.base import Wire
from fabriek.web.dependencies import FactoryDep
from fabriek.web.router import PUBLIC, Router

router = Router(tags=["health"])


class HealthOut(Wire):
    """`ok` or an error in its place."""

    status: str = "ok"


@router.get("/healthz", access=PUBLIC)
async def healthz() -> HealthOut:
    """The process answers."""
    return HealthOut()


@router.get("/readyz", access=PUBLIC)
def readyz(factory: FactoryDep) -> HealthOut:
    """The process can work: its database answers. 503 when it does not."""
    factory.database.ping()
    return HealthOut()


@router.get("/metrics", access=PUBLIC, response_class=PlainTextResponse)
def metrics(request: Request, factory: FactoryDep) -> Response:
    """OpenMetrics text. Bounded labels only: no person, project or dataset is named."""
    counts = request.app.state.counts
    lines = ["# TYPE fabriek_requests counter"]
    lines += [
        f'fabriek_requests_total{{method="{method}",status="{status}"}} {count}'
        for (method, status), count in sorted(counts.requests.items())
    ]
    lines += ["# TYPE fabriek_request_seconds counter", "# UNIT fabriek_request_seconds seconds"]
    lines += [f"fabriek_request_seconds_total {counts.seconds:.6f}", "# TYPE fabriek_jobs gauge"]
    lines += [
        f'fabriek_jobs{{state="{state}"}} {count}' for state, count in sorted(factory.compute.count_by_state().items())
    ]
    lines += ["# EOF", ""]
    return Response("\n".join(lines), media_type="application/openmetrics-text; version=1.0.0; charset=utf-8")


@router.get("/api/openapi.json", access=PUBLIC, include_in_schema=False)
def openapi(request: Request) -> dict[str, Any]:
    """The API, described in OpenAPI 3.1, with the access of each route."""
    return dict(request.app.openapi())
