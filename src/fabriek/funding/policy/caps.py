"""Caps: how much of a share may go to one kind of use, and how much of all shares to one organisation. Dated data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from fabriek.funding.giving.contributions import FunderKind
from fabriek.funding.resources import Resource
from fabriek.kernel.dated import in_force, read_rows
from fabriek.kernel.units import MICRO, micro, shown

COMMERCIAL, DIRECTOR, ORDINARY = "commercial", "director", "ordinary"


class Of(StrEnum):
    """What a cap is a part of."""

    MACHINE = "machine"
    SHARE = "share"
    ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True)
class Cap:
    """`part`: in millionths, of what the share was given; `amount_micro`: an amount instead, for an organisation. `funder`: of shares of this
    kind only. `yearly`: counted for each calendar year on its own.
    """

    id: str
    of: Of
    valid_from: date
    source: str
    funder: FunderKind | None = None
    uses: tuple[str, ...] = ()
    resource: Resource = Resource.GPU_HOUR
    part: int = 0
    amount_micro: int = 0
    yearly: bool = False

    def room(self, given_micro: int, awarded_micro: int) -> int:
        """What may still be awarded, in micro-units; 0 where it was passed."""
        bound = self.amount_micro if self.of is Of.ORGANISATION else given_micro * self.part // MICRO
        return max(0, bound - awarded_micro)

    def said(self) -> str:
        """As a sentence goes on: `playground and fast-lane: at most 10 %`."""
        most = shown(self.amount_micro) if self.of is Of.ORGANISATION else f"{shown(self.part * 100)} %"
        return f"{' and '.join(self.uses) or self.funder}: at most {most}"


def caps_of(text: str) -> tuple[Cap, ...]:
    """The caps of a TOML text such as data/caps.toml. Raises InvalidInput."""
    return read_rows(text, "cap", _cap)


def caps_on(caps: Iterable[Cap], on: date) -> list[Cap]:
    """Of each id the row in force on that day, in the order of ids."""
    ids = sorted({one.id for one in caps})
    found = (in_force((one for one in caps if one.id == name), on) for name in ids)
    return [one for one in found if one is not None]


def most_of_machine(caps: Iterable[Cap], on: date) -> dict[FunderKind, int]:
    """Kind of funder → the part of the machine that it may hold, in millionths: the least where several caps say so."""
    found: dict[FunderKind, int] = {}
    for one in caps_on(caps, on):
        if one.of is Of.MACHINE and one.funder is not None:
            found[one.funder] = min(one.part, found.get(one.funder, MICRO))
    return found


def applying(caps: Sequence[Cap], on: date, kind: FunderKind, words: frozenset[str], resource: Resource) -> list[Cap]:
    """Those that bound an award of these words (its call, and commercial, director or ordinary) from a share of this kind."""
    return [
        one
        for one in caps_on(caps, on)
        if one.of is not Of.MACHINE
        and one.resource is resource
        and one.funder in {None, kind}
        and words & frozenset(one.uses)
    ]


def _cap(row: dict[str, Any]) -> Cap:
    of = Of(row["of"])
    uses = tuple(str(one) for one in row.get("uses", ()))
    marks = {COMMERCIAL, DIRECTOR, ORDINARY} & set(uses)
    if marks and len(uses) > 1:
        raise ValueError(f"{sorted(marks)[0]} stands alone in uses: an award would count twice")
    if (of is Of.MACHINE) == bool(uses):
        raise ValueError("uses says of what, save in a cap of the machine")
    if of is Of.MACHINE and "funder" not in row:
        raise ValueError("a cap of the machine names a kind of funder")
    if of is Of.ORGANISATION and "funder" in row:
        raise ValueError("a cap of an organisation counts whatever share pays: it names no funder")
    part = micro(row["part"]) if of is not Of.ORGANISATION else 0
    amount = micro(row["hours"]) if of is Of.ORGANISATION else 0
    if not 0 <= part <= MICRO or amount < 0:
        raise ValueError("a part lies between 0 and 1, and hours are not below zero")
    period = str(row.get("period", "ever"))
    if period not in {"ever", "year"}:
        raise ValueError(f"period = {period!r} is neither ever nor year")
    return Cap(
        str(row["id"]), of, row["valid_from"], row["source"], FunderKind(row["funder"]) if "funder" in row else None, uses,
        Resource(row.get("resource", Resource.GPU_HOUR)), part, amount, period == "year",
    )  # fmt: skip
