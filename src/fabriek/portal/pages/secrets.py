"""The forms of a project's secrets. A value comes in with a form, and no page ever shows one."""

from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.kernel.callers import Caller
from fabriek.portal.forms import read_form
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services


def secrets_shown(services: Services, project: str, by: Caller) -> list[dict[str, Any]]:
    """What the project's page shows of them."""
    return [
        {
            "name": one.name,
            "set_by": services.access.person(one.set_by).name,
            "set_at": one.set_at,
            "used_at": one.used_at,
        }
        for one in services.strongbox.list(project, by=by)
    ]


def router(services: Services, _pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.post("/projects/{project}/secrets", access=Right("project.manage"), once=False)
    async def set_secret(request: Request, project: str, caller: CallerDep) -> Response:
        """Sets one, and shows the project again."""
        fields = await read_form(request)
        given = fields.get("name", ""), fields.get("value", "")
        await run_in_threadpool(services.strongbox.set, project, *given, by=caller)
        return RedirectResponse(f"/projects/{project}#secrets", status_code=303)

    @made.post("/projects/{project}/secrets/{secret}/remove", access=Right("project.manage"), once=False)
    async def remove(request: Request, project: str, secret: str, caller: CallerDep) -> Response:
        """Removes one, and shows the project again."""
        await read_form(request)
        await run_in_threadpool(services.strongbox.remove, project, secret, by=caller)
        return RedirectResponse(f"/projects/{project}#secrets", status_code=303)

    return made
