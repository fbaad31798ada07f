"""A charge that was wrong: what it stands at, and the form that sets it right. For whoever oversees funding."""

from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.funding.correcting.charges import Correction
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import FabriekError
from fabriek.kernel.units import micro, shown
from fabriek.portal.forms import read_form
from fabriek.portal.named import names_of
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.problems import problem_of, request_id
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

PAGE = "/funding/corrections"
OVERSEES = Right("funding.oversee")


def router(services: Services, pages: Pages) -> Router:
    made, correcting = Router(include_in_schema=False), services.correcting

    def page(request: Request, named: str, by: Caller, *, error: FabriekError | None = None, **typed: Any) -> Response:
        found, project, why = None, "", list[tuple[Correction, str]]()
        try:
            if named:
                found, project = correcting.charge(named, by=by)
                kept = correcting.why(found, by=by)
                names = names_of(services, (one.person for one in kept))
                why = [(one, names[one.person]) for one in kept]
        except FabriekError as refused:
            error = error or refused
        problem = problem_of(error, request_id(request)) if error else None
        return pages.render(
            request, "funding/correction.html", status=error.meaning.http if error else 200, named=named, charge=found, project=project,
            stands=shown(found.stands) if found else "", why=why, problem=problem, **{"used": "", "reason": "", **typed},
        )  # fmt: skip

    @made.get(PAGE, access=OVERSEES)
    def show(request: Request, caller: CallerDep, charge: str = "") -> Response:
        """What a charge stands at, and the form; without one, the question which."""
        return page(request, charge.strip()[:200], caller)

    @made.post(PAGE, access=OVERSEES, once=False)
    async def correct(request: Request, caller: CallerDep) -> Response:
        """Sets it right; what is wrong with the form is said above it, which keeps what was written."""
        said = await read_form(request)
        named, used, reason = said.get("charge", "")[:200], said.get("used", ""), said.get("reason", "")

        def act() -> Response:
            try:
                correcting.correct(named, micro(used.replace(",", "")), reason, by=caller)
            except FabriekError as error:
                if error.fields.get("rule") == "login.confirm":
                    raise
                return page(request, named, caller, error=error, used=used, reason=reason)
            return RedirectResponse(f"{PAGE}?{urlencode({'charge': named})}", status_code=303)

        return await run_in_threadpool(act)

    return made
