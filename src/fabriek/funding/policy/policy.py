"""The policy: all dated rows that decide on money, on shares and on power, as one thing that is read, compared and changed together."""

import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar, overload

from fabriek.funding.metering.readings import MeterRule, meter_rule
from fabriek.funding.policy.caps import Cap, caps_of
from fabriek.funding.policy.ladders import Ladder, ladder_on, ladders_of
from fabriek.funding.policy.purposes import Rule, rules_of
from fabriek.funding.policy.rates import Rate, rates_of
from fabriek.funding.policy.tree import Borrowing, Branch, borrowings_of, branches_of
from fabriek.funding.resources import Resource
from fabriek.kernel.dated import in_force, read_rows, shipped
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import MICRO, micro

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Carry:
    """The part of a quarter's entitlement, in millionths, that is carried over when it was not awarded."""

    most: int
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the machine, in millionths, that a funder (its organisation's slug) has by agreement and not by what it gave; 0 ends the
    agreement.
    """

    funder: str
    part: int
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True)
class Supply:
    """What the machine gives to all shares together each day, in micro-units of a resource."""

    resource: Resource
    each_day: int
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Rows in the order in which they were written: a later one counts where two have the same day."""

    rules: tuple[Rule, ...] = ()
    rates: tuple[Rate, ...] = ()
    caps: tuple[Cap, ...] = ()
    carries: tuple[Carry, ...] = ()
    parts: tuple[Part, ...] = ()
    supplies: tuple[Supply, ...] = ()
    meters: tuple[MeterRule, ...] = ()
    ladders: tuple[Ladder, ...] = ()
    branches: tuple[Branch, ...] = ()
    borrowings: tuple[Borrowing, ...] = ()

    def __add__(self, more: "Policy") -> "Policy":
        return Policy(
            self.rules + more.rules, self.rates + more.rates, self.caps + more.caps, self.carries + more.carries,
            self.parts + more.parts, self.supplies + more.supplies, self.meters + more.meters, self.ladders + more.ladders,
            self.branches + more.branches, self.borrowings + more.borrowings,
        )  # fmt: skip

    def fixed_parts(self, on: date) -> dict[str, int]:
        """Funder's slug → its agreed part on that day."""
        names = {one.funder for one in self.parts}
        rows = (in_force((one for one in self.parts if one.funder == name), on) for name in sorted(names))
        return {one.funder: one.part for one in rows if one is not None and one.part}

    def supply_on(self, resource: Resource, on: date) -> int:
        """Micro-units a day; 0 where nothing is said: hours then come with contributions alone."""
        row = in_force((one for one in self.supplies if one.resource is resource), on)
        return row.each_day if row else 0

    def carried_on(self, on: date) -> int:
        """Millionths; all of it where nothing is said."""
        row = in_force(self.carries, on)
        return row.most if row else MICRO

    def ladder_on(self, on: date) -> Ladder | None:
        """The power ladder in force; None where nothing is said."""
        return ladder_on(self.ladders, on)


HEADS: dict[str, Callable[[str], Policy]] = {
    "rule": lambda text: Policy(rules=rules_of(text)),
    "rate": lambda text: Policy(rates=rates_of(text)),
    "cap": lambda text: Policy(caps=caps_of(text)),
    "carry": lambda text: Policy(carries=read_rows(text, "carry", _carry)),
    "part": lambda text: Policy(parts=read_rows(text, "part", _part)),
    "supply": lambda text: Policy(supplies=read_rows(text, "supply", _supply)),
    "meter": lambda text: Policy(meters=read_rows(text, "meter", meter_rule)),
    "ladder": lambda text: Policy(ladders=ladders_of(text)),
    "share": lambda text: Policy(branches=branches_of(text)),
    "borrowing": lambda text: Policy(borrowings=borrowings_of(text)),
}
"""What a row may be, by the head it is written under: `[[cap]]`."""


def policy_of(text: str) -> Policy:
    """The rows of a TOML text with any of the heads. Raises InvalidInput, naming the row."""
    try:
        heads = list(tomllib.loads(text))
    except tomllib.TOMLDecodeError as slip:
        raise InvalidInput(f"the policy is not TOML: {slip}", fix="mend the file at that line") from None
    if unknown := sorted(set(heads) - HEADS.keys()):
        raise InvalidInput(f"[[{unknown[0]}]] is no kind of row", fix=f"one of {', '.join(sorted(HEADS))}")
    whole = Policy()
    for head in heads:
        whole += HEADS[head](text)
    return whole


def shipped_policy() -> Policy:
    """That with which an installation begins."""
    files = ("purposes.toml", "rates.toml", "caps.toml", "quarters.toml", "meters.toml", "ladder.toml", "shares.toml")
    whole = Policy()
    for name in files:
        whole += policy_of(shipped("fabriek.funding", name))
    return whole


class Rows(Sequence[T]):
    """Rows as they stand at the moment at which they are asked for."""

    def __init__(self, now: Callable[[], Sequence[T]]) -> None:
        self._now = now

    def __len__(self) -> int:
        return len(self._now())

    def __iter__(self) -> Iterator[T]:
        return iter(self._now())

    @overload
    def __getitem__(self, place: int) -> T: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[T]: ...

    def __getitem__(self, place: int | slice) -> T | Sequence[T]:
        return self._now()[place]


def _carry(row: dict[str, Any]) -> Carry:
    return Carry(_millionths(row["most"]), row["valid_from"], row["source"])


def _part(row: dict[str, Any]) -> Part:
    return Part(str(row["funder"]), _millionths(row["part"]), row["valid_from"], row["source"])


def _supply(row: dict[str, Any]) -> Supply:
    amount = micro(row["each_day"])
    if amount < 0:
        raise ValueError("a machine gives nothing below zero")
    return Supply(Resource(row["resource"]), amount, row["valid_from"], row["source"])


def _millionths(said: Any) -> int:
    part = micro(said)
    if not 0 <= part <= MICRO:
        raise ValueError(f"{said} does not lie between 0 and 1")
    return part
