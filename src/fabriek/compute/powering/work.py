"""Kinds of work, and what part of a GPU each was measured to draw. By them draw is expected; it is planned without them."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from fabriek.kernel.dated import in_force, read_rows
from fabriek.kernel.errors import InvalidInput

ANY_MACHINE = "*"
HIGHEST_MAX = Decimal("1.2")
"""Of an A100's readings one in twenty lies above its nameplate and one in 160 above 1.12 of it: a figure beyond this is a slip."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of work on a class of node, or on any (`*`). Parts of the most that a GPU draws: `part_mean` over such jobs, `part_highest` of the one
    that drew most.
    """

    machine: str
    name: str
    part_mean: Decimal
    part_highest: Decimal
    valid_from: date
    source: str


FIELDS = frozenset(Work.__dataclass_fields__)


def works_of(text: str) -> tuple[Work, ...]:
    """The rows `[[kind]]` of a TOML text such as data/power.toml; a file with tables alone has none. Raises InvalidInput, naming the row."""
    found = read_rows(text, "kind", _work, beside=("table",))
    first: dict[tuple[str, str, date], int] = {}
    for number, one in enumerate(found, 1):
        before = first.setdefault((one.machine, one.name, one.valid_from), number)
        if before != number:
            raise InvalidInput(
                f"[[kind]] number {number} and number {before} both hold for {one.name} on {one.machine} from {one.valid_from} on",
                fix="leave one out, or give the newer one its own first day",
            )
    return found


def with_own_works(shipped: Sequence[Work], own: Sequence[Work]) -> tuple[Work, ...]:
    """An operator's rows over those that come with Fabriek: a kind on a class of node is theirs from their first day on. Before it, and for
    the others, the shipped rows hold.
    """
    since: dict[tuple[str, str], date] = {}
    for one in own:
        key = one.machine, one.name
        since[key] = min(one.valid_from, since.get(key, date.max))
    kept = [one for one in shipped if one.valid_from < since.get((one.machine, one.name), date.max)]
    return (*kept, *own)


def works_on(works: Sequence[Work], machine: str, on: date) -> dict[str, Work]:
    """Name → the row in force on that day, by name: that of the class of node, else that of any."""
    found: dict[str, Work] = {}
    for name in sorted({one.name for one in works}):
        alike = [one for one in works if one.name == name]
        row = in_force((one for one in alike if one.machine == machine), on) or in_force(
            (one for one in alike if one.machine == ANY_MACHINE), on
        )
        if row is not None:
            found[name] = row
    return found


def parts_of(works: Mapping[str, Work]) -> dict[str, Decimal]:
    """Name → what part of a GPU's most such work draws on average."""
    return {name: one.part_mean for name, one in works.items()}


def check_work(said: str, known: Collection[str]) -> None:
    """Raises InvalidInput on a kind that is not there, naming those that are. Empty is none, and is right."""
    if not said or said in known:
        return
    if not known:
        raise InvalidInput(f"there is no kind of work {said!r}, nor any other here", fix="leave --work out")
    nearest = get_close_matches(said, sorted(known), 1, 0.0)[0]
    raise InvalidInput(
        f"there is no kind of work {said!r}; there are {', '.join(sorted(known))}",
        fix=f"fabriek run --work {nearest}, or leave --work out; fabriek power kinds says what each draws",
    )


def _work(row: dict[str, Any]) -> Work:
    if unknown := sorted(set(row) - FIELDS):
        raise ValueError(f"a kind has no {unknown[0]!r}; it has {', '.join(sorted(FIELDS))}")
    name, machine = row["name"], row["machine"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError("name has small letters, digits and -, 40 at most")
    if not isinstance(machine, str) or not machine:
        raise ValueError('machine is a class of node, or "*" for any')
    mean, highest = _part(row, "part_mean"), _part(row, "part_highest")
    if mean > highest:
        raise ValueError(f"part_mean = {mean} is above part_highest = {highest}")
    if mean > 1:
        raise ValueError(
            f"part_mean = {mean} is above 1: such work says that watts_per_gpu of the [[table]] is too low"
        )
    return Work(machine, name, mean, highest, row["valid_from"], row["source"])


def _part(row: dict[str, Any], name: str) -> Decimal:
    said = row[name]
    if isinstance(said, bool) or not isinstance(said, int | Decimal) or not 0 <= float(said) <= HIGHEST_MAX:
        raise ValueError(f"{name} is a part of the most that a GPU draws, from 0 to {HIGHEST_MAX}")
    return Decimal(said)
