"""Packages: what may be installed, what was asked for, and the forms to ask and to decide."""

from typing import Any

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.kernel.callers import Caller
from fabriek.packages.files import EVERYBODY, Listed
from fabriek.packages.requests import Request as Asked
from fabriek.portal.forms import read_form
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

PAGE = "/packages/requests/{package_request}"


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)
    packages = services.packages

    @made.get("/packages", access=SIGNED_IN)
    def overview(
        request: Request, caller: CallerDep, q: str = Query("", max_length=100), ask: str = Query("", max_length=200)
    ) -> Response:
        """What may be installed, and what was asked for; `ask` fills the form."""
        wanted = q.lower().strip()
        listed = [one for one in packages.shelf.listed(by=caller) if wanted in one.file.package]
        return pages.render(
            request, "packages.html", q=q, ask=ask, files=[_file(one, services) for one in listed],
            requests=[_request(one, services) for one in _asked(caller, services)], projects=services.access.projects_of(caller),
            decides=caller.may("package.approve"),
        )  # fmt: skip

    @made.post("/packages/requests", access=Right("package.ask"), once=False)
    async def new(request: Request, caller: CallerDep) -> Response:
        """Asks, and shows the request."""
        said = await read_form(request)
        words = [said.get(name, "") for name in ("project", "package", "reason")]
        asked = await run_in_threadpool(packages.ask, *words, by=caller)
        return _back_to(asked.id)

    @made.get(PAGE, access=SIGNED_IN)
    def show(request: Request, package_request: str, caller: CallerDep) -> Response:
        """One request with its files, what was found, and for who approves the forms to decide."""
        asked = packages.request(package_request, by=caller)
        files = [_file(one, services) for one in packages.files_of(asked, by=caller)]
        grave = any(found.weight == "grave" for one in files for found in one["findings"])
        return pages.render(
            request, "package_request.html", asked=_request(asked, services), files=files, grave=grave,
            decides=caller.may("package.approve"), mine=asked.person == caller.person, brings=caller.may("package.add"),
        )  # fmt: skip

    @made.post(PAGE + "/approve", access=Right("package.approve"), once=False)
    async def approve(request: Request, package_request: str, caller: CallerDep) -> Response:
        """Puts it on the index, of the project or of all."""
        said = await read_form(request)
        everybody, despite = said.get("for") == "all", said.get("despite", "")
        await run_in_threadpool(packages.approve, package_request, everybody=everybody, despite=despite, by=caller)
        return _back_to(package_request)

    @made.post(PAGE + "/refuse", access=Right("package.approve"), once=False)
    async def refuse(request: Request, package_request: str, caller: CallerDep) -> Response:
        """Refuses it, with a reason."""
        said = await read_form(request)
        await run_in_threadpool(packages.refuse, package_request, said.get("reason", ""), by=caller)
        return _back_to(package_request)

    @made.post(PAGE + "/withdraw", access=SIGNED_IN, once=False)
    async def take_back(request: Request, package_request: str, caller: CallerDep) -> Response:
        """Takes one's own request back."""
        await read_form(request)
        await run_in_threadpool(packages.take_back, package_request, by=caller)
        return _back_to(package_request)

    return made


def _back_to(request_id: str) -> Response:
    return RedirectResponse(f"/packages/requests/{request_id}", status_code=303)


def _asked(caller: Caller, services: Services) -> list[Asked]:
    """All for who approves, else those of one's projects; newest first."""
    if caller.may("package.approve"):
        return list(services.packages.requests(by=caller))
    mine = [
        one
        for project in services.access.projects_of(caller)
        for one in services.packages.requests(project.id, by=caller)
    ]
    return sorted(mine, key=lambda one: one.asked_at, reverse=True)


def _request(asked: Asked, services: Services) -> dict[str, Any]:
    fields = {name: getattr(asked, name) for name in Asked.__dataclass_fields__}
    project = services.access.project(asked.project).title if asked.project else "all projects"
    decided_by = services.access.person(asked.decided_by).name if asked.decided_by else ""
    return fields | {
        "package": str(asked.package), "project": project, "person": services.access.person(asked.person).name,
        "state": str(asked.state), "decided_by": decided_by,
    }  # fmt: skip


def _file(listed: Listed, services: Services) -> dict[str, Any]:
    places = [
        "all projects" if one.project == EVERYBODY else services.access.project(one.project).title
        for one in listed.approvals
    ]
    fields = ("name", "package", "version", "size_bytes", "licence", "summary", "findings", "withdrawn_for", "sha256")
    return {name: getattr(listed.file, name) for name in fields} | {"standing": str(listed.standing), "places": places}
