"""Policies that a replay may be asked to compare: two by name, any other by a file."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from fabriek.compute.order import DECIDES_HERE, FirstCome, Order, Stretch
from fabriek.compute.sharing.rules import DAY, PLAIN, RULES_HERE, ShareRules, check_parts
from fabriek.compute.simulator.recorded import Recorded
from fabriek.compute.simulator.traces import TraceRow
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.kernel.units import MICRO

WORDS = ("user", "group", "queue")

RULES: Mapping[str, float] = {
    "borrowers_yield": False, "budget_days": RULES_HERE.budget_seconds / DAY, "pay_back_days": RULES_HERE.pay_back_seconds / DAY,
    "owner_days": RULES_HERE.owner_seconds / DAY, "reserved": 1,
    "checkpoint_minutes": 0,
}  # fmt: skip
"""The figures of `[rules]`, as they are where nothing is said."""

SHARE_FIX = '[[share]]\nname = "defence"\npart = 0.2'


@dataclass(frozen=True, slots=True)
class ShareAsked:
    """`of`: the values of the word by which jobs are assigned that are this share's; empty takes, in turn with others, what no share names.
    `within`: the share in whose part it lies; `ceiling_micro`: None where it has none; `preemptible`: its jobs may be put back.
    """

    name: str
    part_micro: int
    of: frozenset[str] = frozenset()
    within: str = ""
    ceiling_micro: int | None = None
    preemptible: bool = False


@dataclass(frozen=True, slots=True)
class PolicyAsked:
    """`by`: the word of a job that says which share pays. `checkpoint_seconds`: how often a job that may be put back saves what it has; 0: when it
    is told to leave.
    """

    name: str
    order: Order
    shares: tuple[ShareAsked, ...] = ()
    by: str = "group"
    parts: Mapping[str, int] = field(default_factory=dict)
    rules: ShareRules = PLAIN
    checkpoint_seconds: int = 0


NAMED = {"easy": PolicyAsked("easy", FirstCome()), "default": PolicyAsked("default", DECIDES_HERE, rules=RULES_HERE)}


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
    """The tables of a policy file: `[order]`, `[rules]`, `by` and `[[share]]`. Raises InvalidInput."""
    if unknown := sorted(set(said) - {"order", "rules", "by", "share"}):
        raise InvalidInput(f"a policy has no {unknown[0]!r}", fix="it has [order], [rules], by and [[share]]")
    rows = said.get("share", [])
    shares = tuple(_share(row) for row in (rows if isinstance(rows, list) else [rows]))
    if len({one.name for one in shares}) < len(shares):
        raise InvalidInput("two shares have one name", fix="give each its own")
    parts, parents = (
        {one.name: one.part_micro for one in shares},
        {one.name: one.within for one in shares if one.within},
    )
    figures = _figures(said.get("rules", {}), RULES, "rules")
    rules = ShareRules(
        parents, {one.name: one.ceiling_micro for one in shares if one.ceiling_micro is not None},
        borrowers_yield=bool(figures["borrowers_yield"]), budget_seconds=figures["budget_days"] * DAY,
        pay_back_seconds=figures["pay_back_days"] * DAY, owner_seconds=figures["owner_days"] * DAY, reserved=max(1, int(figures["reserved"])),
    )  # fmt: skip
    if shares:
        check_parts(parts, parents)
    by = said.get("by", "group")
    if by not in WORDS:
        raise InvalidInput(f"jobs cannot be assigned by {by!r}", fix=f"by = one of {', '.join(WORDS)}")
    return PolicyAsked(
        name, _order(said.get("order", {})), shares, by, parts, rules, int(figures["checkpoint_minutes"] * 60)
    )


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


def with_terms(rows: Iterable[TraceRow], policy: PolicyAsked) -> list[TraceRow]:
    """The jobs, marked as such as may be put back where their share says so."""
    may = {one.name for one in policy.shares if one.preemptible}
    return [
        replace(row, preemptible=True, checkpoint_seconds=policy.checkpoint_seconds) if row.share in may else row
        for row in rows
    ]


def _share(row: Any) -> ShareAsked:
    if not isinstance(row, dict):
        raise InvalidInput("a share is a table", fix=SHARE_FIX)
    if unknown := sorted(set(row) - {"name", "part", "of", "within", "ceiling", "preemptible"}):
        raise InvalidInput(f"a share has no {unknown[0]!r}", fix="name, part, of, within, ceiling, preemptible")
    named = isinstance(row.get("name"), str) and isinstance(row.get("within", ""), str)
    if not named or not _is_part(row.get("part")) or not _is_part(row.get("ceiling", 1)):
        raise InvalidInput(
            "a share has a name, a part from 0 to 1, and a ceiling from 0 to 1 where it has one", fix=SHARE_FIX
        )
    if not isinstance(row.get("of", []), list) or not isinstance(row.get("preemptible", False), bool):
        raise InvalidInput(f"of {row['name']}, `of` is a list, and `preemptible` true or false", fix="of = [3, 7]")
    return ShareAsked(
        row["name"], round(row["part"] * MICRO), frozenset(str(one) for one in row.get("of", [])), row.get("within", ""),
        round(row["ceiling"] * MICRO) if "ceiling" in row else None, row.get("preemptible", False),
    )  # fmt: skip


def _is_part(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and 0 <= value <= 1


def _figures(said: Any, usual: Mapping[str, float], of: str) -> dict[str, float]:
    """Every figure, those that are not said as usual. Raises InvalidInput."""
    if not isinstance(said, dict) or (unknown := sorted(set(said) - set(usual))):
        raise InvalidInput(
            f"the {of} have no {unknown[0]!r}" if isinstance(said, dict) else f"[{of}] is a table",
            fix=", ".join(sorted(usual)),
        )
    for name, value in said.items():
        yes_or_no = isinstance(usual[name], bool)
        if isinstance(value, bool) is not yes_or_no or not isinstance(value, int | float) or not 0 <= value <= 10**9:
            raise InvalidInput(
                f"{name} is {'true or false' if yes_or_no else 'a number from 0 on'}",
                fix=f"{name} = {str(usual[name]).lower()}",
            )
    return dict(usual) | said


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
    usual = {one.name: float(one.default) for one in fields(Stretch)}  # type: ignore[arg-type]  # they are all numbers
    return Stretch(**(_figures({name: value for name, value in said.items() if name != "kind"}, usual, "order")))
