"""Patterns of LIKE: `%` stands for any text, `_` for one character. Matched in one pass over the value, whatever the pattern."""

import operator
from collections.abc import Callable
from typing import Any

from fabriek.lab.filters import Condition

Asked = str | float | int | None


def is_like(value: str, pattern: str, *, fold: bool = False) -> bool:
    """fold: whether letters of either case are the same (ILIKE)."""
    if fold:
        value, pattern = value.lower(), pattern.lower()
    place = at = 0
    star, resume = -1, 0
    while place < len(value):
        if at < len(pattern) and pattern[at] == "%":
            star, resume = at, place
            at += 1
        elif at < len(pattern) and pattern[at] in {"_", value[place]}:
            place, at = place + 1, at + 1
        elif star >= 0:  # what the last % stands for grows by one
            resume += 1
            place, at = resume, star + 1
        else:
            return False
    return all(char == "%" for char in pattern[at:])


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "LIKE": lambda left, right: is_like(str(left), str(right)),
    "ILIKE": lambda left, right: is_like(str(left), str(right), fold=True),
}


def holds(condition: Condition, value: Asked) -> bool:
    """Whether a condition holds for a value; None is a value that is not there. Its grammar has made sure that the kinds agree."""
    match condition.comparator:
        case "IS NULL":
            return value is None
        case "IS NOT NULL":
            return value is not None
        case _ if value is None:
            return False
        case "IN" | "NOT IN":
            members = condition.value if isinstance(condition.value, tuple) else ()
            return (value in members) == (condition.comparator == "IN")
        case _:
            assert not isinstance(condition.value, tuple)
            return _TESTS[condition.comparator](value, condition.value)
