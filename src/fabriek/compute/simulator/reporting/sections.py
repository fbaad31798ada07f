"""The parts of the page, each drawing with its table beside it: what is to be seen is to be read too."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fabriek.compute.power import idle_watts
from fabriek.compute.simulator.outcomes import Placed
from fabriek.compute.simulator.reporting import charts, gantt
from fabriek.compute.simulator.reporting.axes import block, lasting, moment, swatch
from fabriek.compute.simulator.reporting.charts import BINS, WATTS_PER_KW, Line
from fabriek.compute.simulator.reporting.results import Report, Result
from fabriek.compute.simulator.reporting.tables import told
from fabriek.compute.simulator.reporting.windows import Window, seconds, whole
from fabriek.kernel.units import MICRO

ROWS = 12
"""Of a table beside a line over time: as many stretches."""

SHARES_MAX = 12
"""Which are drawn; the table of shares has all."""

LARGEST = 15
UNSTARTED_MAX = 20
PERCENTILES = (0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)


@dataclass(frozen=True, slots=True)
class Written:
    """A table. The first cell of a row names it; the rest are numbers unless `words`."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with its legend, and the table beside it."""

    caption: str
    drawing: Markup
    legend: Sequence[tuple[Markup, str]]
    table: Written


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: str
    says: Sequence[str]
    table: Written | None = None
    figures: Sequence[Figure] = ()


def sections_of(report: Report) -> list[Section]:
    """In the order of the page."""
    window = whole([one for result in report.results for one in result.outcome.stood])
    shown = gantt.shown_of(report)
    found = [_compared(report), _shares(report), _waits(report), _use(report, window), _power(report, window)]
    return [*(one for one in found if one), _overview(report, window, shown), _left_out(report)]


Say = Callable[[float], str]
ROWS_COMPARED: tuple[tuple[str, str, Say], ...] = (
    ("jobs", "jobs that ran", lambda value: f"{value:,.0f}"),
    ("unstarted", "jobs that never started", lambda value: f"{value:,.0f}"),
    ("mean_wait_seconds", "mean wait", lasting),
    ("median_wait_seconds", "median wait", lasting),
    ("wait_seconds_p95", "wait of 95 in 100 at most", lasting),
    ("wait_seconds_max", "longest wait", lasting),
    ("mean_bounded_slowdown", "mean bounded slowdown", lambda value: f"{value:,.2f}"),
    ("utilisation", "utilisation", lambda value: f"{value:.1%}"),
    ("makespan_seconds", "from first submission to last end", lasting),
    ("kwh", "energy of the jobs, kWh", lambda value: f"{value:,.1f}"),
    ("quarter_hours_above", "quarter hours above what was allowed", lambda value: f"{value:,.0f}"),
    ("put_back", "times a job was put back for others", lambda value: f"{value:,.0f}"),
    ("lost_seconds_max", "most that one lost by that", lasting),
    ("share_gap", "furthest a share was from its part", lambda value: f"{value:.1%}"),
)  # fmt: skip


def _compared(report: Report) -> Section:
    first, *others = report.results
    rows = []
    for name, word, say in ROWS_COMPARED:
        was = float(getattr(first.figures, name))
        rows.append([word, say(was)])
        for one in others:
            value = float(getattr(one.figures, name))
            rows[-1] += [say(value), _change(was, value)]
    head = ["", first.policy, *(cell for one in others for cell in (one.policy, f"against {first.policy}"))]
    says = [
        "A bounded slowdown says how many times longer a job took with its wait; what is shorter than ten seconds counts as ten."
    ]
    return Section("compared", "The policies compared", says, Written("Figures of each policy", head, rows))


def _shares(report: Report) -> Section | None:
    if not report.shares:
        return None
    head = [
        "share",
        *(f"{one.policy}: {word}" for one in report.results for word in ("part", "of all use", "mean wait")),
    ]
    rows = [
        [share, *(cell for one in report.results for cell in _of_share(one, share))]
        for share in report.shares
    ]  # fmt: skip
    return Section(
        "shares", "Shares", ["Part: of the machine, as the policy says. Of all use: what the share's jobs took of what was taken."],
        Written("Shares under each policy", head, rows),
    )  # fmt: skip


