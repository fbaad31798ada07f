"""A run's page, with its curves as they grow."""

from typing import Any

from fastapi import Request
from starlette.responses import Response

from fabriek.kernel.callers import Caller
from fabriek.lab.service import Logged
from fabriek.portal.curves import Curve, curve
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

CURVES_MAX = 12
POINTS_MAX = 25_000


def _shown(services: Services, project: str, run: str, by: Caller) -> tuple[Logged, dict[str, Any]]:
    home = services.access.project(project)
    logged = services.lab.run(home.id, run, by=by)
    keys = [] if logged.withheld else [metric.key for metric in logged.metrics[:CURVES_MAX]]
    curves: list[Curve] = []
    if keys:
        found = services.lab.histories(home.id, run, keys, limit=POINTS_MAX, by=by)
        curves = [curve(key, [(one.step, one.value) for _, one in rows]) for key, rows in found.items()]
    live = logged.run.ended_at is None
    return logged, {"project": home, "run": logged.run, "curves": curves, "withheld": logged.withheld, "live": live}


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/projects/{project}/runs/{run}", access=Right("lab.view"))
    def show(request: Request, project: str, run: str, caller: CallerDep) -> Response:
        """Curves, parameters and files."""
        logged, shown = _shown(services, project, run, caller)
        files = services.keeping.files(logged.run.project, f"{logged.run.experiment}/{logged.run.id}")
        return pages.render(
            request,
            "run.html",
            job=logged.run.job,
            params=sorted(logged.params.items()),
            artifacts=[(one.path, one.size) for one in files],
            **shown,
        )

    @made.get("/projects/{project}/runs/{run}/curves", access=Right("lab.view"))
    def curves(request: Request, project: str, run: str, caller: CallerDep) -> Response:
        """The part of the page that changes."""
        return pages.render(request, "run_live.html", **_shown(services, project, run, caller)[1])

    return made
