"""How shares stand to each other: whose part lies within whose, what none may exceed, and how long what was borrowed is remembered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import MICRO

N = TypeVar("N", int, float)


@dataclass(frozen=True)
class ShareRules:
    """`parents`: share → the one within whose part it lies. `ceilings`: share → what it may use at most at one moment with all that lie within
    it, in millionths of the machine. `borrowers_yield`: beyond its own part a share starts such jobs only as may be put back.
    `budget_seconds`: how long what was borrowed is remembered, `owner_seconds` the same of what an owner used; 0: not at all. `pay_back_seconds`:
    over how long it would be paid back, if a debt could take all of a part. `reserved`: how many of the first that wait have a reserved start.
    Raises InvalidInput.
    """

    parents: Mapping[str, str] = field(default_factory=dict)
    ceilings: Mapping[str, int] = field(default_factory=dict)
    borrowers_yield: bool = False
    budget_seconds: float = 0.0
    pay_back_seconds: float = 86_400.0
    owner_seconds: float = 0.0
    reserved: int = 1

    def __post_init__(self) -> None:
        for share in self.parents:
            self._climb(share)
        if self.pay_back_seconds <= 0:
            raise InvalidInput("what was borrowed is paid back over some time", fix="pay_back_days = 2")

    def path(self, share: str) -> tuple[str, ...]:
        """From the share at the top to this one, both with it."""
        found = self._paths.get(share)
        if found is None:
            found = self._paths[share] = self._climb(share)
        return found

    @cached_property
    def depth(self) -> int:
        """Of the deepest share; 1 where none lies within another."""
        return max((len(self.path(share)) for share in self.parents), default=1)

    @cached_property
    def _paths(self) -> dict[str, tuple[str, ...]]:
        return {}

    def summed(self, of: Mapping[str, N]) -> Mapping[str, N]:
        """Each one's, and of each that others lie within theirs too: what is told of those alone that use it."""
        if not self.parents:
            return of
        sums = dict(of)
        for share, amount in of.items():
            for above in self.path(share)[:-1]:
                sums[above] = sums[above] + amount if above in sums else amount
        return sums

    def _climb(self, share: str) -> tuple[str, ...]:
        climbed = [share]
        while (above := self.parents.get(climbed[-1])) is not None:
            if above in climbed:
                raise InvalidInput(
                    f"the share {above} lies within itself", fix="let each share lie within another above it"
                )
            climbed.append(above)
        return tuple(reversed(climbed))


PLAIN = ShareRules()
"""Shares side by side, of which each may borrow all that others leave."""

DAY = 86_400.0

RULES_HERE = ShareRules(budget_seconds=14 * DAY, pay_back_seconds=2 * DAY, owner_seconds=2 * DAY)
"""What is remembered on this machine, and for how long; how shares stand to each other there is the policy's to say (`agreed`)."""


def check_parts(parts: Mapping[str, int], parents: Mapping[str, str]) -> None:
    """Raises InvalidInput where the shares at the top are not the whole machine, or those within one are more than it. parts: in millionths."""
    if unknown := sorted({one for pair in parents.items() for one in pair} - set(parts)):
        raise InvalidInput(
            f"there is no share {unknown[0]}", fix="give every share that another lies within a part of its own"
        )
    whole = sum(part for share, part in parts.items() if share not in parents)
    if whole != MICRO:
        raise InvalidInput(
            f"the parts of the shares sum to {whole / MICRO:g}", fix="let those that lie within no other sum to 1"
        )
    for share, part in parts.items():
        within = sum(parts[one] for one, above in parents.items() if above == share)
        if within > part:
            raise InvalidInput(
                f"the shares within {share} sum to {within / MICRO:g}, and it has {part / MICRO:g}",
                fix=f"let them sum to {part / MICRO:g} at most",
            )
