"""Why a job waits, in one sentence that its owner can act on. It never names another's job: that may be a secret."""

from collections.abc import Iterable
from datetime import datetime, tzinfo

from fabriek.compute.capacity import Capacity, Room
from fabriek.compute.gpus import MILLI, UNNAMED, amount
from fabriek.compute.jobs import Shape
from fabriek.compute.power import Contract, Limit
from fabriek.kernel.units import MICRO, shown_bytes


def clock_time(at: datetime, now: datetime, zone: tzinfo) -> str:
    """`14:00` today, `2026-11-25 14:00` on another day, in the installation's zone."""
    local = at.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == now.astimezone(zone).date() else f"{local:%Y-%m-%d %H:%M}"


EXPECTED = "; room is expected at "


def without_expected(reason: str) -> str:
    """The reason without the instant of the worst case, for who says a likelier one. That others make room for it stays."""
    before, expected, after = reason.partition(EXPECTED)
    if not expected:
        return reason
    _, more, rest = after.partition(";")
    return f"{before}{more}{rest}" if more else f"{before}."


def no_room(need: Room, free: Room, until: str) -> str:
    asked, left = _short(need, free)
    later = f"{EXPECTED}{until}" if until else ""
    return f"Waits for room: this job needs {asked}, the machine has {left} free{later}."


def no_node(shape: Shape, until: str) -> str:
    """The machine has enough in all, and no node, or too few of them, has enough together."""
    each, later = _each(shape), f"{EXPECTED}{until}" if until else ""
    of = f" of the {len(shape.among)} that take such jobs" if shape.among else ""
    if shape.nodes == 1:
        return f"Waits for room: no node{of} has {each} free together{later}."
    return f"Waits for room: fewer than {shape.nodes} nodes{of} have {each} free together{later}."


def makes_room(waits: str, count: int) -> str:
    """waits: the reason so far."""
    others = "a job that may be put back makes" if count == 1 else f"{count} jobs that may be put back make"
    return f"{waits.rstrip('.')}; {others} room for it."


def never_on_nodes(shape: Shape, capacity: Capacity) -> str:
    nodes = "one node" if capacity.nodes == 1 else f"{capacity.nodes} nodes"
    many = "a node" if shape.nodes == 1 else f"each of {shape.nodes} nodes"
    return f"Can never start here: this job needs {_each(shape)} on {many}, and the machine has {nodes} of {_size(capacity.each())}."


def no_power(need: Room, free: Room, cause: str) -> str:
    """cause: what `power_cause` says."""
    return f"Waits for power: {cause} leaves {max(0, free.watts)} W, this job needs {need.watts} W."


def power_cause(contract: Contract | None, limits: Iterable[Limit], at: datetime, now: datetime, zone: tzinfo) -> str:
    """What binds at that instant: `the limit of 40 W until 14:00`, or the contract where no limit is as low."""
    binding = [limit for limit in limits if limit.starts <= at < limit.ends]
    lowest = min(binding, key=lambda limit: (limit.watts, -limit.ends.timestamp()), default=None)
    if lowest is None or (contract is not None and contract.watts <= lowest.watts):
        return f"the contract of {contract.watts} W" if contract is not None else "the meter"
    since = f" from {clock_time(lowest.starts, now, zone)}" if lowest.starts > now else ""
    return f"the limit of {lowest.watts} W{since} until {clock_time(lowest.ends, now, zone)}"


def share_used(used_micro: int, entitled_micro: int, part_micro: int, until: str) -> str:
    """part: what it has without what it borrowed lately, or lent."""
    now = (
        f" for now instead of {_percent(part_micro)}, since it pays back what it borrowed"
        if entitled_micro < part_micro
        else ""
    )
    return (
        f"Waits for its share: it uses {_percent(used_micro)} of the machine and is entitled to "
        f"{_percent(entitled_micro)}{now}; a job that goes first needs the room from {until}."
    )


