"""The rules of money: what is in force and from where it is, proposals with what they do to each funder, and the forms to sign."""

from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import FabriekError
from fabriek.portal.forms import read_form
from fabriek.portal.named import names_of
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.policy import proposal_out, rows_out
from fabriek.web.problems import problem_of, request_id
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

PAGE = "/funding/policy"
SAMPLE = '[[part]]\nfunder = ""\npart = 0.20\nvalid_from = \nsource = ""\n'


def router(services: Services, pages: Pages) -> Router:
    made, changing = Router(include_in_schema=False), services.changing

    def page(request: Request, caller: Caller, *, status: int = 200, **shown: Any) -> Response:
        return pages.render(
            request, "policy.html", status=status, rows=rows_out(services, by=caller), today=services.clock.today(),
            proposals=[proposal_out(one, services) for one in changing.proposals(by=caller)],
            mine=services.access.organisation(caller.organisation).slug,
            **{"problem": None, "toml": SAMPLE, "motive": "", **shown},
        )  # fmt: skip

    @made.get(PAGE, access=Right("funding.view"))
    def show(request: Request, caller: CallerDep) -> Response:
        """Rows and proposals."""
        return page(request, caller)

    @made.post(PAGE, access=Right("funding.propose"), once=False)
    async def propose(request: Request, caller: CallerDep) -> Response:
        """Proposes; what is wrong with it is said above the form, which keeps what was written."""
        said = await read_form(request)
        toml, motive = said.get("toml", "").replace("\r\n", "\n"), said.get("motive", "")
        try:
            proposal = await run_in_threadpool(changing.propose, toml, motive, by=caller)
        except FabriekError as error:
            if error.fields.get("rule") == "login.confirm":
                raise
            problem, status = problem_of(error, request_id(request)), error.meaning.http
            return await run_in_threadpool(
                page, request, caller, status=status, problem=problem, toml=toml, motive=motive
            )
        return _back_to(proposal.id)

    @made.post(PAGE + "/{change}/sign", access=Right("funding.sign"), once=False)
    async def sign(request: Request, change: str, caller: CallerDep) -> Response:
        """Signs what the page showed."""
        said = await read_form(request)
        await run_in_threadpool(changing.sign, change, said.get("digest", ""), by=caller)
        return _back_to(change)

    @made.post(PAGE + "/{change}/refuse", access=Right("funding.sign"), once=False)
    async def refuse(request: Request, change: str, caller: CallerDep) -> Response:
        """Refuses it, as a funder who loses."""
        said = await read_form(request)
        await run_in_threadpool(changing.refuse, change, said.get("words", ""), by=caller)
        return _back_to(change)

    @made.post(PAGE + "/{change}/withdraw", access=Right("funding.propose"), once=False)
    async def withdraw(request: Request, change: str, caller: CallerDep) -> Response:
        """Takes it back."""
        await read_form(request)
        await run_in_threadpool(changing.withdraw, change, by=caller)
        return _back_to(change)

    return made


def changes_waiting(services: Services, by: Caller) -> list[dict[str, Any]]:
    """Those that wait for the caller's signature, as the first page lists what waits."""
    found = services.changing.waiting(by=by)
    names = names_of(services, (one.proposed_by for one in found))
    return [
        {
            "page": f"{PAGE}#{one.id}", "by": names[one.proposed_by], "title": f"Change the rules of money from {one.starts_on}",
            "proposal": {"proposed_at": one.proposed_at, "reason": f"{one.motive} (to sign by {one.lapses_on})"},
        }
        for one in found
    ]  # fmt: skip


def _back_to(proposal: str) -> Response:
    return RedirectResponse(f"{PAGE}#{proposal}", status_code=303)
