"""Reports that awards ask for, extensions and thanks over HTTP. Who may see or decide what, the services say."""

from typing import Literal

from fabriek.api.applying import form_out
from fabriek.funding.duties.reports import Duty
from fabriek.kernel.units import shown
from fabriek.schemas.access import AnswersIn, FormOut
from fabriek.schemas.base import PageOut
from fabriek.schemas.duties import (
    AcknowledgementIn,
    AcknowledgementOut,
    DutyOut,
    ExtensionIn,
    ExtensionOut,
    ReturnIn,
    ThanksOut,
)
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["duties"])
ONE = "/duties/{duty}"


def _duty_out(one: Duty, services: Services) -> DutyOut:
    report, names = one.report, {share.id: share.name for share in services.funding.shares()}
    return DutyOut(
        id=one.id, project=services.access.project(one.allocation.project).slug, kind=one.rule.kind, call=one.rule.call,
        share=names[one.allocation.share], form=one.rule.form, state=report.state, due_on=one.due_on,
        days_overdue=one.days_overdue(services.clock.today()), revision=report.revision, filed_at=report.filed_at,
        decided_at=report.decided_at, note=report.note, answers=dict(report.answers),
    )  # fmt: skip


@router.get("/duties", access=SIGNED_IN)
def list_duties(caller: CallerDep, factory: FactoryDep, project: str = "", to_decide: bool = False) -> PageOut[DutyOut]:  # noqa: FBT001, FBT002  # a query
    """Reports that your projects owe, or one of them; with `to_decide` those that you accept or return."""
    reporting = factory.duties.reporting
    found = reporting.to_decide(by=caller) if to_decide else reporting.mine(by=caller)
    if project and not to_decide:
        found = reporting.of_project(project, by=caller)
    return PageOut[DutyOut](items=[_duty_out(one, factory) for one in found])


@router.get("/report-forms/{name}", access=SIGNED_IN)
def show_form(name: str, factory: FactoryDep) -> FormOut:
    """What a report asks: `interim` or `final`."""
    return form_out(factory.duties.reporting.rules.form(name))


@router.get(ONE, access=SIGNED_IN)
def show_duty(duty: str, caller: CallerDep, factory: FactoryDep) -> DutyOut:
    """One report, with its answers."""
    return _duty_out(factory.duties.reporting.show(duty, by=caller), factory)


@router.patch(ONE, access=SIGNED_IN)
def edit_report(duty: str, asked: AnswersIn, caller: CallerDep, factory: FactoryDep) -> DutyOut:
    """Change answers of a report that is not filed; all of them or, where one is wrong, none."""
    kept = factory.duties.reporting.keep(duty, asked.answers, revision=asked.revision, by=caller)
    return _duty_out(kept.duty, factory)


@router.post(ONE + "/file", access=SIGNED_IN)
def file_report(duty: str, caller: CallerDep, factory: FactoryDep) -> DutyOut:
    """Hand it in, complete."""
    return _duty_out(factory.duties.reporting.file(duty, by=caller), factory)


@router.post(ONE + "/accept", access=Right("funding.award"))
def accept_report(duty: str, caller: CallerDep, factory: FactoryDep) -> DutyOut:
    """Accept a report that your share paid for."""
    return _duty_out(factory.duties.reporting.accept(duty, by=caller), factory)


@router.post(ONE + "/return", access=Right("funding.award"))
def return_report(duty: str, asked: ReturnIn, caller: CallerDep, factory: FactoryDep) -> DutyOut:
    """Back to its lead, with what is to be mended."""
    return _duty_out(factory.duties.reporting.give_back(duty, asked.note, by=caller), factory)


@router.post("/projects/{project}/extension", access=Right("project.manage"), status_code=201)
def extend(project: str, asked: ExtensionIn, caller: CallerDep, factory: FactoryDep) -> ExtensionOut:
    """More time and a part more, by the call's rule, once."""
    made = factory.duties.extending.extend(project, allocation=asked.allocation, by=caller)
    return ExtensionOut(
        allocation=made.allocation.id, rule=made.rule.id, was_until=made.was_until, ends_on=made.allocation.ends_on,
        came={str(resource): shown(amount) for resource, amount in made.amounts.items()},
    )  # fmt: skip


@router.get("/projects/{project}/acknowledgement", access=Right("project.view"))
def acknowledgement(
    project: str, caller: CallerDep, factory: FactoryDep, lang: Literal["en", "nl"] = "en"
) -> PageOut[ThanksOut]:
    """How to thank each funder whose share has paid for something."""
    found = factory.duties.acknowledging.of_project(project, lang, by=caller)
    return PageOut[ThanksOut](
        items=[
            ThanksOut(
                share=one.share, funder=one.funder, text=one.text, quarters=[str(quarter) for quarter in one.paid.quarters],
                paid={str(resource): shown(amount) for resource, amount in one.paid.amounts.items()},
            )
            for one in found
        ]
    )  # fmt: skip


@router.put("/shares/{share}/acknowledgement", access=Right("funding.contribute"))
def set_acknowledgement(
    share: str, asked: AcknowledgementIn, caller: CallerDep, factory: FactoryDep
) -> AcknowledgementOut:
    """How projects thank the funder of this share."""
    made = factory.duties.acknowledging.set(share, nl=asked.nl, en=asked.en, by=caller)
    return AcknowledgementOut(share=made.share, nl=made.nl, en=made.en)
