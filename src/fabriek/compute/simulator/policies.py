"""Policies that a replay may be asked to compare: two by name, any other by a file."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from fabriek.compute.order import DECIDES_HERE, FirstCome, Order, Stretch
from fabriek.compute.simulator.recorded import Recorded
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.kernel.units import MICRO

WORDS = ("user", "group", "queue")


@dataclass(frozen=True, slots=True)
class ShareAsked:
    """`of`: the values of the word by which jobs are assigned that are this share's; empty takes, in turn with others, what no share names."""

    name: str
    part_micro: int
    of: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PolicyAsked:
    """`by`: the word of a job that says which share pays."""

    name: str
    order: Order
    shares: tuple[ShareAsked, ...] = ()
    by: str = "group"
    parts: Mapping[str, int] = field(default_factory=dict)


NAMED = {"easy": PolicyAsked("easy", FirstCome()), "default": PolicyAsked("default", DECIDES_HERE)}


def policy_named(text: str) -> PolicyAsked:
    """`easy`: first come, first served with backfilling; `default`: as this factory orders its queue; else a file. Raises NotFound, InvalidInput."""
    if text in NAMED:
        return NAMED[text]
    path = Path(text)
    if not path.is_file():
        raise NotFound(f"there is no policy {text}", fix=f"name {', '.join(NAMED)}, or a file of TOML")
    try:
        return policy_of(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as slip:
        raise InvalidInput(f"{path.name} is not TOML: {slip}", fix="mend the file at that line") from None


def policy_of(name: str, said: dict[str, Any]) -> PolicyAsked:
    """The tables of a policy file: `[order]`, `by` and `[[share]]`. Raises InvalidInput."""
    if unknown := sorted(set(said) - {"order", "by", "share"}):
        raise InvalidInput(f"a policy has no {unknown[0]!r}", fix="it has [order], by and [[share]]")
    shares = tuple(_share(row) for row in said.get("share", []))
    total = sum(one.part_micro for one in shares)
    if shares and total != MICRO:
        raise InvalidInput(f"the parts of the shares sum to {total / MICRO:g}", fix="let them sum to 1")
    if len({one.name for one in shares}) < len(shares):
        raise InvalidInput("two shares have one name", fix="give each its own")
    by = said.get("by", "group")
    if by not in WORDS:
        raise InvalidInput(f"jobs cannot be assigned by {by!r}", fix=f"by = one of {', '.join(WORDS)}")
    return PolicyAsked(name, _order(said.get("order", {})), shares, by, {one.name: one.part_micro for one in shares})


def assigned(jobs: Iterable[Recorded], policy: PolicyAsked) -> dict[str, str]:
    """A job's name → the share that pays. Values that no share names go in turn to the shares that name none, in the order in which they are met."""
    if not policy.shares:
        return {}
    named = {value: one.name for one in policy.shares for value in one.of}
    open_shares = [one.name for one in policy.shares if not one.of] or [policy.shares[-1].name]
    found: dict[str, str] = {}
    for job in jobs:
        value = job.words.get(policy.by, "")
        if value not in named:
            named[value] = open_shares[len(named) % len(open_shares)]
        found[job.name] = named[value]
    return found


def _share(row: Any) -> ShareAsked:
    if not isinstance(row, dict) or (unknown := sorted(set(row) - {"name", "part", "of"})):
        raise InvalidInput(
            f"a share has no {unknown[0]!r}" if isinstance(row, dict) else "a share is a table", fix="name, part, of"
        )
    part = row.get("part")
    if (
        not isinstance(row.get("name"), str)
        or isinstance(part, bool)
        or not isinstance(part, int | float)
        or not 0 <= part <= 1
    ):
        raise InvalidInput("a share has a name, and a part from 0 to 1", fix='[[share]]\nname = "defence"\npart = 0.2')
    return ShareAsked(row["name"], round(part * MICRO), frozenset(str(one) for one in row.get("of", [])))


def _order(said: dict[str, Any]) -> Order:
    kind = said.get("kind", "stretch")
    if kind == "first_come" and len(said) <= 1:
        return FirstCome()
    known = {one.name for one in fields(Stretch)}
    if kind != "stretch" or set(said) - known - {"kind"}:
        wrong = sorted(set(said) - known - {"kind"}) or [kind]
        raise InvalidInput(
            f"an order has no {wrong[0]!r}", fix=f"kind = stretch with {', '.join(sorted(known))}; or first_come"
        )
    figures = {name: value for name, value in said.items() if name != "kind"}
    if any(
        isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 10**9
        for value in figures.values()
    ):
        raise InvalidInput("the figures of an order are numbers from 0 on", fix="length_power = 1.25")
    return Stretch(**figures)
