"""Calls, and applications to them, over HTTP."""

from typing import Literal

from starlette.responses import Response

from fabriek.access.applying.answers import progress_of, sums_of
from fabriek.access.applying.applications import Application
from fabriek.access.applying.calls import Asked, Call, Column, Form, Said
from fabriek.access.applying.moving import file_where_it_fits
from fabriek.access.applying.printing import printed
from fabriek.funding.submitting import submit
from fabriek.kernel.callers import Caller
from fabriek.schemas.access import (
    AnswersIn,
    ApplicationIn,
    ApplicationOut,
    CallChoiceOut,
    CallColumnOut,
    CallFieldOut,
    CallOut,
    CallSectionOut,
    CheckOut,
    ExportOut,
    FaultOut,
    FormOut,
    ProgressOut,
    SectionProgressOut,
    SharedIn,
    SumOut,
)
from fabriek.schemas.base import DoneOut, PageOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["applying"])

Language = Literal["en", "nl"]


def _texts(said: Said | None) -> dict[str, str]:
    return {} if said is None else {"en": said.en, "nl": said.nl}


def _column_out(one: Column) -> CallColumnOut:
    return CallColumnOut(
        name=one.name, kind=one.kind, question=_texts(one.question), required=one.required, unit=one.unit, limit=one.limited, least=one.least,
        choices=[CallChoiceOut(value=choice.value, text={"en": choice.en, "nl": choice.nl}) for choice in one.choices],
    )  # fmt: skip


def _field_out(one: Asked, section: str) -> CallFieldOut:
    return CallFieldOut(
        **dict(_column_out(one)), section=section, help=_texts(one.help), example=one.example, rows_max=one.rows_max,
        when={name: list(wanted) for name, wanted in one.when.items()}, columns=[_column_out(cell) for cell in one.columns],
    )  # fmt: skip


def form_out(one: Form) -> FormOut:
    """Every question, in both languages."""
    return FormOut(
        name=one.name, title=one.title, titles=_texts(one.titles), summary=_texts(one.summary), source=one.source, valid_from=one.valid_from,
        sections=[CallSectionOut(name=each.name, title=_texts(each.title), help=_texts(each.help)) for each in one.sections],
        fields=[_field_out(field, each.name) for each in one.sections for field in each.fields],
    )  # fmt: skip


def _call_out(one: Call, services: Services) -> CallOut:
    now, today = services.clock.now(), services.clock.today()
    return CallOut(
        **dict(form_out(one)),
        is_open=one.is_open(now, today), opens=one.opens, closes=one.closes, decided_by=one.decided_by, working_days=one.working_days,
        next_cut_off=one.cut_offs.next_after(now) if one.cut_offs else None, months=list(one.months), gpu_hours_max=one.gpu_hours_max,
        kinds=list(one.kinds), countries=list(one.countries),
    )  # fmt: skip


def _application_out(
    one: Application, services: Services, caller: Caller, waits_for: str = "", moved: str = ""
) -> ApplicationOut:
    project = services.access.project(one.project).slug if one.project else ""
    checks = [CheckOut(name=check.name, passed=check.passed, found=check.found) for check in one.checks]
    editing = services.intake.editing(one.id, by=caller)
    return ApplicationOut(
        id=one.id, call=one.call, organisation=services.access.organisation(one.organisation).slug, state=one.state,
        answers=dict(one.answers), checks=checks, made_at=one.made_at, project=project, waits_for=waits_for, moved=moved, revision=editing.revision,
        edited_at=editing.edited_at, edited_by=editing.edited_by,
    )  # fmt: skip


@router.get("/calls", access=SIGNED_IN)
def list_calls(factory: FactoryDep) -> PageOut[CallOut]:
    """Every call, those that give the least first."""
    return PageOut[CallOut](items=[_call_out(one, factory) for one in factory.intake.calls.all()])


@router.get("/calls/{name}", access=SIGNED_IN)
def show_call(name: str, factory: FactoryDep) -> CallOut:
    """What a call asks."""
    return _call_out(factory.intake.calls.of(name), factory)


