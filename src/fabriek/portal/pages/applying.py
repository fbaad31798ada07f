"""Applications: those that one has, calls that are open, and a form part by part that loses nothing that was typed."""

import re
from collections.abc import Sequence
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response

from fabriek.access.applying.answers import is_asked, progress_of, sums_of
from fabriek.access.applying.applications import Application, ApplicationState
from fabriek.access.applying.calls import Said, Section
from fabriek.access.applying.faults import Fault
from fabriek.access.applying.moving import better_call, move_on
from fabriek.access.applying.printing import printed
from fabriek.funding.submitting import submit as send
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, Stale
from fabriek.portal.entering import is_private
from fabriek.portal.form_words import LANGUAGE_COOKIE, WORDS, language_of
from fabriek.portal.forms import read_form, read_pairs
from fabriek.portal.rendering import Pages
from fabriek.portal.typed import Pairs, typed_answers
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

FIELDS_MAX = 5000
"""Of one part's form: a table of 200 rows with its columns."""

PAGE = "/applications/{application}"


class Forms:
    """The pages of applications, in the language of whoever looks."""

    def __init__(self, services: Services, pages: Pages) -> None:
        self.services, self.intake, self.pages = services, services.intake, pages

    def render(self, request: Request, template: str, *, status: int = 200, **shown: Any) -> Response:
        language = language_of(request)
        answer = self.pages.render(
            request, template, status=status, lang=language, w=WORDS[language], asked=is_asked, **shown
        )
        if request.query_params.get("lang") == language:
            secure = is_private(request, self.services.settings)
            answer.set_cookie(LANGUAGE_COOKIE, language, httponly=True, samesite="lax", secure=secure, path="/")
        return answer

    def overview(self, request: Request, caller: Caller) -> Response:
        intake, now = self.intake, self.services.clock.now()
        return self.render(
            request, "applications.html", mine=intake.list(by=caller), calls=intake.open_calls(),
            offs={one.name: one.cut_offs.next_after(now) for one in intake.calls.all() if one.cut_offs},
            titles={one.name: one.titles for one in intake.calls.all()},
        )  # fmt: skip

    def part(
        self, request: Request, found: Application, section: str, caller: Caller, *, typed: dict[str, Any] | None = None,
        faults: Sequence[Fault] = (), stale: bool = False, more: str = "",
    ) -> Response:  # fmt: skip
        """typed: shown in place of what is kept, with what is wrong in it. more: the table that gets an empty row."""
        call = self.intake.calls.of(found.call)
        part, answers = self.open_part(found, section), {**found.answers, **(typed or {})}
        names = {field.name for field in part.fields}
        return self.render(
            request, "application_section.html", status=409 if stale else 422 if faults else 200, application=found, call=call, section=part,
            answers=answers, faults=faults, by_field={one.field: one for one in faults}, stale=stale, more=more,
            sums=[one for one in sums_of(call, answers) if one.total.table in names],
            revision=self.intake.editing(found.id, by=caller).revision, better=self.better(found),
        )  # fmt: skip

    def better(self, found: Application) -> Said | None:
        """The title of the call that takes a draft's amount, where its own does not and that one is there."""
        kind, today = self.services.access.organisation(found.organisation).kind, self.services.clock.today()
        named = self.intake.calls
        better = better_call(named.of(found.call), found.answers, today, kind, named=named.of)
        if better is None or found.state is not ApplicationState.DRAFT:
            return None
        return next((one.titles for one in self.intake.open_calls() if one.name == better.call), None)

    def open_part(self, found: Application, section: str) -> Section:
        """What of this part may be changed now: all of a draft's, later only what its applicant was asked about."""
        part, may = self.intake.calls.of(found.call).section(section), self.intake.may_change(found)
        return part.model_copy(update={"fields": tuple(one for one in part.fields if one.name in may)})

    def tasks(self, request: Request, found: Application, *, faults: bool, status: int = 200) -> Response:
        call = self.intake.calls.of(found.call)
        progress = progress_of(call, found.answers)
        return self.render(
            request, "application.html", status=status, application=found, call=call, progress=progress, sums=sums_of(call, found.answers),
            draft=found.state is ApplicationState.DRAFT, faults=faults, complete=not any(one.faults for one in progress),
            better=self.better(found), parts_open=[one for one in call.sections if self.open_part(found, one.name).fields],
        )  # fmt: skip

    def check(self, request: Request, found: Application) -> Response:
        call = self.intake.calls.of(found.call)
        if found.state is not ApplicationState.DRAFT or any(one.faults for one in progress_of(call, found.answers)):
            return self.tasks(request, found, faults=True)
        return self.render(
            request, "application_check.html", application=found, call=call, sums=sums_of(call, found.answers)
        )

    def save(self, request: Request, application: str, section: str, pairs: Pairs, caller: Caller) -> Response:
        said, scripted = dict(pairs), request.headers.get("accept") == "application/json"
        found, words = self.intake.get(application, by=caller), WORDS[language_of(request)]
        if found.state is not ApplicationState.DRAFT and not self.open_part(found, section).fields:
            return RedirectResponse(f"/applications/{application}", status_code=303)
        typed = typed_answers(self.open_part(found, section), pairs)
        revision = int(said["revision"]) if re.fullmatch(r"[0-9]{1,9}", said.get("revision", "")) else -1
        try:
            kept = self.intake.keep(application, typed, revision=revision, by=caller)
        except Stale:
            if scripted:
                return JSONResponse({"stale": words["stale"]}, status_code=409)
            return self.part(request, found, section, caller, typed=typed, stale=True)
        if scripted:
            at = self.pages.clock_time(kept.editing.edited_at)
            return JSONResponse({"revision": kept.editing.revision, "saved": f"{words['saved']} {at}"})
        more = said.get("do", "").removeprefix("add:") if said.get("do", "").startswith("add:") else ""
        if kept.faults or more:
            return self.part(request, kept.application, section, caller, typed=typed, faults=kept.faults, more=more)
        return RedirectResponse(f"/applications/{application}", status_code=303)


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)
    forms, intake = Forms(services, pages), services.intake
    _exports(made, services)
    _moving(made, services)

    @made.get("/applications", access=SIGNED_IN)
    def overview(request: Request, caller: CallerDep) -> Response:
        """Those that one has, and what one may apply for."""
        return forms.overview(request, caller)

    @made.post("/applications/new/{call}", access=Right("application.submit"), once=False)
    async def new(request: Request, call: str, caller: CallerDep) -> Response:
        """An empty draft."""
        await read_form(request)
        filed = await run_in_threadpool(intake.file, call, {}, by=caller)
        return RedirectResponse(f"/applications/{filed.id}", status_code=303)

    @made.get(PAGE, access=Right("application.submit"))
    def tasks(request: Request, application: str, caller: CallerDep) -> Response:
        """The task list of a draft; afterwards what was answered."""
        return forms.tasks(request, intake.get(application, by=caller), faults=False)

    @made.get(PAGE + "/check", access=Right("application.submit"))
    def check(request: Request, application: str, caller: CallerDep) -> Response:
        """Every answer before it is sent; the task list with what is missing where the way here was cut short."""
        return forms.check(request, intake.get(application, by=caller))

    @made.post(PAGE + "/submit", access=Right("application.submit"), once=False)
    async def submit(request: Request, application: str, caller: CallerDep) -> Response:
        """Sends it; what is missing leads back to the task list."""
        await read_form(request)
        try:
            await run_in_threadpool(send, application, intake, services.awarding, by=caller)
        except InvalidInput:
            found = await run_in_threadpool(intake.get, application, by=caller)
            return await run_in_threadpool(forms.tasks, request, found, faults=True, status=422)
        return RedirectResponse(f"/applications/{application}", status_code=303)

    @made.get(PAGE + "/parts/{section}", access=Right("application.submit"))
    def part(request: Request, application: str, section: str, caller: CallerDep) -> Response:
        """One part of the form."""
        found = intake.get(application, by=caller)
        if not forms.open_part(found, section).fields:
            return RedirectResponse(f"/applications/{application}", status_code=303)
        return forms.part(request, found, section, caller)

    @made.post(PAGE + "/parts/{section}", access=Right("application.submit"), once=False)
    async def save(request: Request, application: str, section: str, caller: CallerDep) -> Response:
        """Keeps what can be kept, and shows again what cannot with the reason; for the script the same in a few words."""
        pairs = await read_pairs(request, FIELDS_MAX)
        return await run_in_threadpool(forms.save, request, application, section, pairs, caller)

    return made


def _exports(made: Router, services: Services) -> None:
    intake = services.intake

    @made.get(PAGE + "/export.pdf", access=Right("application.submit"))
    def on_paper(request: Request, application: str, caller: CallerDep) -> Response:
        """Every question and answer as a PDF, in the language of whoever asks."""
        made_pdf = printed(intake.document(application, language_of(request), by=caller))
        return Response(made_pdf, media_type="application/pdf")

    @made.get(PAGE + "/export.json", access=Right("application.submit"))
    def as_data(request: Request, application: str, caller: CallerDep) -> Response:
        """The same for another program."""
        return JSONResponse(intake.document(application, language_of(request), by=caller))


def _moving(made: Router, services: Services) -> None:
    @made.post(PAGE + "/move", access=Right("application.submit"), once=False)
    async def move(request: Request, application: str, caller: CallerDep) -> Response:
        """A draft of the call that takes the amount, with these answers."""
        await read_form(request)
        body, today = await run_in_threadpool(services.access.organisation, caller.organisation), services.clock.today()
        filed = await run_in_threadpool(move_on, services.intake, application, today, body.kind, by=caller)
        return RedirectResponse(f"/applications/{filed.id}", status_code=303)
