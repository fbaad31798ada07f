"""Catalogues elsewhere, for operators: which there are, how each was read last, and forms to add, read and remove one."""

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.portal.forms import read_form
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

PAGE = "/catalogue-sources"


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get(PAGE, access=Right("knowledge.harvest"))
    def sources(request: Request, caller: CallerDep) -> Response:
        """All of them, with what went wrong."""
        return pages.render(request, "sources.html", sources=services.harvesting.all(by=caller))

    @made.post(PAGE, access=Right("knowledge.harvest"), once=False)
    async def add(request: Request, caller: CallerDep) -> Response:
        """Adds one, and shows them all again."""
        fields = await read_form(request)
        given = fields.get("address", "").strip(), fields.get("name", "")
        await run_in_threadpool(services.harvesting.add, *given, by=caller)
        return RedirectResponse(PAGE, status_code=303)

    @made.post(PAGE + "/{source}/run", access=Right("knowledge.harvest"), once=False)
    async def run(request: Request, source: str, caller: CallerDep) -> Response:
        """Reads one, and shows how that went."""
        await read_form(request)
        await run_in_threadpool(services.harvesting.run, source, by=caller)
        return RedirectResponse(f"{PAGE}#{source}", status_code=303)

    @made.post(PAGE + "/{source}/remove", access=Right("knowledge.harvest"), once=False)
    async def remove(request: Request, source: str, caller: CallerDep) -> Response:
        """Takes one away, with its entries."""
        await read_form(request)
        await run_in_threadpool(services.harvesting.remove, source, by=caller)
        return RedirectResponse(PAGE, status_code=303)

    return made
