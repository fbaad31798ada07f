"""Groups that would tell of one organisation are shown together, so that nobody learns from a sum what one of them did."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fabriek.funding.reporting.rows import OTHER

ORGANISATIONS_MIN = 2
"""A sum over one organisation is that organisation's; over two, each of them could only learn of the other."""

Members = Mapping[str, int]
"""Organisation → what it used of a group, in micro-units."""


@dataclass(frozen=True, slots=True)
class Group:
    """One line of a breakdown. `hidden`: the words that stand together in `other`."""

    word: str
    amount: int
    organisations: int
    hidden: tuple[str, ...] = ()


def suppressed(groups: Mapping[str, Members]) -> tuple[Group, ...]:
    """The groups as they may be shown, the largest first and `other` last.

    One that is of a single organisation goes into `other`. What would be there alone, or be of one organisation still, takes the smallest
    of the rest with it: the total is shown too, and would give it away by subtraction.
    """
    sums = {word: sum(members.values()) for word, members in groups.items()}
    shown = sorted((word for word, members in groups.items() if _count([members])), key=lambda one: (-sums[one], one))
    hidden = [word for word in shown if _count([groups[word]]) < ORGANISATIONS_MIN]
    shown = [word for word in shown if word not in hidden]
    while hidden and shown and (len(hidden) == 1 or _count(groups[one] for one in hidden) < ORGANISATIONS_MIN):
        hidden.append(shown.pop())
    made = [Group(word, sums[word], _count([groups[word]])) for word in shown]
    if hidden:
        together = sum(sums[word] for word in hidden)
        made.append(Group(OTHER, together, _count(groups[one] for one in hidden), tuple(sorted(hidden))))
    return tuple(made)


def folded(hidden: Iterable[str], rows: Iterable[frozenset[str]], sizes: Mapping[str, int]) -> frozenset[str]:
    """The organisations whose lines are not shown one by one. hidden: those of suppressed groups; rows: the organisations of each figure
    that is shown; sizes: what each used, so that the smallest is taken along.

    In no figure one organisation alone is folded: the figure less the lines beside it would be that organisation's.
    """
    found = frozenset(hidden)
    kept = [frozenset(row) for row in rows]
    while True:
        alone = next((row for row in kept if len(row & found) == 1 and row - found), None)
        if alone is None:
            return found
        found |= {min(alone - found, key=lambda one: (sizes.get(one, 0), one))}


def _count(groups: Iterable[Members]) -> int:
    """Organisations that used something."""
    return len({name for members in groups for name, amount in members.items() if amount})
