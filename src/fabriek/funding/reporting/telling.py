"""A report in words, for paper and for pages: labels, numbers as people read them, and what each chart says without its picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fabriek.funding.reporting.report import Line, Report
from fabriek.funding.reporting.rows import MEANS, OTHER, Row
from fabriek.funding.reporting.suppressing import Group
from fabriek.kernel.units import MICRO, shown_short

SHOWN_ALWAYS = frozenset({Row.ENTITLED, Row.AWARDED, Row.HELD, Row.USED, Row.OWED, Row.LAPSED})
"""Rows that a reader looks for even where they are nothing."""

BY = {
    "sector": "by sector", "region": "by region", "size": "by size of organisation", "purpose": "by purpose", "call": "by call",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RowTold:
    row: str
    label: str
    amount: str
    means: str


@dataclass(frozen=True, slots=True)
class GroupTold:
    """percent: of all use; 0 to 100. key: what opens it."""

    key: str
    word: str
    amount: str
    organisations: int
    percent: int


@dataclass(frozen=True, slots=True)
class Breakdown:
    title: str
    groups: Sequence[GroupTold]
    alt: str
    note: str


@dataclass(frozen=True, slots=True)
class LineTold:
    """One resource."""

    resource: str
    title: str
    rows: Sequence[RowTold]
    facts: Sequence[tuple[str, str]]
    breakdowns: Sequence[Breakdown]


@dataclass(frozen=True, slots=True)
class Told:
    title: str
    under: str
    summary: Sequence[tuple[str, str]]
    lines: Sequence[LineTold]
    notes: Sequence[str]


def told(report: Report) -> Told:
    of = "all shares" if len(report.shares) > 1 else f"share {report.name}"
    under = f"{report.period.first} to {report.period.last}, both included."
    if report.is_open:
        under += f" The period has not ended: these are the figures of {report.made_at:%Y-%m-%d %H:%M} UTC."
    summary = [
        ("Organisations helped", f"{report.organisations}"),
        ("Small and medium-sized enterprises among them", f"{report.smes}"),
        ("Projects that used something", f"{report.projects}"),
        ("Energy, estimated", f"{sum(one.energy_kwh for one in report.lines):,} kWh"),
        ("CO2 with it, estimated", f"{report.co2_kg:,} kg"),
        ("Value in kind", f"€ {report.value_euro:,}"),
    ]
    return Told(
        f"Report on {of}, {report.period.name}", under, summary, [_line(one) for one in report.lines], _notes(report)
    )


def _notes(report: Report) -> list[str]:
    notes = [
        (
            "What counts is what was booked in this period. A past report never changes: what is put right later is a line of its own day, and "
            "stands in that day's report as a correction of earlier periods."
        ),
        "A group that would tell of one organisation is shown together with the next smallest, as other.",
        "Energy is what jobs took beyond the idle machine, by the table of its power: an estimate. Waits are of jobs that began.",
        "CO2 is that energy times the grid's dated figure; of jobs that were settled before it was counted there is none.",
    ]
    rates = [
        f"{one.resource.plural} at € {one.value.euro:f}"
        for one in report.lines
        if one.value is not None and one.value_euro
    ]
    if rates:
        notes.append(
            f"Value in kind: {', '.join(rates)}. These are rates of this installation, an estimate of its operator: no price that anybody pays."
        )
    return notes


def _line(line: Line) -> LineTold:
    rows = [
        RowTold(row, row.replace("_", " "), shown_short(amount), MEANS[row])
        for row, amount in line.rows.items()
        if amount or row in SHOWN_ALWAYS
    ]
    facts: list[tuple[str, str]] = []
    if line.waited:
        facts.append(
            (
                "Waited",
                f"{span(line.waited.mean_seconds)} on average, 95 of 100 jobs at most {span(line.waited.p95_seconds)}",
            )
        )
    if line.energy_joules:
        facts.append(("Energy, estimated", f"{line.energy_kwh:,} kWh"))
    if line.co2_grams:
        facts.append(("CO2 with it, estimated", f"{line.co2_kg:,} kg"))
    if line.value and line.value_euro:
        facts.append(("Value in kind", f"€ {line.value_euro:,}"))
    title = line.resource.plural
    whole = line.rows[Row.USED]
    breakdowns = [
        _breakdown(f"{title[:1].upper()}{title[1:]} used {BY[dimension]}", dimension, groups, whole)
        for dimension, groups in line.groups.items()
        if groups
    ]
    return LineTold(line.resource, f"{title[:1].upper()}{title[1:]}", rows, facts, breakdowns)


def _breakdown(title: str, dimension: str, groups: Sequence[Group], whole: int) -> Breakdown:
    shown = [
        GroupTold(
            f"used.{dimension}.{one.word}", one.word.replace("_", " "), shown_short(one.amount), one.organisations,
            min(100, max(0, round(one.amount * 100 / whole))) if whole else 0,
        )
        for one in groups
    ]  # fmt: skip
    said = ", ".join(f"{one.word} {one.percent} %" for one in shown)
    hides = any(one.word == OTHER for one in groups)
    note = "other: groups that would tell of one organisation, together" if hides else ""
    return Breakdown(title, shown, f"Bars. {title}: {said}.", note)


def span(seconds: int) -> str:
    """A duration at a glance."""
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 2 * 3600:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h" if seconds < 2 * 86_400 else f"{seconds / 86_400:.1f} days"


def percents(groups: Sequence[Group]) -> Mapping[str, float]:
    """Word → its part of all, 0 to 100."""
    whole = sum(one.amount for one in groups) or MICRO
    return {one.word: one.amount * 100 / whole for one in groups}
