"""A class's page, for its teacher: who came, what they used, and the acts on them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.funding.classes.places import Seated
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import FabriekError, InvalidInput
from fabriek.portal.forms import read_form
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.problems import problem_of, request_id
from fabriek.web.router import Right, Router
from fabriek.web.services import Services
from fabriek.web.teaching import class_out

TEACHES = Right("project.manage")


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    def page(request: Request, course: str, caller: Caller, *, status: int = 200, **shown: Any) -> Response:
        found = services.teaching.get(course, by=caller)
        told = class_out(found, services.teaching.seats(course, by=caller), services)
        return pages.render(
            request, "class.html", status=status, course=told, **{"problem": None, "added": [], "filled": {}, **shown}
        )

    @made.get("/classes/{course}", access=TEACHES)
    def show(request: Request, course: str, caller: CallerDep) -> Response:
        """The class with its students."""
        return page(request, course, caller)

    @made.post("/classes/{course}/students", access=TEACHES, once=False)
    async def add(request: Request, course: str, caller: CallerDep) -> Response:
        """More students; the links of those who are new are shown this once."""
        fields = await read_form(request)
        links = f"{str(request.base_url).rstrip('/')}/sign-in/"

        def act() -> Response:
            seats: list[Seated] = list(services.teaching.add(course, fields.get("students", ""), by=caller))
            again = services.identity.caller_for(caller.person)
            found = services.teaching.get(course, by=again)
            return page(request, course, again, added=class_out(found, seats, services, links).students)

        return await tried(request, course, caller, act, fields)

    @made.post("/classes/{course}/{act}", access=TEACHES, once=False)
    async def change(request: Request, course: str, act: str, caller: CallerDep) -> Response:
        """Drops a student, extends or ends the term."""
        fields = await read_form(request)

        def changed() -> Response:
            _change(services, course, act, fields, caller)
            return RedirectResponse(f"/classes/{course}", status_code=303)

        return await tried(request, course, caller, changed, fields)

    async def tried(request: Request, course: str, caller: Caller, act: Any, fields: dict[str, str]) -> Response:
        """The act, or the class's page with what was wrong and what was filled in."""
        await run_in_threadpool(services.teaching.get, course, by=caller)
        try:
            answer: Response = await run_in_threadpool(act)
        except FabriekError as error:
            problem = {"errors": [], **problem_of(error, request_id(request))}
            status = error.meaning.http
            return await run_in_threadpool(page, request, course, caller, status=status, problem=problem, filled=fields)
        return answer

    return made


def _change(services: Services, course: str, act: str, fields: Mapping[str, str], by: Caller) -> None:
    match act:
        case "drop":
            services.teaching.drop(course, fields.get("person", ""), by=by)
        case "extend":
            services.teaching.extend(course, _day(fields.get("ends_on", "")), by=by)
        case "end":
            services.teaching.end(course, by=by)
        case _:
            raise InvalidInput("there is no such act on a class", fix="open the class's page")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("that is no day", fix="write it as 2027-02-01") from None