@router.post("/applications", access=Right("application.submit"), status_code=201)
def file_application(asked: ApplicationIn, caller: CallerDep, factory: FactoryDep) -> ApplicationOut:
    """A draft; of the call that fits better, and `moved` says why, where the amount is more than the asked one gives."""
    kind, today = factory.access.organisation(caller.organisation).kind, factory.clock.today()
    filed, better = file_where_it_fits(factory.intake, asked.call, asked.answers, today, kind, by=caller)
    return _application_out(filed, factory, caller, moved=better.reason if better else "")


@router.get("/applications", access=Right("application.submit"))
def list_applications(caller: CallerDep, factory: FactoryDep) -> PageOut[ApplicationOut]:
    """Those of your organisation, and those that you edit along."""
    found = factory.intake.list(by=caller)
    return PageOut[ApplicationOut](items=[_application_out(one, factory, caller) for one in found])


@router.get("/applications/{application}", access=Right("application.submit"))
def show_application(application: str, caller: CallerDep, factory: FactoryDep) -> ApplicationOut:
    """One application, with what the checks found."""
    return _application_out(factory.intake.get(application, by=caller), factory, caller)


@router.patch("/applications/{application}", access=Right("application.submit"))
def edit_application(application: str, asked: AnswersIn, caller: CallerDep, factory: FactoryDep) -> ApplicationOut:
    """Change answers of a draft, part by part; all of them or, where one is wrong, none."""
    edited = factory.intake.edit(application, asked.answers, revision=asked.revision, by=caller)
    return _application_out(edited, factory, caller)


@router.get("/applications/{application}/progress", access=Right("application.submit"))
def show_progress(application: str, caller: CallerDep, factory: FactoryDep) -> ProgressOut:
    """What is done, what is missing or wrong, and whether totals agree."""
    found = factory.intake.get(application, by=caller)
    call = factory.intake.calls.of(found.call)
    progress = progress_of(call, found.answers)
    return ProgressOut(
        complete=not any(one.faults for one in progress), revision=factory.intake.editing(application, by=caller).revision,
        sections=[
            SectionProgressOut(
                name=one.section.name, title=_texts(one.section.title), state=one.state,
                faults=[FaultOut(field=fault.field, message=_texts(fault.says)) for fault in one.faults],
            )
            for one in progress
        ],
        totals=[
            SumOut(
                title=_texts(one.total.title), group=one.group, found=one.found, wanted=one.wanted, unit=one.total.unit, agrees=one.agrees
            )
            for one in sums_of(call, found.answers)
        ],
    )  # fmt: skip


@router.get("/applications/{application}/export", access=Right("application.submit"))
def export_application(application: str, caller: CallerDep, factory: FactoryDep, lang: Language = "en") -> ExportOut:
    """Every question of the call with its answer, in a format of its own (fabriek.application/1)."""
    return ExportOut(document=factory.intake.document(application, lang, by=caller))


@router.get("/applications/{application}/export.pdf", access=Right("application.submit"))
def print_application(application: str, caller: CallerDep, factory: FactoryDep, lang: Language = "en") -> Response:
    """The same as a tagged PDF."""
    made = printed(factory.intake.document(application, lang, by=caller))
    return Response(made, media_type="application/pdf")


@router.post("/applications/{application}/editors", access=Right("application.submit"), status_code=201)
def share_application(application: str, asked: SharedIn, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """Let somebody of another organisation edit along."""
    factory.intake.share(application, asked.person, by=caller)
    return DoneOut()


@router.post("/applications/{application}/submit", access=Right("application.submit"), once=False)
def submit_application(application: str, caller: CallerDep, factory: FactoryDep) -> ApplicationOut:
    """Submit: the checks run at once, and a short route that passes them is awarded at once where a share has room."""
    waits_for = submit(application, factory.intake, factory.awarding, by=caller)
    return _application_out(factory.intake.get(application, by=caller), factory, caller, waits_for)
