"""A served model's page: its state, its address, its keys and what they have used. A key's secret is on the answer to its form, and on no page."""

from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.compute.serving.keys import DAYS_MAX, as_of, is_open, left, standing
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import FabriekError, InvalidInput
from fabriek.portal.forms import read_form
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.problems import problem_of, request_id
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

ANEW: dict[str, Any] = {"secret": "", "problem": None, "status": 200, "budget": "100000 tokens/day"}


def served_shown(services: Services, project: str, by: Caller) -> list[dict[str, Any]]:
    """What the project's page shows of them."""
    return [
        {"name": one.name, "version": f"{one.model}@{one.version}", "label": one.label, "job": job}
        for one, job in services.serving.list(project, by=by)
    ]


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    def page(request: Request, project: str, served: str, caller: Caller, **shown: Any) -> Response:
        found, job = services.serving.get(project, served, by=caller)
        manages = caller.may("project.manage", project=found.project)
        return pages.render(
            request, "served.html", project=services.access.project(project), served=found, job=job,
            why=services.compute.why(job).sentence, keys=_keys(services, project, served, caller, manages=manages),
            submits=caller.may("job.submit", project=found.project), stops=caller.may("job.cancel", project=found.project) and not job.has_ended(),
            days_max=DAYS_MAX, **(ANEW | shown),
        )  # fmt: skip

    @made.get("/projects/{project}/served/{served}", access=Right("job.view"))
    def show(request: Request, project: str, served: str, caller: CallerDep) -> Response:
        """State, address, keys and use."""
        return page(request, project, served, caller)

    @made.post("/projects/{project}/served/{served}/keys", access=Right("job.submit"), once=False)
    async def create_key(request: Request, project: str, served: str, caller: CallerDep) -> Response:
        """Makes a key, and shows its secret this once; what is refused comes back with the reason above it."""
        fields = await read_form(request)
        budget, days = fields.get("budget", ""), fields.get("days", "")
        try:
            if not days.isdecimal():
                raise InvalidInput("the number of days is no number", fix="write a whole number")
            _, secret = await run_in_threadpool(
                services.serving.create_key, project, served, budget=budget, days=int(days), called=_line(fields.get("called", "")), by=caller
            )  # fmt: skip
        except FabriekError as error:
            problem, status = {"rule": "", **problem_of(error, request_id(request))}, error.meaning.http
            return await run_in_threadpool(
                page, request, project, served, caller, problem=problem, status=status, budget=budget
            )
        return await run_in_threadpool(page, request, project, served, caller, secret=secret)

    @made.post("/projects/{project}/served/{served}/keys/{serving_key}/end", access=Right("job.submit"), once=False)
    async def end_key(request: Request, project: str, served: str, serving_key: str, caller: CallerDep) -> Response:
        """Ends a key, and shows the page again."""
        await read_form(request)
        await run_in_threadpool(services.serving.end_key, project, served, serving_key, by=caller)
        return RedirectResponse(f"/projects/{project}/served/{served}#keys", status_code=303)

    @made.post("/projects/{project}/served/{served}/stop", access=Right("job.cancel"), once=False)
    async def stop(request: Request, project: str, served: str, caller: CallerDep) -> Response:
        """Ends its job, and shows the page again."""
        await read_form(request)
        await run_in_threadpool(services.serving.stop, project, served, by=caller)
        return RedirectResponse(f"/projects/{project}/served/{served}", status_code=303)

    return made


def _keys(services: Services, project: str, served: str, by: Caller, *, manages: bool) -> list[dict[str, Any]]:
    now, today = services.clock.now(), services.clock.today()
    return [
        {
            "key": key, "left": left(as_of(key, today)), "person": services.access.person(key.person).name, "standing": standing(key, now),
            "ends": is_open(key, now) and (manages or key.person == by.person),
        }
        for key in services.serving.keys(project, served, by=by)
    ]  # fmt: skip


def _line(said: str) -> str:
    return "".join(char for char in said if char.isprintable())[:100]
