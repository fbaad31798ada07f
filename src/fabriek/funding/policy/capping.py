"""Holding awards to the caps. What was given and awarded is summed as it happens, so that a cap is one look and not a count of all awards."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from fabriek.funding.allocations import Allocation
from fabriek.funding.giving.shares import Share
from fabriek.funding.policy.caps import COMMERCIAL, DIRECTOR, ORDINARY, Cap, Of, applying, caps_on
from fabriek.funding.resources import Resource
from fabriek.kernel.errors import CreditsExhausted, FabriekError, NotPermitted
from fabriek.kernel.units import MICRO, shown

GIVEN = "given"
"""The word under which stands what a share was given."""


class AwardTotals(Protocol):
    """Sums of what shares were given and awarded, by word and year."""

    def add(self, owner: str, word: str, year: int, resource: Resource, amount_micro: int) -> None: ...

    def sum(self, owner: str, words: Sequence[str], resource: Resource, year: int | None) -> int:
        """Over all of the words; of one year, or of all."""


@dataclass(frozen=True, slots=True)
class Award:
    """What is about to be awarded. `organisation`: the head of its group; `group`: all others of it, since what they had before they belonged
    to it counts too.
    """

    call: str
    organisation: str
    commercial: bool
    director: bool = False
    group: tuple[str, ...] = ()

    @property
    def words(self) -> frozenset[str]:
        marks = {COMMERCIAL} if self.commercial else set[str]()
        return frozenset(marks | {self.call, DIRECTOR if self.director else ORDINARY} - {""})


@dataclass(frozen=True, slots=True)
class Standing:
    """A cap and what is left of it in a share, in micro-units: `bound`, `awarded` under it, `left`. No share: it bounds each organisation, or
    the machine.
    """

    cap: Cap
    share: Share | None
    bound: int
    awarded: int
    left: int


class Capping:
    """Asks and keeps the sums. Every caller is alone with awards when it asks and keeps."""

    def __init__(self, totals: AwardTotals, caps: Callable[[], Sequence[Cap]]) -> None:
        self._totals, self._caps = totals, caps

    def room(self, share: Share, award: Award, resource: Resource, on: date) -> tuple[int, Cap | None]:
        """The least that any cap leaves, in micro-units, and that cap; none where none applies."""
        tightest: tuple[int, Cap | None] = (0, None)
        for cap in applying(self._caps(), on, share.kind, award.words, resource):
            left = self._left(cap, share, award, resource, on)
            if tightest[1] is None or left < tightest[0]:
                tightest = (left, cap)
        return tightest

    def _left(self, cap: Cap, share: Share, award: Award, resource: Resource, on: date) -> int:
        year = on.year if cap.yearly else None
        if cap.of is Of.ORGANISATION:
            owners = {award.organisation, *award.group}
            return cap.room(0, sum(self._totals.sum(one, cap.uses, resource, year) for one in sorted(owners)))
        given = self._totals.sum(share.id, [GIVEN], resource, year)
        return cap.room(given, self._totals.sum(share.id, cap.uses, resource, year))

    def standing(self, shares: Sequence[Share], on: date) -> list[Standing]:
        """Each cap in force, with how it stands in each share that it bounds; one of an organisation or the machine stands alone."""
        found: list[Standing] = []
        for cap in caps_on(self._caps(), on):
            if cap.of is not Of.SHARE:
                found.append(Standing(cap, None, cap.amount_micro, 0, cap.amount_micro))
                continue
            theirs = [share for share in shares if cap.funder in {None, share.kind}]
            found += [self._standing(cap, share, on.year if cap.yearly else None) for share in theirs]
        return found

    def _standing(self, cap: Cap, share: Share, year: int | None) -> Standing:
        given = self._totals.sum(share.id, [GIVEN], cap.resource, year)
        awarded = self._totals.sum(share.id, cap.uses, cap.resource, year)
        return Standing(cap, share, given * cap.part // MICRO, awarded, cap.room(given, awarded))

    def within(self, share: Share, award: Award, resource: Resource, balance: int, on: date) -> int:
        """Of that balance what the caps allow to award."""
        left, cap = self.room(share, award, resource, on)
        return balance if cap is None else min(balance, left)

    def check(self, share: Share, award: Award, amounts: Mapping[Resource, int], on: date) -> None:
        """Raises CreditsExhausted where a share's cap is in the way, which leaves room again when more is given; NotPermitted where it is the
        organisation's own.
        """
        for resource, asked in amounts.items():
            left, cap = self.room(share, award, resource, on)
            if cap is not None and asked > left:
                raise beyond(cap, share, resource, left, asked)

    def check_own(self, shares: Sequence[Share], award: Award, amounts: Mapping[Resource, int], on: date) -> None:
        """Raises NotPermitted where the organisation's own caps are in the way, whichever of these shares would pay: to wait for room in one
        would be to wait for ever.
        """
        refusals = [self._own(share, award, amounts, on) for share in shares]
        if refusals and all(refusals):
            raise next(one for one in refusals if one)

    def _own(self, share: Share, award: Award, amounts: Mapping[Resource, int], on: date) -> FabriekError | None:
        for resource, asked in amounts.items():
            for cap in applying(self._caps(), on, share.kind, award.words, resource):
                if cap.of is Of.ORGANISATION and asked > (left := self._left(cap, share, award, resource, on)):
                    return beyond(cap, share, resource, left, asked)
        return None

    def given(self, share: str, amounts: Mapping[Resource, int], on: date) -> None:
        """Joins the transaction of the posting that gave it; below zero where it was taken off again."""
        for resource, amount in amounts.items():
            self._totals.add(share, GIVEN, on.year, resource, amount)

    def awarded(self, made: Allocation, amounts: Mapping[Resource, int]) -> None:
        """Joins the transaction of the award. What comes back is told with amounts below zero, and counts in the year of the award."""
        award = Award(made.call, made.organisation, made.commercial, made.director)
        for resource, amount in amounts.items():
            for word in sorted(award.words):
                self._totals.add(made.share, word, made.starts_on.year, resource, amount)
                self._totals.add(made.organisation, word, made.starts_on.year, resource, amount)


def beyond(cap: Cap, share: Share, resource: Resource, left: int, asked: int) -> CreditsExhausted | NotPermitted:
    """The refusal, ready to raise."""
    why = f"{cap.said()}, and {shown(left)} {resource.plural} of it are left"
    if cap.of is Of.ORGANISATION:
        return NotPermitted(
            f"{why} for this organisation and its group: {cap.source}", rule=cap.id, fix="ask for less, or for a larger call: fabriek apply guide"
        )  # fmt: skip
    return CreditsExhausted(
        f"{why} in the share {share.name}: {cap.source}",
        fix="ask for less, or another share: fabriek funding caps shows what each has left",
        left=left / MICRO,
        asked=asked / MICRO,
        unit=resource.value,
        share=share.id,
    )
