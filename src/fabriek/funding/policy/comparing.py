"""Who loses by a change of policy, and why, in a sentence each. Pure: whoever loses signs, so that nobody chooses who is asked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import cast

from fabriek.funding.giving.shares import Share
from fabriek.funding.metering.readings import MeterRule
from fabriek.funding.policy.caps import Cap, Of
from fabriek.funding.policy.ladders import Ladder
from fabriek.funding.policy.policy import Policy
from fabriek.funding.policy.purposes import Rule
from fabriek.funding.policy.rates import Rate
from fabriek.funding.policy.rows import Row, percent, rows_on, said
from fabriek.funding.policy.tariffs import Each
from fabriek.funding.policy.tree import FREELY, Borrowing, Branch, stands
from fabriek.funding.resources import Resource
from fabriek.kernel.units import MICRO, shown


@dataclass(frozen=True, slots=True)
class View:
    """A policy on one day. parts: share id → millionths of the machine."""

    policy: Policy
    day: date
    parts: Mapping[str, int]


def losses(shares: Sequence[Share], views: Iterable[tuple[View, View]]) -> dict[str, tuple[str, ...]]:
    """Share id → why it loses; those that do not are not in it. views: before and after, for each day on which something changes."""
    found: dict[str, dict[str, None]] = {}
    for before, after in views:
        for share, why in _lost(shares, before, after):
            found.setdefault(share.id, {})[why] = None
    return {share: tuple(whys) for share, whys in sorted(found.items())}


def _lost(shares: Sequence[Share], before: View, after: View) -> Iterator[tuple[Share, str]]:
    was, becomes = rows_on(before.policy, before.day), rows_on(after.policy, after.day)
    for share in shares:
        had, has = before.parts.get(share.id, 0), after.parts.get(share.id, 0)
        if has < had:
            yield share, f"its part of the machine falls from {percent(had)} to {percent(has)} on {after.day}"
        for why in (*_caps(share, was, becomes), *_purposes(share, was, becomes)):
            yield share, why
    for why in (
        *_supply(before, after),
        *_carry(before, after),
        *_rates(was, becomes),
        *_meters(was, becomes),
        *_ladder(was, becomes),
        *_tree(was, becomes),
    ):
        for share in shares:
            yield share, why


def _caps(share: Share, was: Mapping[str, Row], becomes: Mapping[str, Row]) -> Iterator[str]:
    """Tighter and looser alike: the one keeps its money from what it wants, the other lets others take more of it than it agreed to."""
    for name in sorted(was.keys() | becomes.keys()):
        old, new = (_on_its_money(rows.get(name), share) for rows in (was, becomes))
        if old is None and new is None:
            continue
        if old is None or new is None or replace(old, valid_from=new.valid_from, source=new.source) != new:
            words = [one.said() if one else "no cap" for one in (old, new)]
            what = (
                "the cap on what its kind may hold"
                if (new or cast("Cap", old)).of is Of.MACHINE
                else "a cap on its money"
            )
            yield f"{what} changes: {words[0]}, becomes {words[1]}" + (
                "" if words[0] != words[1] else f" ({name} counts otherwise)"
            )


def _on_its_money(row: Row | None, share: Share) -> Cap | None:
    """A cap of the machine binds one kind and leaves the rest to all others, so that it is on everybody's money."""
    if not isinstance(row, Cap):
        return None
    return row if row.of is Of.MACHINE or row.funder in {None, share.kind} else None


def _purposes(share: Share, was: Mapping[str, Row], becomes: Mapping[str, Row]) -> Iterator[str]:
    """Wider ones too: nobody's money may pay for what its owner did not agree to."""
    name = f"rule {share.kind}"
    old, new = (
        frozenset(one.pays) if isinstance(one := rows.get(name), Rule) else frozenset() for rows in (was, becomes)
    )
    for purposes, says in ((old - new, "no longer pays"), (new - old, "pays too")):
        if purposes:
            named = ", ".join(sorted(one.replace("_", " ") for one in purposes))
            yield f"its money {says} for what is {named}"


