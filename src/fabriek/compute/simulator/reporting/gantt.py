"""Who stood where in the busiest time: nodes or processors from top to bottom, time from left to right, a job a block."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from fabriek.compute.capacity import Capacity
from fabriek.compute.simulator.outcomes import Placed
from fabriek.compute.simulator.reporting.axes import BOTTOM, TOP, Frame, lasting, place, time_ticks
from fabriek.compute.simulator.reporting.packing import PROCESSORS, Lane, Stood, lanes_of, packed
from fabriek.compute.simulator.reporting.results import Report, Result
from fabriek.compute.simulator.reporting.tables import in_order
from fabriek.compute.simulator.reporting.windows import DAY, HOUR, Window, busiest, seconds, whole

LENGTHS = (7 * DAY, 2 * DAY, DAY, 6 * HOUR, HOUR)
"""The times that are drawn: the first in which there are not more jobs than an eye can tell apart."""

JOBS_MAX = 1_500
NODES_MAX = 60
HEIGHT = 420
LANE_LEAST, LANE_MOST = 3.0, 12.0
LABELS_MAX = 12


@dataclass(frozen=True, slots=True)
class Shown:
    """What of the trace is drawn, under every policy alike. `nodes`: all, or those that had most to do."""

    window: Window
    nodes: tuple[int, ...]


def shown_of(report: Report) -> Shown:
    """The busiest time of the first policy, as long as all of them can be drawn in it."""
    taken = [
        (
            *seconds(one),
            float(one.row.shape.gpus_milli_in_all if report.machine.capacity.gpus else one.row.shape.cpus_in_all),
        )
        for one in report.results[0].outcome.stood
    ]
    within = whole([one for result in report.results for one in result.outcome.stood])
    for length in LENGTHS:
        window = busiest(taken, within, length)
        if all(len(_there(result, window)) <= JOBS_MAX for result in report.results):
            break
    return Shown(window, _nodes(report, window))


def _there(result: Result, window: Window) -> list[Placed]:
    return [one for one in in_order(result.outcome.stood) if window.overlaps(*seconds(one))]


def _nodes(report: Report, window: Window) -> tuple[int, ...]:
    nodes = range(report.machine.capacity.nodes)
    if len(nodes) <= NODES_MAX:
        return tuple(nodes)
    busy = dict.fromkeys(nodes, 0.0)
    for one in _there(report.results[0], window):
        start, end = seconds(one)
        for node in one.where.nodes if one.where else ():
            busy[node] += min(end, window.end) - max(start, window.start)
    return tuple(sorted(sorted(nodes, key=lambda node: (-busy[node], node))[:NODES_MAX]))


def drawn(report: Report, result: Result, shown: Shown, colours: Mapping[str, int]) -> Markup:
    """colours: share → the number of its colour; of a machine without shares a job's own number decides."""
    there = _there(result, shown.window)
    tops, height, labels = _places(report.machine.capacity, shown.nodes)
    frame = Frame(
        shown.window.start, shown.window.end, 1.0, time_ticks(shown.window),
        [(1 - (top / height), word) for top, word in labels], round(height) + TOP + BOTTOM,
    )  # fmt: skip
    # All that stand are packed, so that every lane is free or taken as it was; what is not to be seen is not drawn.
    body = "".join(
        _block(report, stood, frame, tops[stood.lane], colours)
        for stood in packed(there, report.machine.capacity)
        if stood.lane in tops
    )
    title = f"Where jobs stood under {result.policy}"
    says = f"{len(there):,} jobs within {lasting(shown.window.length)}; the largest are in the table below."
    return frame.drawn(title, says, f'<g class="jobs">{body}</g>', "curve gantt")


def largest(result: Result, window: Window, count: int) -> list[Placed]:
    """Of those that stood in that time, by what they took in it; the earliest first where two took the same."""

    def taken(one: Placed) -> float:
        start, end = seconds(one)
        shape = one.row.shape
        width = shape.gpus_milli_in_all or shape.cpus_in_all
        return -width * (min(end, window.end) - max(start, window.start))

    return sorted(_there(result, window), key=lambda one: (taken(one), one.row.job))[:count]


def _places(
    capacity: Capacity, nodes: Sequence[int]
) -> tuple[dict[Lane, tuple[float, float]], float, list[tuple[float, str]]]:
    """Lane → its top and the height of one unit; the whole height; and what is written beside it."""
    lanes = {lane: units for lane, units in lanes_of(capacity).items() if lane[0] in set(nodes)}
    each = max(LANE_LEAST, min(LANE_MOST, HEIGHT / len(lanes))) if len(lanes) > 1 else float(HEIGHT)
    found: dict[Lane, tuple[float, float]] = {}
    for number, (lane, units) in enumerate(lanes.items()):
        found[lane] = (number * each, each / units)
    height = len(lanes) * each
    if len(lanes) == 1:
        step = max(1, -(-capacity.cpus // 4))
        return found, height, [(height * at / capacity.cpus, str(at)) for at in range(0, capacity.cpus + 1, step)]
    firsts = [
        (lane[0], top) for lane, (top, _) in found.items() if lane == next(one for one in lanes if one[0] == lane[0])
    ]
    every = -(-len(firsts) // LABELS_MAX)
    labels = [(top, str(node) if number else f"node {node}") for number, (node, top) in enumerate(firsts[::every])]
    return found, height, labels


def _block(report: Report, stood: Stood, frame: Frame, at: tuple[float, float], colours: Mapping[str, int]) -> str:
    one, (top, unit) = stood.placed, at
    start, end = seconds(one)
    left, right = frame.x(max(start, frame.x_low)), frame.x(min(end, frame.x_high))
    number = colours.get(one.row.share, int(one.row.job))
    shape = one.row.shape
    takes = (
        f"{shape.gpus_milli_in_all / 1000:g} GPUs" if stood.lane[1] != PROCESSORS else f"{shape.cpus_in_all} processors"
    )
    whose = f" of {one.row.share}" if one.row.share else ""
    said = f"{report.name_of(one.row.job)}{whose}: {takes}, waited {lasting(one.wait_seconds)}, ran {lasting(one.ran_seconds)}"
    return (
        f'<rect class="{place(number)}" x="{left:.1f}" y="{TOP + top + stood.run[0] * unit:.1f}" width="{max(0.6, right - left):.1f}" '
        f'height="{max(0.6, (stood.run[1] - stood.run[0]) * unit):.1f}"><title>{escape(said)}</title></rect>'
    )
