"""What leads are told of their project's credits, in sentences of amounts and days. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date

from fabriek.funding.allocations import Allocation
from fabriek.funding.resources import Resource
from fabriek.funding.spending import rules as r
from fabriek.funding.spending.ports import Lapsed
from fabriek.funding.spending.rules import Rules
from fabriek.funding.spending.standing import STOPS_JOBS, STORAGE, Balances, Standing, State
from fabriek.kernel.units import shown

_STATES = {
    State.OPEN: "it has credits again, and is open",
    State.NO_NEW_JOBS: "access to its data is open again",
    State.DATA_SHUT: "access to its data is shut, since storage stayed empty; nothing is deleted, and credits open it again",
    State.CLOSED: "it is closed, since it owes credits; nothing is deleted, and credits open it again",
}


def of_standing(now: Standing, balances: Balances, shuts_on: date | None, closes_on: date | None) -> Iterator[str]:
    """How it stands today; nothing where there is nothing to say."""
    if now.state in {State.DATA_SHUT, State.CLOSED}:
        yield f"since {now.since} {_STATES[now.state]}"
    for resource in now.empty:
        owed = -balances[resource].net if resource in balances else 0
        owes = f", and {resource.counted(owed)} are owed" if owed > 0 else ""
        yield f"there are no {resource.plural} left{owes}{_stops(resource) if now.state is not State.OPEN else ''}"
    if shuts_on is not None and now.state not in {State.DATA_SHUT, State.CLOSED}:
        yield f"access to its data is shut on {shuts_on} if no {STORAGE.plural} come; nothing is deleted"
    if closes_on is not None and now.state is not State.CLOSED:
        yield f"it is closed on {closes_on} if what it owes is not covered"


def _stops(resource: Resource) -> str:
    if resource not in STOPS_JOBS:
        return ""
    which = "" if resource is STORAGE else " that takes them"
    return f": no new job{which} may be submitted, and those that run finish"


def of_change(
    before: Standing, now: Standing, balances: Balances, shuts_on: date | None, closes_on: date | None
) -> Iterator[tuple[str, str]]:
    """What is new, each with what it is about: a resource that ran out or is owed, and a state."""
    fresh = set(now.empty.items()) - set(before.empty.items()) | set(now.owing.items()) - set(before.owing.items())
    if fresh and now.state is not State.CLOSED:
        about = ",".join(f"{resource}@{since}" for resource, since in sorted(fresh))
        owing = "owing" if set(now.owing) - set(before.owing) else "empty"
        yield f"{owing}:{now.project}:{about}", "; ".join(of_standing(now, balances, shuts_on, closes_on))
    shut = {State.DATA_SHUT, State.CLOSED}
    if now.state is not before.state and (now.state in shut or before.state in shut or now.state is State.OPEN):
        yield f"{now.state}:{now.project}:{now.since}", _STATES[now.state]


def of_cut(lapsed: Lapsed) -> str:
    """What was cut of a grant."""
    resource = lapsed.resource
    return (
        f"of {resource.counted(lapsed.granted)} {shown(lapsed.used)} were used by {lapsed.looked_on}, so {resource.counted(lapsed.cut)} "
        f"went back to the share, and {shown(lapsed.granted - lapsed.cut)} remain of the grant"
    )


def of_end(allocation: Allocation, today: date) -> str:
    days = (allocation.ends_on - today).days
    return f"its allocation ends on {allocation.ends_on}, in {days} {'day' if days == 1 else 'days'}; what is left then goes back to its share"


def of_ends(owned: Sequence[Allocation], rules: Rules, today: date) -> Iterator[str]:
    """Of every allocation that ends soon, on each day until it has."""
    rule = rules.get(r.ENDS_SOON)
    soon = max(rule.days, default=0) if rule else 0
    for one in sorted(owned, key=lambda one: one.ends_on):
        if one.starts_on <= today <= one.ends_on and (one.ends_on - today).days <= soon:
            yield of_end(one, today)
