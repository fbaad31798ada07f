"""A project's standing: open, no new jobs, data shut, closed, and back as credits come. Pure: of a day, of balances, of what stood before."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

from fabriek.funding.policy.rates import PAID_BY_JOBS
from fabriek.funding.resources import Resource
from fabriek.funding.spending import rules as r
from fabriek.funding.spending.rules import Rules
from fabriek.kernel.errors import CreditsExhausted, NotPermitted
from fabriek.kernel.units import MICRO, shown

STORAGE = Resource.TIB_HOUR
STOPS_JOBS = PAID_BY_JOBS | {STORAGE}
"""What keeps jobs out when it is empty. Who has had all of their expert-hours computes on."""


class State(StrEnum):
    OPEN = "open"
    NO_NEW_JOBS = "no_new_jobs"
    DATA_SHUT = "data_shut"
    CLOSED = "closed"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.OPEN: frozenset({State.NO_NEW_JOBS}),
    State.NO_NEW_JOBS: frozenset({State.OPEN, State.DATA_SHUT, State.CLOSED}),
    State.DATA_SHUT: frozenset({State.OPEN, State.NO_NEW_JOBS, State.CLOSED}),
    State.CLOSED: frozenset({State.OPEN, State.NO_NEW_JOBS, State.DATA_SHUT}),
}
"""Nothing is shut that was not first told to be empty; credits lead out of each."""

DATA_IS_SHUT = frozenset({State.DATA_SHUT, State.CLOSED})


@dataclass(frozen=True, slots=True)
class Balance:
    """Of one resource, in micro-units. `granted`: ever, over all allocations; `left` and `held`: in those that have not ended; `owed`."""

    granted: int = 0
    left: int = 0
    held: int = 0
    owed: int = 0

    @property
    def net(self) -> int:
        """What is held may come back, and what is owed is to be paid from the rest."""
        return self.left + self.held - self.owed

    @property
    def is_empty(self) -> bool:
        """What a project was never given it does not lack, unless it owes it."""
        return self.net < 0 or (self.net == 0 and self.granted > 0)


Balances = Mapping[Resource, Balance]
EMPTY_SINCE = Mapping[Resource, date]


@dataclass(frozen=True, slots=True)
class Standing:
    """`empty`: since when each resource is; `owing`: since when each is below zero."""

    project: str
    since: date
    state: State = State.OPEN
    empty: EMPTY_SINCE = field(default_factory=dict)
    owing: EMPTY_SINCE = field(default_factory=dict)


def move(standing: Standing, to: State, on: date) -> Standing:
    """One step of the table."""
    assert to in TRANSITIONS[standing.state], f"{standing.project} is {standing.state}, it cannot become {to}"
    return replace(standing, state=to, since=on)


def after(standing: Standing, balances: Balances, rules: Rules, today: date) -> Standing:
    """How the project stands today, at most one step of the table on."""
    looked = replace(
        standing,
        empty=_since(standing.empty, {one for one, has in balances.items() if has.is_empty}, today),
        owing=_since(standing.owing, {one for one, has in balances.items() if has.net < 0}, today),
    )
    target = _target(looked, rules, today)
    if target is looked.state:
        return looked
    return move(looked, target if target in TRANSITIONS[looked.state] else State.NO_NEW_JOBS, today)


def data_shuts_on(standing: Standing, rules: Rules) -> date | None:
    """The day on which access to its data is shut if nothing comes; None where nothing is to shut."""
    days = rules.days(r.DATA_SHUT)
    since = standing.empty.get(STORAGE)
    return None if since is None or days is None else since + timedelta(days=days)


def closes_on(standing: Standing, rules: Rules) -> date | None:
    """The day on which it is closed if nothing comes; None where it owes nothing."""
    days = rules.days(r.CLOSED)
    since = min(standing.owing.values(), default=None)
    return None if since is None or days is None else since + timedelta(days=days)


def check_new_job(standing: Standing, balances: Balances, rules: Rules, resource: Resource) -> None:
    """Raises CreditsExhausted, naming the rule, where no new job that pays in this resource may be submitted."""
    if standing.state is State.CLOSED:
        owed = next(iter(sorted(standing.owing)), resource)
        raise _exhausted(
            f"the project is closed: it owes {owed.counted(-balances.get(owed, Balance()).net)} since {standing.owing.get(owed, standing.since)}",
            r.CLOSED,
            owed,
            balances,
        )
    if STORAGE in standing.empty and r.STORAGE_EMPTY in rules:
        raise _exhausted(
            f"storage is empty since {standing.empty[STORAGE]}, and no new job may be submitted until there are {STORAGE.plural} again",
            r.STORAGE_EMPTY,
            STORAGE,
            balances,
        )
    if resource in standing.empty and r.UNIT_EMPTY in rules:
        raise _exhausted(
            f"the project has no {resource.plural} left since {standing.empty[resource]}, and no new job that takes them may be submitted",
            r.UNIT_EMPTY,
            resource,
            balances,
        )


def check_data(standing: Standing) -> None:
    """Raises NotPermitted, naming the rule, where access to the project's data is shut."""
    if standing.state not in DATA_IS_SHUT:
        return
    closed = standing.state is State.CLOSED
    why = "the project that keeps this data is closed, since it owes credits" if closed else (
        f"the project that keeps this data has no {STORAGE.plural} since {standing.empty.get(STORAGE, standing.since)}"
    )  # fmt: skip
    raise NotPermitted(
        f"{why}: access is shut, and nothing is deleted",
        rule=r.CLOSED if closed else r.DATA_SHUT,
        fix="its lead applies for more, and it opens by itself: fabriek apply new",
    )


def _target(standing: Standing, rules: Rules, today: date) -> State:
    closes, shuts = closes_on(standing, rules), data_shuts_on(standing, rules)
    if closes is not None and today >= closes:
        return State.CLOSED
    if shuts is not None and today >= shuts:
        return State.DATA_SHUT
    stopping = STOPS_JOBS & set(standing.empty)
    stops = (stopping - {STORAGE} and r.UNIT_EMPTY in rules) or (stopping & {STORAGE} and r.STORAGE_EMPTY in rules)
    return State.NO_NEW_JOBS if stops else State.OPEN


def _since(before: EMPTY_SINCE, now: set[Resource], today: date) -> EMPTY_SINCE:
    return {one: before.get(one, today) for one in sorted(now)}


def _exhausted(why: str, rule: str, resource: Resource, balances: Balances) -> CreditsExhausted:
    has = balances.get(resource, Balance())
    return CreditsExhausted(
        why,
        fix="apply for more: fabriek apply new; what is left: fabriek project credits",
        rule=rule,
        left=max(0, has.net) / MICRO,
        asked=0,
        unit=resource.value,
        share="",
        owed=shown(max(0, -has.net)),
    )
