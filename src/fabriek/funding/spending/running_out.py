"""What one may ask of a project's credits, and the round that the worker makes: standings follow balances, grants lapse, leads are told."""

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date

from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.funding import ledger
from fabriek.funding.allocations import Allocation, is_place
from fabriek.funding.giving.service import AWARDS
from fabriek.funding.ledger import Kind
from fabriek.funding.policy.capping import Capping
from fabriek.funding.ports import Allocations, Ledger
from fabriek.funding.resources import Resource
from fabriek.funding.spending import letters, standing
from fabriek.funding.spending import rules as r
from fabriek.funding.spending.lapsing import Grant, cut_micro, is_looked_at
from fabriek.funding.spending.ports import Lapsed, Lapses, Standings, Tellings
from fabriek.funding.spending.rules import Row, Rules, rules_on
from fabriek.funding.spending.standing import Balance, Balances, Standing, State
from fabriek.funding.spending.tellings import Telling, failed, new_telling, sent
from fabriek.funding.spending.warnings import warning_due
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import FabriekError
from fabriek.kernel.ids import Ids

log = logging.getLogger("fabriek.funding")
AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Overview:
    """How a project stands, for its people. `shuts_on`, `closes_on`: if nothing comes. `sentences` say all of it in words."""

    standing: Standing
    balances: Balances
    shuts_on: date | None
    closes_on: date | None
    sentences: Sequence[str]


SPLITS_MAX = 10_000
"""Entries of an allocation among which its places are looked for."""


