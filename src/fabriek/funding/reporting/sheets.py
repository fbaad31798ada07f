"""A report for a spreadsheet, in which no cell is a formula."""

import csv
import io
from collections.abc import Iterator

from fabriek.funding.reporting.report import Line, Report
from fabriek.funding.reporting.rows import MEANS
from fabriek.kernel.spreadsheets import shown_cell
from fabriek.kernel.units import shown

COLUMNS = ("share", "period", "resource", "figure", "group", "amount", "unit", "organisations", "means")


def as_csv(report: Report) -> str:
    """One line for each figure. Source: OWASP, CSV injection."""
    written = io.StringIO()
    sheet = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    sheet.writerow(COLUMNS)
    for cells in _lines(report):
        sheet.writerow([cell_of(one) for one in (report.name, report.period.name, *cells)])
    return written.getvalue()


def cell_of(text: str) -> str:
    """A number below zero stays one: it is ours, and no spreadsheet computes it."""
    number = text.replace(".", "", 1).replace("-", "", 1)
    return text if number.isdigit() else shown_cell(text)


def _lines(report: Report) -> Iterator[tuple[str, ...]]:
    yield ("", "organisations", "", str(report.organisations), "", "", "organisations that used something")
    yield ("", "smes", "", str(report.smes), "", "", "small and medium-sized enterprises among them")
    yield ("", "projects", "", str(report.projects), "", "", "projects that used something")
    yield (
        "",
        "energy",
        "",
        str(sum(one.energy_kwh for one in report.lines)),
        "kWh",
        "",
        "an estimate of what jobs took",
    )
    yield ("", "co2", "", str(report.co2_kg), "kg", "", "an estimate, by the mix of the grid")
    yield ("", "value", "", str(report.value_euro), "EUR", "", "by rates of this installation")
    for line in report.lines:
        yield from _of_line(line)


def _of_line(line: Line) -> Iterator[tuple[str, ...]]:
    unit = line.resource.plural
    for row, amount in line.rows.items():
        yield (line.resource, row, "", plain(amount), unit, "", MEANS[row])
    yield (line.resource, "energy", "", str(line.energy_kwh), "kWh", "", "an estimate of what jobs took")
    yield (line.resource, "co2", "", str(line.co2_kg), "kg", "", "an estimate, by the mix of the grid")
    if line.value:
        rate = f"{line.value.euro} euro for each: {line.value.source}"
        yield (line.resource, "value", "", str(line.value_euro), "EUR", "", rate)
    if line.waited:
        yield (line.resource, "waited_mean", "", str(line.waited.mean_seconds), "s", "", f"of {line.waited.jobs} jobs")
        yield (line.resource, "waited_p95", "", str(line.waited.p95_seconds), "s", "", f"of {line.waited.jobs} jobs")
    for dimension, groups in line.groups.items():
        for group in groups:
            yield (
                line.resource,
                f"used by {dimension}",
                group.word,
                plain(group.amount),
                unit,
                str(group.organisations),
                "",
            )


def plain(amount_micro: int) -> str:
    """For programs: no thousands separator."""
    return shown(amount_micro).replace(",", "")