def must_yield(entitled_micro: int) -> str:
    return (
        f"Waits for its share: its own {_percent(entitled_micro)} of the machine is in use, and beyond that only jobs start that may be put back "
        "(--preemptible)."
    )


def at_ceiling(group: str, used_micro: int, most_micro: int, part_micro: int, until: str) -> str:
    """group: the one in which its share lies, whose ceiling it is; empty where it is the share's own."""
    whose = f"{group}, in which it lies," if group else "it"
    return (
        f"Waits for its share: {whose} may use {_percent(most_micro)} of the machine at most and uses {_percent(used_micro)}, this job takes "
        f"{_percent(part_micro)}; room is expected at {until}."
    )


def above_ceiling(group: str, part_micro: int, most_micro: int) -> str:
    """group: as above."""
    whose = f"{group}, in which its share lies," if group else "its share"
    return f"Can never start here: this job takes {_percent(part_micro)} of the machine, and {whose} may use {_percent(most_micro)} at most."


def behind(until: str) -> str:
    return f"Waits behind a job that goes first: it would delay that job's reserved start at {until}."


def array_full(at_once: int) -> str:
    return f"Waits for others of its array: {at_once} at a time, as asked."


def held(why: str) -> str:
    return f"Waits: no job may start now, {why}."


def fits() -> str:
    return "Starts now: there is room and power for its whole time."


def borrows(entitled_micro: int) -> str:
    return f"Starts now on room that other shares leave unused: its own {_percent(entitled_micro)} of the machine is in use."


def too_big(need: Room, whole: Capacity) -> str:
    asked, left = _short(need, whole.room())
    return f"Can never start here: this job needs {asked}, the whole machine has {left}."


def too_hungry(need: Room, contract: Contract, idle: int) -> str:
    left = max(0, contract.watts - idle)
    return (
        f"Can never start here: this job needs {need.watts} W, the contract of {contract.watts} W leaves {left} W "
        "beside the idle machine."
    )


def _short(need: Room, free: Room) -> tuple[str, str]:
    """What is asked and what is left, of those things only that are short."""
    pairs = [
        (_count(need.cpus, "CPU"), _count(free.cpus, "CPU"), need.cpus > free.cpus),
        (_gpus(need.gpus_milli), _gpus(free.gpus_milli), need.gpus_milli > free.gpus_milli),
        (
            f"{shown_bytes(need.memory_bytes)} of memory",
            f"{shown_bytes(max(0, free.memory_bytes))} of memory",
            need.memory_bytes > free.memory_bytes,
        ),
    ]
    asked = [mine for mine, _, short in pairs if short]
    left = [theirs for _, theirs, short in pairs if short]
    return " and ".join(asked), " and ".join(left)


def _each(shape: Shape) -> str:
    gpus = [_gpus(shape.gpus.milli, shape.gpus.kind or "GPU")] if shape.gpus else []
    return ", ".join([_count(shape.cpus, "CPU"), *gpus, f"{shown_bytes(shape.memory_bytes)} of memory"])


def _size(each: Capacity) -> str:
    gpus = [f"{one.count} {'GPUs' if one.name == UNNAMED else one.name}" for one in each.gpu_kinds]
    return ", ".join([_count(each.cpus, "CPU"), *gpus, f"{shown_bytes(each.memory_bytes)} of memory"])


def _gpus(milli: int, kind: str = "GPU") -> str:
    """`0.25 GPU`, `2 GPUs`; a kind's name has no plural."""
    return f"{amount(max(0, milli))} {kind}" + ("s" if milli != MILLI and kind == "GPU" and milli % MILLI == 0 else "")


def _count(number: int, thing: str) -> str:
    return f"{max(0, number)} {thing}" + ("" if number == 1 else "s")


def _percent(micro: int) -> str:
    return f"{micro * 100 / MICRO:.1f}".removesuffix(".0") + " %"
