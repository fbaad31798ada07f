"""Use it or lose it: of a grant that is hardly used some months after it was made, a part goes back to the share. Pure."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from fabriek.funding.allocations import Allocation, is_in_force
from fabriek.funding.spending.rules import Row


@dataclass(frozen=True, slots=True)
class Grant:
    """What one allocation was given of one resource, in micro-units, and what became of it: granted = left + held + used - owed."""

    granted: int
    left: int
    used: int


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or its last where it has no such day: 31 August and six months are 28 February."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def is_looked_at(allocation: Allocation, rule: Row, today: date) -> bool:
    """Whether this allocation is due to be looked at: in force, some months old, and not a commercial project's. One that came due before
    the rule held is left alone.
    """
    due = months_later(allocation.starts_on, rule.months)
    return not allocation.commercial and is_in_force(allocation, today) and rule.valid_from <= due <= today


def cut_micro(grant: Grant, rule: Row) -> int:
    """What is cut: nothing where enough is used; else so much that the part that remains is whole. What is held by jobs counts as used, and
    is never cut.
    """
    if grant.granted <= 0 or grant.used * 100 >= grant.granted * rule.below_percent:
        return 0
    return max(0, min(grant.left, grant.granted * (100 - rule.remains_percent) // 100))
