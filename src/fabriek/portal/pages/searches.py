"""The searches that one keeps: kept, looked at and forgotten from the page of the catalogue."""

from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.knowledge.search.index import FACETS
from fabriek.portal.forms import read_form
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services


def router(services: Services, _pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.post("/catalogue/searches", access=Right("knowledge.view"), once=False)
    async def save(request: Request, caller: CallerDep) -> Response:
        """Keeps what was looked for."""
        fields = await read_form(request)
        chosen = {name: fields.get(name, "") for name in FACETS}
        await run_in_threadpool(
            services.saved_searches.save, fields.get("name", ""), fields.get("q", ""), chosen, by=caller
        )
        return RedirectResponse(there(fields.get("q", ""), chosen), status_code=303)

    @made.post("/catalogue/searches/looked", access=Right("knowledge.view"), once=False)
    async def look(request: Request, caller: CallerDep) -> Response:
        """Leads to what it finds; nothing of it is new from then on."""
        fields = await read_form(request)
        kept, _ = await run_in_threadpool(services.saved_searches.look, fields.get("name", ""), by=caller)
        return RedirectResponse(there(kept.search.text, kept.search.filters), status_code=303)

    @made.post("/catalogue/searches/forget", access=Right("knowledge.view"), once=False)
    async def forget(request: Request, caller: CallerDep) -> Response:
        """Keeps it no more."""
        fields = await read_form(request)
        await run_in_threadpool(services.saved_searches.forget, fields.get("name", ""), by=caller)
        return RedirectResponse("/catalogue", status_code=303)

    return made


def there(q: str, chosen: Mapping[str, str]) -> str:
    """The page of the catalogue with what is found."""
    asked = urlencode({name: value for name, value in {"q": q, **chosen}.items() if value})
    return f"/catalogue?{asked}" if asked else "/catalogue"