class RunningOut:
    """Credits that run out, lapse and end."""

    def __init__(
        self, books: Ledger, allocations: Allocations, standings: Standings, lapses: Lapses, tellings: Tellings, *, access: Access,
        audit: Audit, clock: Clock, ids: Ids, rows: Sequence[Row], capping: Capping,
    ) -> None:  # fmt: skip
        self._books, self._allocations = books, allocations
        self._standings, self._lapses, self._tellings = standings, lapses, tellings
        self._access, self._audit, self._clock, self._ids, self._rows = access, audit, clock, ids, rows
        self._capping = capping
        self._of_day: tuple[date, Rules] | None = None

    def check_new_job(self, project: str, resource: Resource) -> None:
        """Raises CreditsExhausted, naming the rule, where no new job that pays in this resource may be submitted. By the balances of this
        moment: what ran out a second ago has run out, and what came opens at once.
        """
        now, balances, rules = self._now(project)
        standing.check_new_job(now, balances, rules, resource)

    def check_data(self, project: str) -> None:
        """Raises NotPermitted, naming the rule, where access to what this project keeps is shut."""
        known = self._standings.get(project)
        if known is not None and (known.state in standing.DATA_IS_SHUT or known.empty):
            standing.check_data(self._now(project)[0])

    def overview(self, project_ref: str, *, by: Caller) -> Overview:
        """How the project stands."""
        project = self._access.project(project_ref)
        require(by, "project.view", project=project.id)
        now, balances, rules = self._now(project.id)
        shuts, closes = standing.data_shuts_on(now, rules), standing.closes_on(now, rules)
        owned, today = self._allocations.of_project(project.id), self._clock.today()
        says = [*letters.of_standing(now, balances, shuts, closes), *letters.of_ends(owned, rules, today)]
        says += [letters.of_cut(one) for one in self._lapses.of_project(project.id) if one.cut]
        return Overview(now, balances, shuts, closes, says)

    def in_trouble(self, *, by: Caller) -> Mapping[str, State]:
        """Those of the caller's projects that are not open, as the worker last found them; for lists of projects."""
        stand = self._standings.among(by.project_rights)
        return {project: one.state for project, one in stand.items() if one.state is not State.OPEN}

    def round(self) -> int:
        """Moves what is to be moved, cuts what lapses, tells what is due; how many projects were touched. For the worker."""
        today, touched = self._clock.today(), 0
        rules = self._rules(today)
        owned: dict[str, list[Allocation]] = {}
        for one in self._allocations.all():
            owned.setdefault(one.project, []).append(one)
        if not owned:
            return 0
        books, known, looked = self._books.balances(), self._standings.all(), self._lapses.looked_at()
        told = self._tellings.abouts(owned)
        for project, those in owned.items():
            try:
                touched += self._round_of(project, those, rules, today, books, known.get(project), looked, told)
            except FabriekError as error:
                log.warning("the credits of %s could not be looked at: %s", project, error.detail)
        return touched

    def take_unsent(self) -> "list[tuple[Telling, str]]":
        """What is to be mailed now, with the address it goes to, and for a while nobody else's to send."""
        now = self._clock.now()
        if not self._tellings.unsent(now, limit=1):  # so that an idle factory writes nothing
            return []
        with self._books.transaction(alone="spending-tellings"):
            found = [failed(one, now) for one in self._tellings.unsent(now, limit=AT_ONCE)]
            for one in found:
                self._tellings.save(one)
        people = {one.person: self._access.person(one.person) for one in found}
        return [
            (one, people[one.person].email) for one in found if people[one.person].active and people[one.person].email
        ]

    def mailed(self, telling: Telling) -> None:
        """It was handed in; what was not is due again after a pause, a dozen times."""
        with self._books.transaction():
            self._tellings.save(sent(telling, self._clock.now()))

    def _round_of(
        self, project: str, owned: Sequence[Allocation], rules: Rules, today: date, books: Mapping[tuple[str, Resource], int],
        known: Standing | None, looked: Collection[str], told: Collection[str],
    ) -> bool:  # fmt: skip
        """Whether there was anything to do. On a snapshot: what is to be done is looked at once more, alone with the project."""
        before = known or Standing(project, today)
        now = standing.after(before, balances_of(owned, books, today), rules, today)
        lapse = rules.get(r.LAPSE)
        # A place of a class is looked at with the class that it was split off.
        whole = [one for one in owned if not is_place(one)]
        lapsing = [one for one in whole if lapse and one.id not in looked and is_looked_at(one, lapse, today)]
        ending = [(one, days) for one in owned if (days := self._warning(one, rules, today, told)) is not None]
        if now == before and not lapsing and not ending:
            return False
        with ExitStack() as locks:
            if lapsing:  # awards first, as every verb that takes both takes them
                locks.enter_context(self._books.transaction(alone=AWARDS))
            locks.enter_context(self._books.transaction(alone=f"credits:{project}"))
            if now != before:
                self._step(project, rules, today)
            for one in lapsing:
                assert lapse is not None
                self._lapse(one, lapse, today)
            for one, days in ending:
                self._tell(project, _warned(one, days), letters.of_end(one, today))
        return True

    def _step(self, project: str, rules: Rules, today: date) -> None:
        before = self._standings.get(project) or Standing(project, today)
        balances = self._balances(project)
        now = standing.after(before, balances, rules, today)
        if now == before:
            return
        self._standings.put(now)
        if now.state is not before.state:
            self._audit.record(
                "spending.moved", project, SYSTEM, before=str(before.state), after=str(now.state), empty=len(now.empty)
            )
        shuts, closes = standing.data_shuts_on(now, rules), standing.closes_on(now, rules)
        for about, says in letters.of_change(before, now, balances, shuts, closes):
            self._tell(project, about, says)

    def _places_of(self, allocation: Allocation) -> list[str]:
        """The allocations that were split off it, by the ledger."""
        name = ledger.account(Kind.ALLOCATION, allocation.id)
        splits = {one.transaction for one in self._books.entries(account=name, limit=SPLITS_MAX) if one.memo == "split"}
        others = {entry.account for one in sorted(splits) for entry in self._books.posting(one).entries} - {name}
        return sorted(one.partition(":")[2] for one in others)

    def _lapse(self, allocation: Allocation, rule: Row, today: date) -> None:
        """Looks at each grant of it, once, and cuts what lapses."""
        if allocation.id in self._lapses.looked_at():
            return
        places = self._places_of(allocation)
        for resource, grant in grants_of(allocation, self._books.balances_of([allocation.id, *places]), places).items():
            cut = cut_micro(grant, rule)
            found = Lapsed(allocation.id, resource, allocation.project, today, grant.granted, grant.used, cut)
            self._lapses.add(found)
            if not cut:
                continue
            key = f"lapse:{allocation.id}:{resource}"
            self._books.post(
                ledger.take_back(
                    self._ids.new("led"), key, allocation.share, allocation.id, {resource: cut}, self._clock.now(), memo="lapse"
                )
            )  # fmt: skip
            self._capping.awarded(allocation, {resource: -cut})
            self._audit.record(
                "allocation.cut", allocation.id, SYSTEM, project=allocation.project, resource=str(resource), cut_micro=cut,
                rule=rule.id,
            )  # fmt: skip
            self._tell(allocation.project, key, letters.of_cut(found))

    def _warning(self, allocation: Allocation, rules: Rules, today: date, told: Collection[str]) -> int | None:
        rule = rules.get(r.ENDS_SOON)
        if rule is None or is_place(allocation):
            return None
        were = {days for days in rule.days if _warned(allocation, days) in told}
        return warning_due(allocation, rule, today, told=were)

    def _tell(self, project: str, about: str, says: str) -> None:
        """Writes it to each lead who is here; once, however often it is said."""
        if all(is_place(one) for one in self._allocations.of_project(project)):
            return  # a teacher knows when a class ends, and would hear it for each of its places
        found = self._access.project(project)
        for membership, person in self._access.members(project, by=SYSTEM):
            if membership.role == "lead" and person.active:
                says_it = f"Project {found.slug}: {says}"
                self._tellings.add(new_telling(about, project, person.id, says_it, self._clock.now()))

    def _now(self, project: str) -> tuple[Standing, Balances, Rules]:
        today = self._clock.today()
        rules, balances = self._rules(today), self._balances(project)
        before = self._standings.get(project) or Standing(project, today)
        return standing.after(before, balances, rules, today), balances, rules

    def _rules(self, today: date) -> Rules:
        """Kept for the day: they are asked for at each job."""
        if self._of_day is None or self._of_day[0] != today:
            self._of_day = (today, rules_on(self._rows, today))
        return self._of_day[1]

    def _balances(self, project: str) -> Balances:
        owned = self._allocations.of_project(project)
        return balances_of(owned, self._books.balances_of(one.id for one in owned), self._clock.today())


