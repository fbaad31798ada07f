"""Questions with their answers, and experts with their hours."""

from dataclasses import asdict
from typing import Any

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.kernel.callers import Caller
from fabriek.knowledge.desk.experts import Booking, Free, monday_of
from fabriek.portal.forms import read_form, read_pairs
from fabriek.portal.plain import day_of, whole_of
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

FIELDS_MAX = 60


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)
    desk = services.desk

    @made.get("/questions", access=Right("knowledge.view"))
    def questions(request: Request, caller: CallerDep) -> Response:
        """Questions with their answers, newest first, the accepted answer before the others."""
        listed = [
            {
                "id": question.id, "title": question.text, "accepts": question.person == caller.person or caller.may("case.handle"),
                "answers": [
                    {"id": one.id, "text": one.text, "by": services.access.person(one.person).name, "accepted": one.id == question.accepted}
                    for one in answers
                ],
            }
            for question, answers in desk.questions(by=caller)
        ]  # fmt: skip
        return pages.render(request, "questions.html", questions=listed)

    @made.post("/questions", access=Right("knowledge.ask"), once=False)
    async def ask(request: Request, caller: CallerDep) -> Response:
        """Asks, and shows the list again."""
        fields = await read_form(request)
        await run_in_threadpool(desk.ask, fields.get("question", ""), by=caller)
        return RedirectResponse("/questions", status_code=303)

    @made.post("/questions/{question}/accepted", access=SIGNED_IN, once=False)
    async def accept(request: Request, question: str, caller: CallerDep) -> Response:
        """Says which answer helped."""
        fields = await read_form(request)
        await run_in_threadpool(desk.accept, question, fields.get("answer", ""), by=caller)
        return RedirectResponse("/questions", status_code=303)

    @made.get("/experts", access=Right("knowledge.view"))
    def experts(
        request: Request, caller: CallerDep, q: str = Query("", max_length=200), skill: str = Query("", max_length=60)
    ) -> Response:
        """Who may be booked, one's bookings, and what one knows oneself."""
        own = next((one.expert for one in desk.experts(by=caller) if one.expert.person == caller.person), None)
        bookings = [_booking(one, services, caller) for one in desk.bookings(by=caller)]
        found = [_expert(one, services) for one in desk.experts(words=q, skill=skill, by=caller)]
        return pages.render(
            request, "experts.html", q=q, skill=skill, skills=list(desk.skills().values()), experts=found, own=own, bookings=bookings,
            may_offer=caller.may("knowledge.be_booked"), projects=services.access.projects_of(caller), week=monday_of(services.clock.today()),
        )  # fmt: skip

    @made.post("/experts", access=Right("knowledge.be_booked"), once=False)
    async def offer(request: Request, caller: CallerDep) -> Response:
        """Says what one knows."""
        pairs = await read_pairs(request, FIELDS_MAX)
        said = dict(pairs)
        hours = whole_of(said.get("hours_a_week", ""), "hours a week")
        skills = [value for name, value in pairs if name == "skill"]
        languages = said.get("languages", "").replace(",", " ").split()
        await run_in_threadpool(
            desk.offer, said.get("fields", ""), skills=skills, languages=languages, hours_a_week=hours, by=caller
        )
        return RedirectResponse("/experts", status_code=303)

    @made.post("/experts/{person}/bookings", access=SIGNED_IN, once=False)
    async def book(request: Request, person: str, caller: CallerDep) -> Response:
        """Books hours for a project."""
        said = await read_form(request)
        hours, week = whole_of(said.get("hours", ""), "hours"), day_of(said.get("week", ""), "week")
        await run_in_threadpool(
            desk.book, person, said.get("project", ""), hours, said.get("about", ""), week=week, by=caller
        )
        return RedirectResponse("/experts#bookings", status_code=303)

    @made.post("/bookings/{booking}/done", access=SIGNED_IN, once=False)
    async def finish(request: Request, booking: str, caller: CallerDep) -> Response:
        """The hours were given."""
        await read_form(request)
        await run_in_threadpool(desk.finish, booking, by=caller)
        return RedirectResponse("/experts#bookings", status_code=303)

    @made.post("/bookings/{booking}/cancel", access=SIGNED_IN, once=False)
    async def cancel(request: Request, booking: str, caller: CallerDep) -> Response:
        """Calls it off."""
        await read_form(request)
        await run_in_threadpool(desk.cancel, booking, by=caller)
        return RedirectResponse("/experts#bookings", status_code=303)

    return made


def _expert(free: Free, services: Services) -> dict[str, Any]:
    known = services.desk.skills()
    named = [known[one].title["en"] for one in free.expert.skills if one in known]
    name = services.access.person(free.expert.person).name
    return asdict(free.expert) | {"name": name, "skills": named, "booked": free.booked, "left": free.left}


def _booking(one: Booking, services: Services, caller: Caller) -> dict[str, Any]:
    return {
        "id": one.id, "about": one.about, "hours": one.hours, "week": one.week, "state": str(one.state), "mine": one.expert == caller.person,
        "expert": services.access.person(one.expert).name, "project": services.access.project(one.project).slug,
    }  # fmt: skip
