"""The use-case document of a case: a form with its heads, and earlier versions."""

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.kernel.errors import NotFound
from fabriek.knowledge.cases import documents
from fabriek.portal.forms import read_form
from fabriek.portal.named import names_of
from fabriek.portal.pages.cases import PAGE, case_shown
from fabriek.portal.plain import whole_of
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)
    desk = services.casework

    @made.get(PAGE + "/documents/{number}", access=Right("knowledge.view"))
    def version(request: Request, case: str, number: str, caller: CallerDep) -> Response:
        """An earlier version of its document."""
        told = desk.show(case, by=caller)
        found = next((one for one in desk.versions(case, by=caller) if str(one.number) == number), None)
        if found is None:
            raise NotFound("there is no such version of it", fix="open the case, and choose one of its versions")
        by = names_of(services, [found.person])[found.person]
        return pages.render(request, "case_document.html", case=case_shown(told.case, services), document=found, by=by)

    @made.post(PAGE + "/document", access=SIGNED_IN, once=False)
    async def write(request: Request, case: str, caller: CallerDep) -> Response:
        """Keeps a version of what was written under each head."""
        said = await read_form(request)
        text = documents.written(
            {head: _plain(said.get(head, "")) for head in documents.HEADS}, said.get("language", "en")
        )
        base = whole_of(said.get("base", ""), "the version that was changed")
        await run_in_threadpool(desk.write, case, text, base=base, by=caller)
        return RedirectResponse(f"/cases/{case}#document", status_code=303)

    return made


def _plain(text: str) -> str:
    """A browser sends lines with a return before the line feed."""
    return text.replace("\r\n", "\n")
