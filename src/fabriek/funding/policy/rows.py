"""Each row of a policy with the name under which a newer one takes over from it, and what it says."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import date

from fabriek.funding.metering.readings import MeterRule
from fabriek.funding.policy.caps import Cap
from fabriek.funding.policy.ladders import Ladder
from fabriek.funding.policy.policy import Carry, Part, Policy, Supply
from fabriek.funding.policy.purposes import Rule
from fabriek.funding.policy.rates import Rate
from fabriek.funding.policy.tree import Borrowing, Branch
from fabriek.kernel.dated import in_force
from fabriek.kernel.units import shown

Row = Rule | Rate | Cap | Carry | Part | Supply | MeterRule | Ladder | Branch | Borrowing


def name_of(row: Row) -> str:  # noqa: PLR0911  # one for each kind of row
    """Rows of one name take over from each other: `rate gpu_hour`, `part defence`, a cap's id."""
    match row:
        case Rule():
            return f"rule {row.funder}"
        case Rate():
            return f"rate {row.resource}" + (f" of {row.kind}" if row.kind else "")
        case Cap():
            # Ids are their authors' own: one that is called like another kind of row must not hide that.
            return row.id if row.id.startswith("cap.") else f"cap {row.id}"
        case Part():
            return f"part {row.funder}"
        case Supply():
            return f"supply {row.resource}"
        case MeterRule():
            return f"meter {row.resource}"
        case Carry() | Ladder() | Borrowing():
            return type(row).__name__.lower()
        case Branch():
            return f"share {row.name}"


def said(row: Row) -> str:  # noqa: PLR0911  # one for each kind of row
    """What it says, as a person reads it."""
    match row:
        case Rule():
            return "pays for " + (", ".join(sorted(one.replace("_", " ") for one in row.pays)) or "nothing")
        case Rate():
            return str(row.term) + (f" on {row.node}" if row.node else "")
        case Cap() | Ladder() | Branch() | Borrowing():
            return row.said()
        case Carry():
            return f"{percent(row.most)} of a quarter is carried over"
        case Part():
            return f"{percent(row.part)} of the machine" if row.part else "a part by what it gave"
        case Supply():
            return f"{shown(row.each_day)} {row.resource.plural} a day"
        case MeterRule():
            return f"read each {row.every_seconds} s, {shown(row.free_micro)} free where none was awarded"


def percent(millionths: int) -> str:
    return f"{shown(millionths * 100)} %"


def all_rows(policy: Policy) -> Sequence[Row]:
    return (
        *policy.rules,
        *policy.rates,
        *policy.caps,
        *policy.carries,
        *policy.parts,
        *policy.supplies,
        *policy.meters,
        *policy.ladders,
        *policy.branches,
        *policy.borrowings,
    )


def of_rows(rows: Iterable[Row]) -> Policy:
    whole = tuple(rows)
    return Policy(
        tuple(one for one in whole if isinstance(one, Rule)), tuple(one for one in whole if isinstance(one, Rate)),
        tuple(one for one in whole if isinstance(one, Cap)), tuple(one for one in whole if isinstance(one, Carry)),
        tuple(one for one in whole if isinstance(one, Part)), tuple(one for one in whole if isinstance(one, Supply)),
        tuple(one for one in whole if isinstance(one, MeterRule)), tuple(one for one in whole if isinstance(one, Ladder)),
        tuple(one for one in whole if isinstance(one, Branch)), tuple(one for one in whole if isinstance(one, Borrowing)),
    )  # fmt: skip


def rows_on(policy: Policy, on: date) -> dict[str, Row]:
    """Name → the row in force on that day."""
    groups: dict[str, list[Row]] = {}
    for row in all_rows(policy):
        groups.setdefault(name_of(row), []).append(row)
    found = {name: in_force(rows, on) for name, rows in sorted(groups.items())}
    return {name: row for name, row in found.items() if row is not None}


def as_if(policy: Policy, on: date, since: date) -> Policy:
    """What is in force on that day, as if it had been since another: for asking what it would have made of the past."""
    return of_rows(replace(row, valid_from=since) for row in rows_on(policy, on).values())


def canonical(row: Row) -> str:
    """One line that two rows share only where they say the same from the same day; their sources are words, and may be mended."""
    values = ((one.name, getattr(row, one.name)) for one in fields(row) if one.name != "source")
    return " ".join(
        [
            type(row).__name__.lower(),
            *(f"{name}={','.join(sorted(value)) if isinstance(value, frozenset) else value}" for name, value in values),
        ]
    )


def fingerprint(policy: Policy) -> str:
    """SHA-256 over all rows in their order, days to come included."""
    return hashlib.sha256("\n".join(map(canonical, all_rows(policy))).encode()).hexdigest()


def strayed(kept: Sequence[str], start: Policy) -> list[str]:
    """Rows by which a start differs from the one that was kept, as lines of `canonical`. A rate of a resource that had none is no
    difference: nobody agreed on another. Nor are meters and the power ladder, where the start was kept before they were rows of the policy.
    """
    had = set(kept)
    rated = {line.split()[1] for line in kept if line.startswith("rate ")}
    metered = any(line.startswith("meterrule ") for line in kept)
    laddered = any(line.startswith("ladder ") for line in kept)
    now = {canonical(row): row for row in all_rows(start)}
    new = [
        line
        for line, row in now.items()
        if line not in had
        and not (isinstance(row, Rate) and not row.kind and f"resource={row.resource}" not in rated)
        and not (isinstance(row, MeterRule) and not metered)
        and not (isinstance(row, Ladder) and not laddered)
    ]
    return sorted(had - now.keys()) + new
