"""Reviews: what waits for me, one application on its way, and the forms for what I may do with it."""

from collections.abc import Callable
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.access.applying.applications import GOING
from fabriek.access.applying.applications import ApplicationState as S
from fabriek.access.reviewing.desk import View
from fabriek.access.reviewing.docket import Part
from fabriek.access.reviewing.history import as_csv
from fabriek.access.reviewing.telling import sentence
from fabriek.access.reviewing.words import MEANS
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.portal.form_words import WORDS
from fabriek.portal.forms import read_form
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import SIGNED_IN, Router
from fabriek.web.services import Services

ONE = "/reviews/{application}"


def shown(view: View, by: Caller) -> dict[str, Any]:
    """A view with its state in plain words, and which forms it has for this reader."""
    state, staff = view.application.state, view.part is Part.STAFF
    reviews, decides = staff and by.may("application.review"), staff and by.may("funding.award")
    mine = next((one for one in view.assessments if one.person == by.person), None)
    decision, (means, then) = view.decision, MEANS[state]
    return {
        "view": view, "app": view.application, "title": view.application.answers.get("title") or view.application.id, "means": means,
        "next": then, "mine": mine, "bar": min(view.percent, 100), "late": view.percent > 100,  # percent
        "others": [one for one in view.assessments if one.submitted_at is not None], "staff": staff,
        "may_answer": view.part is Part.APPLICANT and state is S.ASKED, "may_ask": reviews and state in {S.ELIGIBLE, S.TECHNICAL, S.COMMITTEE},
        "may_take": reviews and not view.case.taken_by and state in GOING,
        "may_check": reviews and state is S.ELIGIBLE, "may_assign": reviews and state in {S.TECHNICAL, S.EXPERTS},
        "may_assess": mine is not None and mine.is_open and state is S.EXPERTS,
        "may_overrule": reviews and state is S.REFUSED and view.decision is None,
        "may_decide": decides and state is S.COMMITTEE and (decision is None or (not decision.stands and decision.decided_by != by.person)),
        "may_release": reviews and state in {S.EXPERTS, S.ASKED},
        "may_sign": decides and decision is not None and not decision.stands and decision.decided_by != by.person,
        "may_withdraw": view.part is Part.APPLICANT and state not in {S.AWARDED, S.REFUSED, S.WITHDRAWN},
        "bars": _bars(view),
    }  # fmt: skip


def _bars(view: View) -> list[dict[str, Any]]:
    """A small chart: one bar of efficiency for each node count, 0 to 100."""
    lines = view.scaling.lines if view.scaling else ()
    return [
        {"nodes": line.nodes, "width": min(round(line.efficiency * 100), 100), "good": line.efficient} for line in lines
    ]


def _acts(services: Services) -> dict[str, Callable[[str, dict[str, str], Caller], object]]:
    """What each form does. The services ask for every right."""
    desk, panel, committee = services.reviewing.desk, services.reviewing.panel, services.reviewing.committee

    def assess(one: str, said: dict[str, str], by: Caller) -> object:
        scores = {
            name.removeprefix("score-"): _number(value) for name, value in said.items() if name.startswith("score-")
        }
        return panel.assess(one, scores, said.get("text", ""), no_conflict="no_conflict" in said, by=by)

    def decide(one: str, said: dict[str, str], by: Caller) -> object:
        hours = _number(said["gpu_hours"]) if said.get("gpu_hours") else None
        return committee.decide(one, said.get("verdict", ""), said.get("words", ""), gpu_hours=hours, by=by)

    return {
        "take": lambda one, _, by: desk.take(one, by=by),
        "question": lambda one, said, by: desk.ask(one, said.get("words", ""), fields=said.get("fields", "").replace(",", " ").split(), by=by),
        "answer": lambda one, said, by: desk.answer(one, said.get("words", ""), by=by),
        "withdraw": lambda one, _, by: desk.withdraw(one, by=by),
        "overrule": lambda one, said, by: desk.overrule(one, said.get("words", ""), by=by),
        "technical": lambda one, said, by: desk.technical(one, said.get("words", ""), passed=said.get("passed") == "yes", by=by),
        "experts": lambda one, said, by: panel.assign(one, said.get("person", ""), by=by),
        "release": lambda one, said, by: panel.release(one, said.get("person", ""), said.get("words", ""), by=by),
        "decline": lambda one, said, by: panel.decline(one, said.get("words", ""), conflict="conflict" in said, by=by),
        "signature": lambda one, _, by: committee.sign(one, by=by),
        "assessment": assess,
        "decision": decide,
    }  # fmt: skip


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not a whole number", fix="write a whole number") from None


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)
    reviewing, acts = services.reviewing, _acts(services)

    @made.get("/reviews", access=SIGNED_IN)
    def reviews(request: Request, caller: CallerDep) -> Response:
        """The desk: what waits for me with its clock, my organisation's own, and what I was told."""
        waiting = [shown(one, caller) for one in reviewing.desk.waiting(by=caller)]
        filed = [one for one in services.intake.list(by=caller) if one.organisation == caller.organisation]
        own = [
            shown(reviewing.desk.view(one.id, by=caller), caller)
            for one in filed
            if reviewing.docket.cases.case(one.id) is not None
        ]
        told = [(one, sentence(one)) for one in reviewing.told(by=caller)]
        return pages.render(request, "reviews.html", waiting=waiting, own=own, told=told)

    @made.get(ONE, access=SIGNED_IN)
    def review(request: Request, application: str, caller: CallerDep) -> Response:
        """One application on its way, as far as this reader may see it."""
        view = reviewing.desk.view(application, by=caller)
        steps = reviewing.desk.history(application, by=caller)
        form, queue = reviewing.panel.form(), services.intake.position(view.application)
        return pages.render(
            request, "review.html", **shown(view, caller), steps=steps, form=form, queue=queue, w=WORDS["en"],
            sections=services.intake.calls.of(view.application.call).sections,
        )  # fmt: skip

    @made.get(ONE + "/history.csv", access=SIGNED_IN)
    def history(application: str, caller: CallerDep) -> Response:
        """The history for a spreadsheet; no cell is a formula."""
        rows = reviewing.desk.history(application, by=caller)
        named = {"Content-Disposition": 'attachment; filename="history.csv"'}
        return Response(as_csv(rows), media_type="text/csv; charset=utf-8", headers=named)

    @made.post(ONE + "/{act}", access=SIGNED_IN, once=False)
    async def act(request: Request, application: str, act: str, caller: CallerDep) -> Response:
        """One of the forms of that page."""
        said = await read_form(request)
        if act not in acts:
            raise NotFound("there is no such act", fix="open the page again")
        await run_in_threadpool(acts[act], application, said, caller)
        # Who declined does not see it any more.
        return RedirectResponse("/reviews" if act == "decline" else f"/reviews/{application}", status_code=303)

    return made
