"""Whether this machine could ever run what is asked, and what comes nearest where it could not."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace

from fabriek.compute.board import EVER
from fabriek.compute.capacity import Capacity
from fabriek.compute.floor import Floor
from fabriek.compute.gpus import MILLI, UNNAMED, Gpus, Kind, amount, may_be
from fabriek.compute.jobs import Shape
from fabriek.compute.power import Contract, PowerTable, draw, idle_watts
from fabriek.compute.requests import JobAsked
from fabriek.kernel.errors import InvalidInput


def check_fits(asked: JobAsked, whole: Capacity) -> None:
    """Raises InvalidInput on what the machine does not have, or has on no node together, naming the nearest that it has."""
    if asked.nodes > whole.nodes:
        raise InvalidInput(
            f"this asks for {asked.nodes} nodes, and the machine has {whole.nodes}",
            fix=f"ask for --nodes {whole.nodes}",
        )
    each = whole.each()
    has = "the whole machine has" if whole.nodes == 1 else "a node has"
    wanted = (
        (asked.cpus, each.cpus, "CPUs", f"--cpus {each.cpus}"),
        (asked.memory_bytes, each.memory_bytes, "bytes of memory", f"--memory {each.memory_bytes // 2**20}MiB"),
    )
    for asks, most, what, nearest in wanted:
        if asks > most:
            raise InvalidInput(f"this asks for {asks:,} {what}, and {has} {most:,}", fix=f"ask for {nearest}")
    if asked.gpus:
        _check_gpus(asked.gpus, each, has)


def check_place(shape: Shape, among: tuple[int, ...], whole: Capacity, *, label: str, purpose: str) -> None:
    """Raises InvalidInput where the nodes that take jobs of this label and purpose have not enough together, whoever else is on them."""
    if among and Floor(whole, EVER).place(replace(shape, among=among), EVER, EVER) is None:
        count = "one node" if len(among) == 1 else f"{len(among)} nodes"
        raise InvalidInput(
            f"jobs at {label} for {purpose.replace('_', ' ')} work may stand on {count} of this machine, which this does not fit",
            fix=f"ask for --nodes {min(shape.nodes, len(among))}, or for less on each",
        )


def check_draw(shape: Shape, contract: Contract, table: PowerTable, nodes: int) -> None:
    """Raises InvalidInput on what would draw more than the contract ever leaves beside the idle machine of so many nodes, naming what comes nearest:
    the same with fewer CPUs, or else with fewer GPUs, or on fewer nodes. Limits are none of this: they pass.
    """
    left = contract.watts - idle_watts(table, nodes)
    watts = draw(shape, table)
    if watts <= left:
        return

    def fits(**less: int | Gpus) -> bool:
        return draw(replace(shape, **less), table) <= left  # type: ignore[arg-type]  # of the field that is named

    kind = shape.gpus.kind
    fewer = (
        ("--cpus", _most(shape.cpus, lambda count: fits(cpus=count)), ""),
        ("--gpus", _most(shape.gpus.devices, lambda count: fits(gpus=Gpus(count * MILLI, kind))), kind and f"{kind}:"),
        ("--nodes", _most(shape.nodes, lambda count: fits(nodes=count)), ""),
    )
    nearest = next((f"ask for {option} {of}{most}" for option, most, of in fewer if most), "fabriek power")
    raise InvalidInput(
        f"this draws {watts:,} W, and the contract of {contract.watts:,} W leaves {max(0, left):,} W beside the idle machine",
        fix=nearest,
    )


def _most(count: int, fits: Callable[[int], bool]) -> int:
    """The largest number below `count` that fits; 0 where none does."""
    return bisect_left(range(1, count), True, key=lambda one: not fits(one))


def _check_gpus(gpus: Gpus, each: Capacity, has: str) -> None:
    kinds = [one for one in each.gpu_kinds if gpus.kind in {"", one.name}]
    if not each.gpu_kinds:
        raise InvalidInput(f"this asks for {amount(gpus.milli)} GPUs, and {has} 0", fix="leave it out")
    if not kinds:
        there = ", ".join(one.name for one in each.gpu_kinds)
        raise InvalidInput(f"there is no GPU of the kind {gpus.kind!r} here", fix=f"one of {there}")
    if gpus.part_milli and not may_be(gpus, kinds):
        raise _uneven(gpus, kinds)
    most = max(may_be(gpus, kinds), key=lambda one: one.count)
    if gpus.devices > most.count:
        what = most.name if gpus.kind else "GPUs"
        alike = "" if gpus.kind or len(kinds) == 1 else " of one kind"
        nearest = Gpus(most.count * 1_000, _asked_as(most))
        raise InvalidInput(
            f"this asks for {amount(gpus.milli)} {what}{alike}, and {has} {most.count}", fix=f"ask for --gpus {nearest}"
        )


def _uneven(gpus: Gpus, kinds: list[Kind]) -> InvalidInput:
    shared = [one for one in kinds if one.shared]
    if not shared:
        what = gpus.kind or "any kind"
        return InvalidInput(
            f"GPUs of {what} are not shared here", fix=f"ask for a whole one: --gpus {Gpus(1_000, gpus.kind)}"
        )
    finest = min(shared, key=lambda one: one.slice_milli)
    up = Gpus(-(-gpus.milli // finest.slice_milli) * finest.slice_milli, _asked_as(finest))
    return InvalidInput(
        f"GPUs are shared here in parts of {amount(finest.slice_milli)}, and {amount(gpus.milli)} is none of them",
        fix=f"ask for --gpus {up}",
    )


def _asked_as(kind: Kind) -> str:
    return "" if kind.name == UNNAMED else kind.name