def _of_share(result: Result, share: str) -> list[str]:
    figures = result.figures
    wait = figures.wait_seconds_by_share.get(share)
    return [
        f"{result.parts[share] / MICRO:.1%}" if share in result.parts else "none",
        f"{figures.used_by_share.get(share, 0.0):.1%}",
        lasting(wait) if wait is not None else "no job",
    ]


def _waits(report: Report) -> Section:
    ordered = [sorted(one.wait_seconds for one in result.outcome.placed) for result in report.results]
    rows = [
        [
            f"{part:.0%}",
            *(
                lasting(waits[min(len(waits) - 1, math.ceil(part * len(waits)) - 1)]) if waits else "none"
                for waits in ordered
            ),
        ]
        for part in PERCENTILES
    ]
    title = "Which part of the jobs waited no longer than so long"
    figure = Figure(
        title, charts.waits_spread(title, "The scale of waits is logarithmic. The table has the same.", report.results),
        _policies(report), Written("So many of the jobs waited at most", ["of the jobs", *_names(report)], rows),
    )  # fmt: skip
    return Section("waits", "How long jobs waited", [], figures=[figure])


def _use(report: Report, window: Window) -> Section:
    named = report.shares
    shares: list[str | None] = [*named[:SHARES_MAX]] or [None]
    says = [f"Each point is the mean over {lasting(window.length / BINS)}."]
    if named:
        says.append(
            "The dotted line is the share's part of the machine. A share may use more where others leave theirs."
        )
    if len(named) > SHARES_MAX:
        says.append(f"Of {len(named)} shares the first {SHARES_MAX} are drawn.")
    return Section("use", "Use over time", says, figures=[_use_of(report, window, share) for share in shares])


def _use_of(report: Report, window: Window, share: str | None) -> Figure:
    """Of a share, under the policies that know it; without one, of the whole machine."""
    machine, lines, columns, legend = report.machine, list[Line](), list[list[float]](), list[tuple[Markup, str]]()
    known = [(n, one) for n, one in enumerate(report.results) if share is None or share in one.parts]
    for number, result in known:
        lines.append(Line(number, charts.use_in(result, machine, window.edges(BINS), share)))
        columns.append(charts.use_in(result, machine, window.edges(ROWS), share))
        part = result.parts.get(share or "")
        legend.append((swatch(number), result.policy if part is None else f"{result.policy}, part {part / MICRO:.1%}"))
        if part is not None:
            lines.append(Line(number, [part / MICRO] * BINS, part=True))
    title = f"{share}: part of the machine in use" if share else "Part of the machine in use"
    edges = window.edges(ROWS)
    rows = [[moment(edges[number]), *(f"{column[number]:.1%}" for column in columns)] for number in range(ROWS)]
    drawing = charts.lines_over(title, "Each policy a line. The table has the same in fewer steps.", window, lines, "%")
    head = ["from", *(result.policy for _, result in known)]
    table = Written(f"{title}, mean of {lasting(window.length / ROWS)} each", head, rows)
    return Figure(title, drawing, legend, table)


def _power(report: Report, window: Window) -> Section:
    machine, lines, found = report.machine, list[Line](), list[charts.Power]()
    idle = float(idle_watts(machine.table, machine.capacity.nodes))
    for number, result in enumerate(report.results):
        lines.append(
            Line(
                number,
                [watts / WATTS_PER_KW for watts in charts.power_in(result, machine, window.edges(BINS), idle).drawn],
            )
        )
        found.append(charts.power_in(result, machine, window.edges(ROWS), idle))
    allowed = charts.power_in(report.results[0], machine, window.edges(BINS), idle).allowed
    limited = any(watts is not None for watts in allowed)
    if limited:
        lines.append(
            Line(
                len(report.results),
                [math.nan if watts is None else watts / WATTS_PER_KW for watts in allowed],
                part=True,
            )
        )
    title = "What was drawn at the meter, in kW"
    edges = window.edges(ROWS)
    rows = [
        [moment(edges[number]), *(f"{one.drawn[number] / WATTS_PER_KW:,.4g}" for one in found)]
        + ([_kw(found[0].allowed[number])] if limited else [])
        for number in range(ROWS)
    ]
    legend = [*_policies(report), *([(swatch(len(report.results), part=True), "allowed")] if limited else [])]
    says = [
        f"Each point is the most that was drawn within {lasting(window.length / BINS)}, idle nodes included, by the table {machine.table.machine}."
    ]
    says.append(
        "The dotted line is the least that was allowed in that time."
        if limited
        else "No limit and no contract was given."
    )
    table = Written(
        f"Most that was drawn, kW, in {lasting(window.length / ROWS)} each",
        ["from", *_names(report), *(["allowed"] if limited else [])],
        rows,
    )
    drawing = charts.lines_over(
        title, "Each policy a line. The table has the same in fewer steps.", window, lines, "kW"
    )
    return Section("power", "Power", says, figures=[Figure(title, drawing, legend, table)])


