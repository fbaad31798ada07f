"""What a person has open: their sessions, tokens and visits, each with an end to it, and new tokens."""

from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.access.login.doors import VISIBLE_NAMES
from fabriek.access.login.scopes import SCOPES
from fabriek.access.login.tokens import DAYS_DEFAULT, Wanted
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import AlreadyExists, InvalidInput, QuotaExhausted
from fabriek.portal.forms import read_form
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.problems import problem_of, request_id
from fabriek.web.router import SIGNED_IN, Router
from fabriek.web.services import Services

PAGE = "/account/doors"


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    def page(request: Request, caller: Caller, *, status: int = 200, **shown: Any) -> Response:
        opened = services.open_doors.list(by=caller)
        rows = [
            {
                "door": one, "kind": VISIBLE_NAMES.get(one.credential.kind, one.credential.kind),
                "used_at": services.open_doors.last_use(one.credential),
            }
            for one in opened
        ]  # fmt: skip
        named = {one.id: one.slug for one in services.access.projects_of(caller)}
        return pages.render(
            request, "doors.html", status=status, rows=rows, projects=named, scopes=SCOPES, days=DAYS_DEFAULT,
            days_max=services.settings.token_days_max, others=any(not one.this for one in opened),
            **{"problem": None, "secret": "", "filled": {}, **shown},
        )  # fmt: skip

    @made.get(PAGE, access=SIGNED_IN)
    def doors(request: Request, caller: CallerDep) -> Response:
        """Everything that is open."""
        return page(request, caller)

    @made.post(PAGE + "/end-others", access=SIGNED_IN, once=False)
    async def end_others(request: Request, caller: CallerDep) -> Response:
        """Ends all but this session, and shows the rest."""
        await read_form(request)
        await run_in_threadpool(services.open_doors.end_others, by=caller)
        return RedirectResponse(PAGE, status_code=303)

    @made.post(PAGE + "/{door}/end", access=SIGNED_IN, once=False)
    async def end(request: Request, door: str, caller: CallerDep) -> Response:
        """Ends one, and shows the rest; who ended this very session is at the sign-in page then."""
        await read_form(request)
        await run_in_threadpool(services.open_doors.end, door, by=caller)
        return RedirectResponse(PAGE, status_code=303)

    @made.post("/account/tokens", access=SIGNED_IN, once=False)
    async def create(request: Request, caller: CallerDep) -> Response:
        """Makes a token, and shows it once."""
        fields = await read_form(request)
        scopes = [name for name in SCOPES if fields.get(f"scope-{name}")]
        said = fields.get("days", "")
        days = int(said) if said.isdecimal() and len(said) < 5 else -1
        wanted = Wanted(fields.get("name", "").strip(), scopes, fields.get("project", ""), days)
        try:
            _, secret = await run_in_threadpool(services.tokens.create, wanted, by=caller)
        except (AlreadyExists, InvalidInput, QuotaExhausted) as error:
            problem = problem_of(error, request_id(request))
            return await run_in_threadpool(
                page, request, caller, status=error.meaning.http, problem=problem, filled=fields
            )
        return await run_in_threadpool(page, request, caller, secret=secret)

    return made
