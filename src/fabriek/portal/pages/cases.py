"""Cases of the desk: the list, one case, and what one may do with it."""

from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.kernel.callers import Caller
from fabriek.knowledge.cases import documents
from fabriek.knowledge.cases.cases import TRANSITIONS, Case, CaseState
from fabriek.knowledge.cases.levels import levels_on
from fabriek.knowledge.cases.service import Told
from fabriek.portal.forms import read_form
from fabriek.portal.named import names_of
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

PAGE = "/cases/{case}"


def case_shown(case: Case, services: Services) -> dict[str, Any]:
    """As the templates show it."""
    names = names_of(services, [case.handler])
    return {
        "id": case.id, "title": case.title, "level": case.level, "state": str(case.state), "due_on": case.due_on, "handler": names[case.handler],
        "overdue": case.is_overdue(services.clock.today()), "project": services.access.project(case.project).slug if case.project else "",
    }  # fmt: skip


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)
    desk = services.casework

    @made.get("/cases", access=Right("knowledge.view"))
    def cases(request: Request, caller: CallerDep) -> Response:
        """Those that one may know of, and a form for a new one."""
        listed = [case_shown(one, services) for one in desk.list(by=caller)]
        return pages.render(
            request,
            "cases.html",
            cases=listed,
            projects=services.access.projects_of(caller),
            desk=caller.may("case.handle"),
        )

    @made.post("/cases", access=Right("knowledge.ask"), once=False)
    async def open_case(request: Request, caller: CallerDep) -> Response:
        """Asks the desk, or makes a case of a question."""
        said = await read_form(request)
        opened = await run_in_threadpool(
            desk.open, said.get("title", ""), said.get("words", ""), project=said.get("project", ""), question=said.get("question", ""), by=caller
        )  # fmt: skip
        return _back_to(opened.id)

    @made.get(PAGE, access=Right("knowledge.view"))
    def case(request: Request, case: str, caller: CallerDep) -> Response:
        """One case, what one may do with it, and its document."""
        told = desk.show(case, by=caller)
        levels = levels_on(services.clock.today())
        text = documents.unasked(told.document.text) if told.document else ""
        language = documents.language_of(text)
        names = names_of(services, [one.person for one in told.steps])
        steps = [{"by": names[one.person], "at": one.at, "what": one.what, "words": one.words} for one in told.steps]
        return pages.render(
            request, "case.html", case=case_shown(told.case, services), level=levels[told.case.level].title["en"].lower(),
            levels=list(levels.values()), steps=steps, acts=told.acts, steps_on=_steps_on(told, caller),
            handlers=_handlers(told, services, caller) if told.acts else [],
            document=told.document, missing=[documents.HEADS[one][language] for one in told.missing], heads=_heads(text, language), language=language,
        )  # fmt: skip

    @made.post(PAGE + "/say", access=SIGNED_IN, once=False)
    async def say(request: Request, case: str, caller: CallerDep) -> Response:
        """Adds to what was said."""
        said = await read_form(request)
        await run_in_threadpool(desk.say, case, said.get("words", ""), by=caller)
        return _back_to(case)

    @made.post(PAGE + "/move", access=SIGNED_IN, once=False)
    async def move(request: Request, case: str, caller: CallerDep) -> Response:
        """A step of the table."""
        said = await read_form(request)
        await run_in_threadpool(desk.move, case, said.get("state", ""), said.get("words", ""), by=caller)
        known = caller.may("case.handle") or case in {one.id for one in await run_in_threadpool(desk.list, by=caller)}
        return _back_to(case) if known else RedirectResponse("/cases", status_code=303)

    @made.post(PAGE + "/hand", access=SIGNED_IN, once=False)
    async def hand(request: Request, case: str, caller: CallerDep) -> Response:
        """Hands it over."""
        said = await read_form(request)
        await run_in_threadpool(desk.hand, case, said.get("person", ""), said.get("reason", ""), by=caller)
        return RedirectResponse("/cases", status_code=303)

    @made.post(PAGE + "/level", access=SIGNED_IN, once=False)
    async def level(request: Request, case: str, caller: CallerDep) -> Response:
        """Raises or lowers it."""
        said = await read_form(request)
        await run_in_threadpool(desk.raise_to, case, said.get("level", ""), said.get("reason", ""), by=caller)
        return _back_to(case)

    return made


def _back_to(case: str) -> Response:
    return RedirectResponse(f"/cases/{case}", status_code=303)


def _heads(text: str, language: str) -> list[dict[str, str]]:
    said = documents.parts_of(text)
    return [
        {"name": head, "title": titles[language], "asks": documents.ASKS[head][language], "says": said.get(head, "")}
        for head, titles in documents.HEADS.items()
    ]


def _steps_on(told: Told, caller: Caller) -> list[str]:
    """Where the caller may take it from here."""
    after = TRANSITIONS[told.case.state]
    if told.acts:
        able = set(CaseState) if told.case.handler else set(CaseState) - {CaseState.WITH_EXPERT}
    elif told.case.person == caller.person:
        able = {CaseState.SOLVED, CaseState.CLOSED} | (
            {CaseState.OPEN} if told.case.state is CaseState.SOLVED else set()
        )
    else:
        able = set()
    return [str(one) for one in CaseState if one in after & able]


def _handlers(told: Told, services: Services, caller: Caller) -> list[dict[str, str]]:
    """To whom it may be handed: experts, who has most of this week left first, and the desk."""
    experts = {
        free.expert.person: f"{free.expert.fields[:60]}, {free.left} hours left"
        for free in services.desk.experts(by=caller)
    }
    everybody = experts | {
        one.id: "the desk" for one in services.access.holders("case.handle") if one.id not in experts
    }
    names = names_of(services, everybody)
    out = {told.case.person, told.case.handler}
    return [{"person": one, "name": names[one], "says": says} for one, says in everybody.items() if one not in out]
