"""Funding: what each share did in a quarter with the lines behind it, what was sold of the machine, and the page for all."""

from typing import Any

from fastapi import Request
from starlette.responses import Response

from fabriek.funding.giving.quarters import quarter_named, quarter_of
from fabriek.funding.reporting.burning import Burndown, sentence
from fabriek.funding.reporting.printing import printed, printed_page
from fabriek.funding.reporting.rows import MEANS, place_named
from fabriek.funding.reporting.seeing import sees_all
from fabriek.funding.reporting.selling import Sold
from fabriek.funding.reporting.sheets import as_csv
from fabriek.funding.reporting.telling import LineTold, told
from fabriek.kernel.callers import Caller
from fabriek.kernel.units import MICRO, shown, shown_short
from fabriek.portal.bars import bars
from fabriek.portal.curves import curve
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

VIEW = Right("funding.view")
ONE = "/funding/reports/{share}/{quarter}"
QUARTERS_SHOWN = 4
LINES_SHOWN = 100


def burndown_shown(services: Services, project: str, by: Caller) -> list[dict[str, Any]]:
    """Each resource that a project has: its curve, and the forecast in words."""
    return [_burning(one) for one in services.reporting.burndown(project, by=by)]


def _burning(one: Burndown) -> dict[str, Any]:
    points = [(float(-place), left / MICRO) for place, (_, left) in enumerate(reversed(one.remaining))]
    name, ends = (
        f"{one.resource.plural} left, by day",
        (str(one.remaining[0][0]), "today") if one.remaining else ("", ""),
    )
    drawn = curve(name, points[::-1], low=0, ends=ends).svg if any(used for _, used in one.daily) else ""
    return {
        "title": one.resource.plural, "says": sentence(one), "drawn": drawn,
        "each_week": shown_short(one.forecast.each_week),
    }  # fmt: skip


def _sold(one: Sold) -> dict[str, Any]:
    """Of each month the day on which most of what is there was sold."""
    months = {(due.on.year, due.on.month): due for due in sorted(one.dues, key=lambda due: (due.percent or 0, due.on))}
    shown_dues = sorted(months.values(), key=lambda due: due.on)
    dues = [
        {"on": due.on, "sold": shown_short(due.sold), "there": shown_short(due.there), "percent": due.percent, "over": due.is_over}
        for due in shown_dues
    ]  # fmt: skip
    drawn = [(f"by {due.on}", due.percent) for due in shown_dues if due.percent is not None]
    alt = f"Bars. {one.resource.plural} sold, of what is there: {', '.join(f'{on} {percent} %' for on, percent in drawn)}."
    return {
        "title": one.resource.plural,
        "known": one.is_known,
        "dues": dues,
        "drawn": bars(alt, drawn) if one.is_known else "",
    }


def _drawn(line: LineTold) -> list[Any]:
    return [bars(one.alt, [(group.word, group.percent) for group in one.groups]) for one in line.breakdowns]


def router(services: Services, pages: Pages) -> Router:
    made, reporting = Router(include_in_schema=False), services.reporting
    _files(made, services)

    @made.get("/funding", access=VIEW)
    def funding(request: Request, caller: CallerDep) -> Response:
        """The shares whose reports one may read, and what was sold of the machine."""
        quarters = [quarter_of(services.clock.today())]
        while len(quarters) < QUARTERS_SHOWN:
            quarters.append(quarters[-1].previous)
        sold = [_sold(one) for one in reporting.capacity(by=caller)] if sees_all(caller) else None
        year = services.clock.today().year
        return pages.render(
            request, "funding.html", shares=reporting.shares(by=caller), quarters=quarters, sold=sold, year=year
        )

    @made.get(ONE, access=VIEW)
    def report(request: Request, share: str, quarter: str, caller: CallerDep) -> Response:
        """One share in one quarter, with its charts."""
        of = quarter_named(quarter)
        found = told(reporting.of_share(share, of, by=caller))
        lines = [(line, _drawn(line)) for line in found.lines]
        return pages.render(request, "funding_report.html", told=found, lines=lines, share=share, quarter=of)

    @made.get(ONE + "/entries", access=VIEW)
    def entries(
        request: Request, share: str, quarter: str, caller: CallerDep, row: str = "used", resource: str = "gpu_hour", after: str = ""
    ) -> Response:  # fmt: skip
        """The ledger's lines behind one figure."""
        of, place = quarter_named(quarter), place_named(row, resource)
        found = reporting.open(share, of, place, after=after, limit=LINES_SHOWN, by=caller)
        shown_lines = [(one, shown(counts)) for one, counts in found.lines]
        return pages.render(
            request, "funding_entries.html", share=share, quarter=of, row=row, place=place, means=MEANS[place.row], lines=shown_lines,
            total=shown(found.total), folded=shown(found.folded), folded_lines=found.folded_lines, after=found.after, first=not after,
        )  # fmt: skip

    @made.get("/funding/public/{year}", access=VIEW)
    def public(request: Request, year: int, caller: CallerDep) -> Response:
        """The page for parliament and press."""
        return pages.render(request, "funding_public.html", page=reporting.page(year, by=caller), year=year)

    return made


def _files(made: Router, services: Services) -> None:
    reporting = services.reporting

    @made.get(ONE + "/report.csv", access=VIEW)
    def as_sheet(share: str, quarter: str, caller: CallerDep) -> Response:
        """The report for a spreadsheet; no cell is a formula."""
        content = as_csv(reporting.of_share(share, quarter_named(quarter), by=caller))
        named = {"Content-Disposition": 'attachment; filename="report.csv"'}
        return Response(content, media_type="text/csv; charset=utf-8", headers=named)

    @made.get(ONE + "/report.pdf", access=VIEW)
    def on_paper(share: str, quarter: str, caller: CallerDep) -> Response:
        """The report as a tagged PDF."""
        found = told(reporting.of_share(share, quarter_named(quarter), by=caller))
        return Response(printed(found), media_type="application/pdf")

    @made.get("/funding/public/{year}/page.pdf", access=VIEW)
    def public_on_paper(year: int, caller: CallerDep) -> Response:
        """The page for all as a tagged PDF."""
        return Response(printed_page(reporting.page(year, by=caller)), media_type="application/pdf")
