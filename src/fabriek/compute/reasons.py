"""Why a job waits, in one sentence that its owner can act on. It never names another's job: that may be a secret."""

from collections.abc import Iterable
from datetime import datetime, tzinfo

from fabriek.compute.capacity import Capacity, Room
from fabriek.compute.power import Contract, Limit
from fabriek.kernel.units import MICRO, shown_bytes


def clock_time(at: datetime, now: datetime, zone: tzinfo) -> str:
    """`14:00` today, `2026-11-25 14:00` on another day, in the installation's zone."""
    local = at.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == now.astimezone(zone).date() else f"{local:%Y-%m-%d %H:%M}"


def no_room(need: Room, free: Room, until: str) -> str:
    asked, left = _short(need, free)
    later = f"; room is expected at {until}" if until else ""
    return f"Waits for room: this job needs {asked}, the machine has {left} free{later}."


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


def share_used(used_micro: int, entitled_micro: int, until: str) -> str:
    return (
        f"Waits for its share: it uses {_percent(used_micro)} of the machine and is entitled to "
        f"{_percent(entitled_micro)}; a job that goes first needs the room from {until}."
    )


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
    asked, left = _short(need, Room(whole.cpus, whole.gpus, whole.memory_bytes, need.watts))
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
        (_count(need.gpus, "GPU"), _count(free.gpus, "GPU"), need.gpus > free.gpus),
        (
            f"{shown_bytes(need.memory_bytes)} of memory",
            f"{shown_bytes(max(0, free.memory_bytes))} of memory",
            need.memory_bytes > free.memory_bytes,
        ),
    ]
    asked = [mine for mine, _, short in pairs if short]
    left = [theirs for _, theirs, short in pairs if short]
    return " and ".join(asked), " and ".join(left)


def _count(number: int, thing: str) -> str:
    return f"{max(0, number)} {thing}" + ("" if number == 1 else "s")


def _percent(micro: int) -> str:
    return f"{micro * 100 / MICRO:.1f}".removesuffix(".0") + " %"
