"""The end of an allocation: what nobody used goes back to the share that it came from, so that it can be awarded again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fabriek.audit.service import Audit
from fabriek.funding import ledger
from fabriek.funding.allocations import Allocation
from fabriek.funding.giving.service import AWARDS
from fabriek.funding.ledger import Kind, kind_of
from fabriek.funding.policy.capping import Capping
from fabriek.funding.ports import Allocations, Ledger
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import SYSTEM
from fabriek.kernel.clock import Clock
from fabriek.kernel.dated import in_force, read_rows
from fabriek.kernel.ids import Ids


@dataclass(frozen=True, slots=True)
class Grace:
    """For how many days after its end an allocation keeps its credits."""

    days: int
    valid_from: date
    source: str


def graces_of(text: str) -> tuple[Grace, ...]:
    """The rows of a TOML text such as data/ending.toml. Raises InvalidInput."""
    return read_rows(text, "ending", _grace)


def is_over(allocation: Allocation, graces: Sequence[Grace], today: date) -> bool:
    """Whether its credits go back: it has ended, and so has its grace."""
    grace = in_force(graces, today)
    return grace is not None and allocation.ends_on + timedelta(days=grace.days) < today


class Ending:
    """Gives back what ended allocations have left. What jobs hold goes back when they have ended, in a later round."""

    def __init__(
        self, books: Ledger, allocations: Allocations, capping: Capping, graces: Sequence[Grace], *, audit: Audit, clock: Clock, ids: Ids
    ) -> None:  # fmt: skip
        self._books, self._allocations, self._capping, self._graces = books, allocations, capping, graces
        self._audit, self._clock, self._ids = audit, clock, ids

    def give_back_rests(self) -> int:
        """How many allocations gave something back. For the worker; idempotent."""
        today = self._clock.today()
        over = {one.id: one for one in self._allocations.all() if is_over(one, self._graces, today)}
        full = {owner for owner, _ in self._left(over)}
        return sum(self._give_back(over[one]) for one in sorted(full))

    def _give_back(self, ended: Allocation) -> bool:
        # Awards first, then the project's credits: the order in which every verb that takes both takes them.
        with self._books.transaction(alone=AWARDS), self._books.transaction(alone=f"credits:{ended.project}"):
            left = {resource: amount for (_, resource), amount in self._left([ended.id]).items()}
            if left:
                transaction = self._ids.new("led")
                posting = ledger.take_back(
                    transaction, f"ended:{transaction}", ended.share, ended.id, left, self._clock.now(), memo="ended"
                )
                self._books.post(posting)
                self._capping.awarded(ended, {resource: -amount for resource, amount in left.items()})
                self._audit.record("allocation.ended", ended.id, SYSTEM, project=ended.project)
        return bool(left)

    def _left(self, allocations: Iterable[str]) -> dict[tuple[str, Resource], int]:
        """(allocation, resource) → micro-units above zero."""
        found = self._books.balances_of(allocations)
        return {
            (name.partition(":")[2], resource): amount
            for (name, resource), amount in found.items()
            if amount > 0 and kind_of(name) is Kind.ALLOCATION
        }


def _grace(row: dict[str, Any]) -> Grace:
    if row["days"] < 0:
        raise ValueError("an allocation keeps its credits for no days below zero")
    return Grace(int(row["days"]), row["valid_from"], row["source"])