def _overview(report: Report, window: Window, shown: gantt.Shown) -> Section:
    lines = [Line(n, charts.use_in(one, report.machine, window.edges(BINS))) for n, one in enumerate(report.results)]
    rows = [[moment(edge), *(f"{used:.1%}" for used in some)] for edge, *some in zip(
        window.edges(ROWS), *(charts.use_in(one, report.machine, window.edges(ROWS)) for one in report.results), strict=False,
    )]  # fmt: skip
    title = "The whole trace: part of the machine in use"
    figures = [
        Figure(
            title, charts.lines_over(title, "The time that is drawn below is marked.", window, lines, "%", marked=shown.window),
            _policies(report), Written(title, ["from", *_names(report)], rows),
        )
    ]  # fmt: skip
    colours = {share: number for number, share in enumerate(report.shares)}
    legend = [(block(number), share) for share, number in colours.items()]
    for result in report.results:
        rows = [_row(report, one.row.job, one) for one in gantt.largest(result, shown.window, LARGEST)]
        head = ["job", "share", "processors", "GPUs", "started", "waited", "ran", "where"]
        figures.append(
            Figure(
                f"Where jobs stood under {result.policy}", gantt.drawn(report, result, shown, colours), legend if result.parts else [],
                Written(f"The {LARGEST} largest of that time under {result.policy}", head, rows, words=True),
            )
        )  # fmt: skip
    whole_time = shown.window.length >= window.length
    says = [
        "The whole trace is drawn."
        if whole_time
        else f"Drawn are the busiest {lasting(shown.window.length)} under {report.results[0].policy}, from {moment(shown.window.start)} on."
    ]
    if len(shown.nodes) < report.machine.capacity.nodes:
        says.append(
            f"Of {report.machine.capacity.nodes:,} nodes the {len(shown.nodes)} are drawn that had most to do in it."
        )
    if report.machine.capacity.nodes == 1 and not report.machine.capacity.gpus:
        says.append("The machine is one pool of processors: a job is drawn on the lowest that were free.")
    if not all(result.parts for result in report.results):
        says.append("Where no share pays, colours only tell neighbours apart.")
    return Section("jobs", "Where jobs stood", says, figures=figures)


def _row(report: Report, job: str, one: Placed) -> list[str]:
    shape = one.row.shape
    return [
        report.name_of(job), one.row.share or "none", f"{shape.cpus_in_all:,}", f"{shape.gpus_milli_in_all / 1000:g}", moment(seconds(one)[0]),
        lasting(one.wait_seconds), lasting(one.ran_seconds), _short(told(one.where)),
    ]  # fmt: skip


def _left_out(report: Report) -> Section:
    rows = [[one.why, f"{one.jobs:,}", str(one.first) if one.first else "on this machine"] for one in report.left_out]
    for result in report.results:
        if result.outcome.unstarted:
            some = [report.name_of(job) for job in result.outcome.unstarted[:UNSTARTED_MAX]]
            rows.append([f"never started under {result.policy}", f"{len(result.outcome.unstarted):,}", ", ".join(some)])
    says = [] if rows else ["Nothing was left out."]
    if report.guessed:
        says.append(f"Of {report.guessed:,} jobs nobody said how long they may run; they ask for as long as they ran.")
    table = Written("What of the trace was left out", ["why", "jobs", "first line, or which"], rows, words=True)
    return Section("left-out", "What was left out", says, table if rows else None)


def _policies(report: Report) -> list[tuple[Markup, str]]:
    return [(swatch(number), name) for number, name in enumerate(_names(report))]


def _names(report: Report) -> list[str]:
    return [one.policy for one in report.results]


def _change(was: float, value: float) -> str:
    if was == value:
        return "the same"
    return f"{(value - was) / abs(was):+.1%}" if was else "from none"


def _kw(watts: float | None) -> str:
    return "no limit" if watts is None else f"{watts / WATTS_PER_KW:,.4g}"


def _short(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
