"""Reports that awards ask for: those that one owes, the form of one, and the word of who decides on it."""

import re
from collections.abc import Sequence
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response

from fabriek.access.applying.answers import faults_of, is_asked, missing_of
from fabriek.access.applying.calls import Section
from fabriek.access.applying.faults import Fault
from fabriek.funding.duties.reports import Duty
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, Stale
from fabriek.portal.entering import is_private
from fabriek.portal.form_words import LANGUAGE_COOKIE, REPORT_WORDS, WORDS, language_of
from fabriek.portal.forms import read_form, read_pairs
from fabriek.portal.rendering import Pages
from fabriek.portal.typed import Pairs, typed_answers
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

FIELDS_MAX = 1000
ONE = "/duties/{duty}"


class Reports:
    """The pages of reports, in the language of whoever looks."""

    def __init__(self, services: Services, pages: Pages) -> None:
        self.services, self.reporting, self.pages = services, services.duties.reporting, pages

    def show(
        self, request: Request, duty: Duty, by: Caller, *, typed: dict[str, Any] | None = None, faults: Sequence[Fault] = (),
        stale: bool = False, more: str = "",
    ) -> Response:  # fmt: skip
        """typed: shown in place of what is kept, with what is wrong in it. more: the table that gets an empty row."""
        language, form = language_of(request), self.reporting.form_of(duty)
        project = self.services.access.project(duty.allocation.project)
        answer = self.pages.render(
            request, "duty.html", status=409 if stale else 422 if faults else 200, lang=language, w=WORDS[language] | REPORT_WORDS[language],
            asked=is_asked, duty=duty, call=form, project=project, overdue=duty.days_overdue(self.services.clock.today()),
            answers={**duty.report.answers, **(typed or {})}, faults=faults, by_field={one.field: one for one in faults}, stale=stale, more=more,
            mine=by.may("project.view", project=project.id), fills=duty.is_open and by.may("project.manage", project=project.id),
            decides=duty.report.state == "filed" and self.reporting.decides(duty, by),
        )  # fmt: skip
        if request.query_params.get("lang") == language:
            secure = is_private(request, self.services.settings)
            answer.set_cookie(LANGUAGE_COOKIE, language, httponly=True, samesite="lax", secure=secure, path="/")
        return answer

    def save(self, request: Request, duty: str, pairs: Pairs, by: Caller) -> Response:
        """Keeps what can be kept; with the button that files it, files it."""
        said, scripted = dict(pairs), request.headers.get("accept") == "application/json"
        found, words = self.reporting.show(duty, by=by), WORDS[language_of(request)]
        form = self.reporting.form_of(found)
        whole = Section(name="all", title=form.titles, fields=form.fields)
        typed = typed_answers(whole, pairs)
        revision = int(said["revision"]) if re.fullmatch(r"[0-9]{1,9}", said.get("revision", "")) else -1
        try:
            kept = self.reporting.keep(duty, typed, revision=revision, strict=False, by=by)
        except Stale:
            if scripted:
                return JSONResponse({"stale": words["stale"]}, status_code=409)
            return self.show(request, found, by, typed=typed, stale=True)
        if scripted:
            at = self.pages.clock_time(kept.duty.report.edited_at)
            return JSONResponse({"revision": kept.duty.report.revision, "saved": f"{words['saved']} {at}"})
        do = said.get("do", "")
        if do == "file" and not kept.faults:
            try:
                self.reporting.file(duty, by=by)
            except InvalidInput:
                answers = kept.duty.report.answers
                return self.show(request, kept.duty, by, faults=[*faults_of(form, answers), *missing_of(form, answers)])
        elif kept.faults or do.startswith("add:"):
            return self.show(
                request, kept.duty, by, typed=typed, faults=kept.faults, more=do.removeprefix("add:") if ":" in do else ""
            )  # fmt: skip
        return RedirectResponse(f"/duties/{duty}", status_code=303)


def owed_shown(services: Services, duties: Sequence[Duty]) -> list[dict[str, Any]]:
    """As lists show them."""
    today = services.clock.today()
    return [
        {
            "id": one.id, "kind": one.rule.kind, "project": services.access.project(one.allocation.project), "state": one.report.state,
            "due_on": one.due_on, "overdue": one.days_overdue(today),
        }
        for one in duties
    ]  # fmt: skip


def router(services: Services, pages: Pages) -> Router:
    made, reporting = Router(include_in_schema=False), services.duties.reporting
    forms = Reports(services, pages)

    @made.get("/duties", access=SIGNED_IN)
    def overview(request: Request, caller: CallerDep) -> Response:
        """What one owes, what one has filed, and what waits for one's word."""
        return pages.render(
            request, "duties.html", mine=owed_shown(services, reporting.mine(by=caller)),
            to_decide=owed_shown(services, reporting.to_decide(by=caller)),
        )  # fmt: skip

    @made.get(ONE, access=SIGNED_IN)
    def show(request: Request, duty: str, caller: CallerDep) -> Response:
        """One report: its form, or what was answered."""
        return forms.show(request, reporting.show(duty, by=caller), caller)

    @made.post(ONE, access=SIGNED_IN, once=False)
    async def save(request: Request, duty: str, caller: CallerDep) -> Response:
        """Keeps what can be kept, or files it; for the script the same in a few words."""
        pairs = await read_pairs(request, FIELDS_MAX)
        return await run_in_threadpool(forms.save, request, duty, pairs, caller)

    @made.post("/projects/{project}/extension", access=Right("project.manage"), once=False)
    async def extend(request: Request, project: str, caller: CallerDep) -> Response:
        """More time and a part more, by the call's rule."""
        await read_form(request)
        await run_in_threadpool(services.duties.extending.extend, project, by=caller)
        return RedirectResponse(f"/projects/{project}#duties", status_code=303)

    @made.post(ONE + "/decide", access=Right("funding.award"), once=False)
    async def decide(request: Request, duty: str, caller: CallerDep) -> Response:
        """Accepts it, or sends it back with a note."""
        said = await read_form(request)
        if said.get("do") == "accept":
            await run_in_threadpool(reporting.accept, duty, by=caller)
        else:
            await run_in_threadpool(reporting.give_back, duty, said.get("note", ""), by=caller)
        return RedirectResponse("/duties", status_code=303)

    return made
