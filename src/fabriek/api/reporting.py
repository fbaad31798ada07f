"""Reports over HTTP: a funder's, the lines behind each figure, the page for all, a project's pace, and what was sold of the machine."""

from fastapi import Query
from starlette.responses import Response

from fabriek.funding.giving.quarters import quarter_named
from fabriek.funding.reporting.burning import Burndown, sentence
from fabriek.funding.reporting.printing import printed, printed_page
from fabriek.funding.reporting.public import as_text
from fabriek.funding.reporting.report import Line, Report
from fabriek.funding.reporting.rows import place_named
from fabriek.funding.reporting.selling import Sold
from fabriek.funding.reporting.sheets import as_csv, plain
from fabriek.funding.reporting.telling import told
from fabriek.schemas.base import PageOut
from fabriek.schemas.funding import EntryOut
from fabriek.schemas.reporting import (
    BurndownOut,
    DayOut,
    DueOut,
    GroupOut,
    OpenedOut,
    PagePartOut,
    PublicPageOut,
    ReportLineOut,
    ReportOut,
    SoldOut,
)
from fabriek.web.dependencies import LIMIT_DEFAULT, LIMIT_MAX, CallerDep, FactoryDep
from fabriek.web.router import Right, Router

router = Router(prefix="/api/v1", tags=["funding"])

VIEW = Right("funding.view")
ONE = "/funding/reports/{share}/{quarter}"
PDF, CSV = "application/pdf", "text/csv; charset=utf-8"


def _line_out(line: Line) -> ReportLineOut:
    waited = line.waited
    return ReportLineOut(
        resource=line.resource, rows={str(row): plain(amount) for row, amount in line.rows.items()}, jobs=waited.jobs if waited else 0,
        waited_mean_seconds=waited.mean_seconds if waited else None, waited_p95_seconds=waited.p95_seconds if waited else None,
        energy_kwh=str(line.energy_kwh), co2_kg=str(line.co2_kg),
        value_euro=str(line.value_euro), value_source=line.value.source if line.value else "",
        groups={
            str(dimension): [GroupOut(word=one.word, used=plain(one.amount), organisations=one.organisations) for one in groups]
            for dimension, groups in line.groups.items()
        },
    )  # fmt: skip


def _out(report: Report) -> ReportOut:
    return ReportOut(
        share=report.name, period=report.period.name, first=report.period.first, last=report.period.last, made_at=report.made_at,
        is_open=report.is_open, organisations=report.organisations, smes=report.smes, projects=report.projects,
        energy_kwh=str(sum(one.energy_kwh for one in report.lines)), co2_kg=str(report.co2_kg), value_euro=str(report.value_euro),
        lines=[_line_out(one) for one in report.lines],
    )  # fmt: skip


@router.get(ONE, access=VIEW)
def report(share: str, quarter: str, caller: CallerDep, factory: FactoryDep) -> ReportOut:
    """What a share did in a quarter such as 2026Q4; a funder's own share, and for an operator or auditor each."""
    return _out(factory.reporting.of_share(share, quarter_named(quarter), by=caller))


@router.get(ONE + "/report.csv", access=VIEW)
def report_csv(share: str, quarter: str, caller: CallerDep, factory: FactoryDep) -> Response:
    """The same for a spreadsheet; no cell is a formula."""
    made = as_csv(factory.reporting.of_share(share, quarter_named(quarter), by=caller))
    return Response(made, media_type=CSV, headers={"Content-Disposition": 'attachment; filename="report.csv"'})


@router.get(ONE + "/report.pdf", access=VIEW)
def report_pdf(share: str, quarter: str, caller: CallerDep, factory: FactoryDep) -> Response:
    """The same as a tagged PDF with charts."""
    return Response(printed(told(factory.reporting.of_share(share, quarter_named(quarter), by=caller))), media_type=PDF)


@router.get(ONE + "/entries", access=VIEW)
def report_entries(
    share: str, quarter: str, caller: CallerDep, factory: FactoryDep, row: str = "used", resource: str = "gpu_hour", after: str = "",
    limit: int = Query(LIMIT_DEFAULT, ge=1, le=LIMIT_MAX),
) -> OpenedOut:  # fmt: skip
    """The lines of the ledger behind one figure of that report: `used`, or `used.sector.health` for a group."""
    place = place_named(row, resource)
    found = factory.reporting.open(share, quarter_named(quarter), place, after=after, limit=limit, by=caller)
    return OpenedOut(
        row=row, resource=place.resource, total=plain(found.total), folded=plain(found.folded), folded_lines=found.folded_lines,
        items=[
            EntryOut(
                id=one.id, transaction=one.transaction, account=one.account, resource=one.resource, amount=plain(counts), at=one.at,
                memo=one.memo, job=one.job,
            )
            for one, counts in found.lines
        ],
        after=found.after,
    )  # fmt: skip


@router.get("/funding/public/{year}", access=VIEW)
def public_page(year: int, caller: CallerDep, factory: FactoryDep) -> PublicPageOut:
    """The page about a year for parliament and press, in plain Dutch."""
    page = factory.reporting.page(year, by=caller)
    parts = [PagePartOut(heading=one.heading, sentences=list(one.sentences)) for one in page.parts]
    return PublicPageOut(title=page.title, parts=parts, text=as_text(page))


@router.get("/funding/public/{year}/page.pdf", access=VIEW)
def public_pdf(year: int, caller: CallerDep, factory: FactoryDep) -> Response:
    """The same as a tagged PDF."""
    return Response(printed_page(factory.reporting.page(year, by=caller)), media_type=PDF)


@router.get("/funding/capacity", access=VIEW)
def capacity(caller: CallerDep, factory: FactoryDep) -> PageOut[SoldOut]:
    """What was sold of the machine against what it gives until then; for those who see all shares."""
    return PageOut[SoldOut](items=[_sold_out(one) for one in factory.reporting.capacity(by=caller)])


@router.get("/projects/{project}/burndown", access=Right("project.view"))
def burndown(project: str, caller: CallerDep, factory: FactoryDep) -> PageOut[BurndownOut]:
    """How the project spends each resource, and the day on which it runs out."""
    return PageOut[BurndownOut](items=[_burndown_out(one) for one in factory.reporting.burndown(project, by=caller)])


def _sold_out(one: Sold) -> SoldOut:
    dues = [
        DueOut(on=due.on, sold=plain(due.sold), there=plain(due.there), percent=due.percent, is_over=due.is_over)
        for due in one.dues
    ]
    return SoldOut(resource=one.resource, is_known=one.is_known, dues=dues)


def _burndown_out(one: Burndown) -> BurndownOut:
    told = one.forecast
    return BurndownOut(
        resource=one.resource, granted=plain(one.granted), left=plain(one.left), held=plain(one.held), owed=plain(one.owed),
        ends_on=one.ends_on, outlook=told.outlook, on=told.on, earliest=told.earliest, latest=told.latest, weeks=told.weeks,
        each_week=plain(told.each_week), says=sentence(one),
        days=[
            DayOut(day=day, used=plain(used), left=plain(left))
            for (day, used), (_, left) in zip(one.daily, one.remaining, strict=True)
        ],
    )  # fmt: skip
