"""Training: the calendar, one's certificates, and for a teacher who comes and who was there."""

from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.kernel.callers import Caller
from fabriek.knowledge.training.courses import FOR_EVER, is_in_force
from fabriek.knowledge.training.service import Planned
from fabriek.portal.forms import read_form
from fabriek.portal.named import names_of
from fabriek.portal.plain import day_of, whole_of
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

PAGE = "/training/{lesson}"


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)
    training = services.training

    @made.get("/training", access=Right("knowledge.view"))
    def calendar(request: Request, caller: CallerDep) -> Response:
        """What is given when, one's places and certificates."""
        return pages.render(
            request, "training.html", lessons=[_lesson(one, caller) for one in training.calendar(by=caller)],
            courses=list(training.courses().values()),
            certificates=_certificates(services, caller), teaches=caller.may("training.teach"),
        )  # fmt: skip

    @made.post("/training", access=Right("training.teach"), once=False)
    async def give(request: Request, caller: CallerDep) -> Response:
        """Plans a lesson."""
        said = await read_form(request)
        on, seats = day_of(said.get("on", ""), "day"), whole_of(said.get("seats", ""), "seats")
        planned = await run_in_threadpool(
            training.give, said.get("course", ""), on, said.get("place", ""), said.get("language", ""), seats, by=caller
        )
        return _back_to(planned.id)

    @made.get(PAGE, access=Right("knowledge.view"))
    def lesson(request: Request, lesson: str, caller: CallerDep) -> Response:
        """One lesson; for its teacher who comes."""
        found, today = training.show(lesson, by=caller), services.clock.today()
        names = names_of(services, [one.person for one in found.seats])
        people = [{"person": one.person, "name": names[one.person], "state": str(one.state)} for one in found.seats]
        return pages.render(
            request, "lesson.html", lesson=found.lesson, course=found.course, free=found.free, people=people, begun=found.lesson.on <= today,
            over=found.lesson.on < today, teaches=found.lesson.teacher == caller.person,
        )  # fmt: skip

    @made.post(PAGE + "/join", access=Right("knowledge.ask"), once=False)
    async def join(request: Request, lesson: str, caller: CallerDep) -> Response:
        """Takes a place, or waits for one."""
        await read_form(request)
        await run_in_threadpool(training.sign_up, lesson, by=caller)
        return RedirectResponse("/training", status_code=303)

    @made.post(PAGE + "/leave", access=Right("knowledge.ask"), once=False)
    async def leave(request: Request, lesson: str, caller: CallerDep) -> Response:
        """Gives it back."""
        await read_form(request)
        await run_in_threadpool(training.leave, lesson, by=caller)
        return RedirectResponse("/training", status_code=303)

    @made.post(PAGE + "/attendance", access=Right("training.teach"), once=False)
    async def record(request: Request, lesson: str, caller: CallerDep) -> Response:
        """Says who was there."""
        said = await read_form(request)
        attended = said.get("attended") == "yes"
        await run_in_threadpool(training.record, lesson, said.get("person", ""), attended=attended, by=caller)
        return _back_to(lesson)

    @made.post(PAGE + "/cancel", access=Right("training.teach"), once=False)
    async def cancel(request: Request, lesson: str, caller: CallerDep) -> Response:
        """Calls it off."""
        await read_form(request)
        await run_in_threadpool(training.cancel, lesson, by=caller)
        return RedirectResponse("/training", status_code=303)

    return made


def _back_to(lesson: str) -> Response:
    return RedirectResponse(f"/training/{lesson}", status_code=303)


def _lesson(one: Planned, caller: Caller) -> dict[str, Any]:
    lesson = one.lesson
    return {
        "id": lesson.id, "on": lesson.on, "title": one.course.title["en"], "needs": list(one.course.needs), "place": lesson.place,
        "language": lesson.language, "seats": lesson.seats, "free": one.free, "waiting": one.waiting, "queued": one.place,
        "mine": str(one.mine.state) if one.mine else "", "teaches": lesson.teacher == caller.person,
    }  # fmt: skip


def _certificates(services: Services, caller: Caller) -> list[dict[str, Any]]:
    found, today = services.training.certificates(by=caller), services.clock.today()
    names, courses = names_of(services, [one.given_by for one in found]), services.training.courses()
    return [
        {
            "title": courses[one.course].title["en"] if one.course in courses else one.course, "in_force": is_in_force(one, today),
            "given_on": one.given_on, "until": None if one.until == FOR_EVER else one.until, "given_by": names[one.given_by],
        }
        for one in found
    ]  # fmt: skip