def balances_of(owned: Sequence[Allocation], books: Mapping[tuple[str, Resource], int], today: date) -> Balances:
    """A project's, of those among the books that are of its allocations. What an allocation that has ended still has is no use to anybody;
    what it owes is.
    """
    found: dict[Resource, Balance] = {}
    for one in owned:
        for resource in Resource:
            has = {kind: books.get((ledger.account(kind, one.id), resource), 0) for kind in _OF_ALLOCATIONS}
            granted = sum(has.values())
            if not granted and not any(has.values()):
                continue
            sums, current = found.get(resource, Balance()), one.ends_on >= today
            found[resource] = Balance(
                sums.granted + granted,
                sums.left + (has[Kind.ALLOCATION] if current else 0),
                sums.held + (has[Kind.HOLD] if current else 0),
                sums.owed - has[Kind.DEBT],
            )
    return found


def grants_of(
    allocation: Allocation, books: Mapping[tuple[str, Resource], int], places: Collection[str] = ()
) -> dict[Resource, Grant]:
    """What it was given of each resource, with what was split off it: places of a class. What jobs hold counts as used; what places have left
    is theirs, and is not cut.
    """
    found = {}
    for resource in Resource:
        has = {kind: books.get((ledger.account(kind, allocation.id), resource), 0) for kind in _OF_ALLOCATIONS}
        left = has[Kind.ALLOCATION]
        for place in places:
            for kind in _OF_ALLOCATIONS:
                has[kind] += books.get((ledger.account(kind, place), resource), 0)
        if (granted := sum(has.values())) > 0:
            used = has[Kind.HOLD] + has[Kind.USAGE] + has[Kind.DEBT]
            found[resource] = Grant(granted, left, used)
    return found


_OF_ALLOCATIONS = (Kind.ALLOCATION, Kind.HOLD, Kind.USAGE, Kind.DEBT)


def _warned(allocation: Allocation, days: int) -> str:
    """An allocation that was extended is warned of again, before its new end."""
    return f"ends:{allocation.id}:{allocation.ends_on}:{days}"
