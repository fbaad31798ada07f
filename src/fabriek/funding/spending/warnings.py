"""What is told before an allocation ends: 90, 60 and 30 days ahead, each once. Pure."""

from collections.abc import Collection
from datetime import date, timedelta

from fabriek.funding.allocations import Allocation
from fabriek.funding.spending.rules import Row


def warning_due(allocation: Allocation, rule: Row, today: date, *, told: Collection[int]) -> int | None:
    """The warning to tell today, by its number of days; None where there is none. told: those that were, for this last day.

    Of several that have come since anybody looked, the nearest alone is told. One whose day lies before the allocation began is none: who gets
    31 days is not warned on the first of them.
    """
    if not allocation.starts_on <= today <= allocation.ends_on:
        return None
    come = [
        days
        for days in rule.days
        if allocation.starts_on < (day := allocation.ends_on - timedelta(days=days)) and day <= today
    ]
    nearest = min(come, default=None)
    return nearest if nearest is not None and nearest not in told and not any(one < nearest for one in told) else None