def _supply(before: View, after: View) -> Iterator[str]:
    for resource in Resource:
        had, has = before.policy.supply_on(resource, before.day), after.policy.supply_on(resource, after.day)
        if has < had:
            yield f"the machine gives {shown(has)} {resource.plural} a day to all shares and not {shown(had)}, from {after.day}"


def _carry(before: View, after: View) -> Iterator[str]:
    had, has = before.policy.carried_on(before.day), after.policy.carried_on(after.day)
    if has < had:
        yield f"of what a quarter leaves {percent(has)} is carried over and not {percent(had)}"


def _meters(was: Mapping[str, Row], becomes: Mapping[str, Row]) -> Iterator[str]:
    """More that is free is paid for by nobody's share and takes the machine's; less of it makes projects owe what they did not."""
    for name, new in becomes.items():
        old = was.get(name)
        if not isinstance(new, MeterRule) or not isinstance(old, MeterRule):
            continue
        if (old.every_seconds, old.free_micro) != (new.every_seconds, new.free_micro):
            yield f"{new.resource.plural} are read otherwise: {said(old)}, becomes {said(new)}"


def _ladder(was: Mapping[str, Row], becomes: Mapping[str, Row]) -> Iterator[str]:
    """Harder and softer alike: the one ends or puts back what stood before, the other risks the connection that all work by."""
    old, new = was.get("ladder"), becomes.get("ladder")
    if isinstance(new, Ladder) and isinstance(old, Ladder) and old.said() != new.said():
        yield f"the power ladder changes: {old.said()}, becomes {new.said()}"


def _tree(was: Mapping[str, Row], becomes: Mapping[str, Row]) -> Iterator[str]:
    """Any change, for everybody: what one may take less others may borrow, and who lies within a group goes first for what its members leave, and
    behind all others where they left nothing.
    """
    for name in sorted(was.keys() | becomes.keys()):
        rows = (was.get(name), becomes.get(name))
        if not any(isinstance(one, Branch | Borrowing) for one in rows):
            continue
        unsaid = FREELY if any(isinstance(one, Borrowing) for one in rows) else stands("", None)
        old, new = (one.said() if isinstance(one, Branch | Borrowing) else unsaid for one in rows)
        if old != new:
            yield f"how shares stand to each other changes, {name}: {old}, becomes {new}"


def _rates(was: Mapping[str, Row], becomes: Mapping[str, Row]) -> Iterator[str]:
    """A lower price for the same is no loss. What is charged by something else may cost some more and others less, so that all are asked."""
    for name, new in becomes.items():
        if not isinstance(new, Rate):
            continue
        # A kind of GPU without a rate of its own paid that of all.
        old = was.get(name) or was.get(f"rate {new.resource}")
        if isinstance(old, Rate) and old.wall_hours_max != new.wall_hours_max:
            yield f"jobs of {new.resource.plural} run for at most {new.wall_hours_max or 'any'} hours and not {old.wall_hours_max or 'any'}"
        if not isinstance(old, Rate) or (old.term, old.node) == (new.term, new.node) or _is_cheaper(old, new):
            continue
        kind = f" of {new.kind}" if new.kind else ""
        yield f"an hour{kind} costs {said(new)} in {new.resource.plural} and not {said(old)}: every share buys other than it did"


def _is_cheaper(old: Rate, new: Rate) -> bool:
    if not isinstance(old.term, Each) or not isinstance(new.term, Each) or old.node != new.node:
        return False
    return old.term.per == new.term.per and new.term.amount_micro <= old.term.amount_micro


def check_parts(policy: Policy, days: Iterable[date]) -> str:
    """What is wrong with the agreed parts; empty where nothing is."""
    for day in days:
        if (whole := sum(policy.fixed_parts(day).values())) > MICRO:
            return f"the agreed parts make {percent(whole)} of the machine on {day}"
    return ""
