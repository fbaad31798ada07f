"""What one may do with readings: book them, read storage, look at them; and pay what is owed."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta, tzinfo

from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.funding import ledger
from fabriek.funding.allocations import Allocation, payers
from fabriek.funding.ledger import Kind, Posting, account
from fabriek.funding.metering.ports import Debts, Readings, Storages
from fabriek.funding.metering.readings import (
    Reading,
    Storage,
    beyond_free,
    check_reading,
    meter_on,
    slices,
    tib_hours,
)
from fabriek.funding.policy.book import PolicyBook
from fabriek.funding.policy.purposes import forbidden_by
from fabriek.funding.policy.rates import rate_on
from fabriek.funding.ports import Allocations, Funds, Ledger
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import CreditsExhausted, FabriekError, NotPermitted, WrongState
from fabriek.kernel.ids import Ids
from fabriek.kernel.purposes import Purpose

log = logging.getLogger("fabriek.funding")


class Metering:
    """Measured use in the ledger. Every verb that is not asked by a person may be called again, by any number of workers."""

    def __init__(
        self, books: Ledger, funds: Funds, allocations: Allocations, readings: Readings, storages: Storages, debts: Debts, *,
        held: Callable[[], Mapping[str, int]], access: Access, audit: Audit, clock: Clock, ids: Ids, policy: PolicyBook, zone: tzinfo,
    ) -> None:  # fmt: skip
        """held: project → sealed bytes that its datasets hold now."""
        self._books, self._funds, self._allocations = books, funds, allocations
        self._readings, self._storages, self._debts, self._held = readings, storages, debts, held
        self._access, self._audit, self._clock, self._ids = access, audit, clock, ids
        self._policy, self._zone = policy, zone

    def book(
        self, project: str, purpose: Purpose, resource: Resource, amount_micro: int, key: str, at: datetime
    ) -> Reading:
        """Charges as far as the project's allocations reach, the one that lapses first in front; the rest is owed. Once by its key.

        Raises InvalidInput on what cannot have been measured, WrongState where another amount stands under the key.
        """
        check_reading(key, amount_micro, at, self._clock.now())
        with self._books.transaction(alone=f"credits:{project}"):
            known = self._readings.get(key)
            if known is not None:
                if (known.project, known.resource, known.amount_micro) != (project, resource, amount_micro):
                    raise WrongState(
                        f"the reading {key} is booked with {resource.counted(known.amount_micro)}",
                        fix="a reading is booked once; what is missing is a reading of its own",
                    )
                return known
            made = self._charged(project, purpose, resource, amount_micro, key, at)
            self._readings.add(made)
        return made

    def was_awarded(self, project: str, resource: Resource) -> bool:
        """Whether the project ever had any of it."""
        return any(amount for amount in self._granted(project, resource).values())

    def check_not_spent(self, project: str, resource: Resource) -> None:
        """Raises CreditsExhausted where the project was awarded some of it, and none is left. Where none was ever awarded nothing is in
        the way: then it is not what is paid with.
        """
        today = self._clock.today()
        owned = self._allocations.of_project(project)
        if not any(self._granted(project, resource).values()):
            return
        left = sum(
            self._books.balance(account(Kind.ALLOCATION, one.id), resource)
            for one in self._paying(owned, self._access.project(project).purpose, today)
            if one.starts_on <= today <= one.ends_on
        )
        if left <= 0:
            raise CreditsExhausted(
                f"the {resource.plural} of this project are spent",
                fix="apply for more: fabriek apply new; what it had and owes: fabriek project credits",
                left=0.0, asked=1.0, unit=resource.value, share="",
            )  # fmt: skip

    def read_storage(self) -> int:
        """Books what each project's datasets held since they were last read, when it is time; how many projects. For the worker."""
        now = self._clock.now().replace(microsecond=0)
        rule = meter_on(Resource.TIB_HOUR, self._policy.now().meters, self._clock.today())
        last = self._storages.last_read()
        if rule is None or (last is not None and now - last < timedelta(seconds=rule.every_seconds)):
            return 0
        held = self._held()
        projects = sorted(held.keys() | self._storages.levels().keys())
        for project in projects:
            try:
                self._advance(project, held.get(project, 0), now)
            except FabriekError as error:  # of one project; its interval is booked when it is mended
                log.warning("the storage of project %s cannot be booked: %s", project, error.detail)
        return len(projects)

    def pay_debts(self) -> int:
        """Pays what is owed wherever a project has come to credits since; how many projects owed. For the worker."""
        owing = self._debts.owing()
        for project in owing:
            self.pay(project)
        return len(owing)

    def pay(self, project: str) -> None:
        """Pays what the project owes as far as its credits reach. For whoever brings it credits; joins the transaction that is open."""
        today, purpose = self._clock.today(), self._access.project(project).purpose
        with self._books.transaction(alone=f"credits:{project}"):
            owned = self._allocations.of_project(project)
            stand = dict(self._books.balances_of(one.id for one in owned))
            paying = [one for one in self._paying(owned, purpose, today) if one.starts_on <= today <= one.ends_on]
            for owing in sorted(owned, key=lambda one: (one.ends_on, one.id)):
                for resource in Resource:
                    self._pay_one(owing, paying, resource, stand, project)

    def readings(self, project_ref: str, *, limit: int, by: Caller) -> Sequence[Reading]:
        """Newest first."""
        project = self._access.project(project_ref)
        require(by, "project.view", project=project.id)
        return self._readings.of_project(project.id, limit=limit)

    def _pay_one(
        self, owing: Allocation, paying: Sequence[Allocation], resource: Resource, stand: dict[tuple[str, Resource], int], project: str
    ) -> None:  # fmt: skip
        owed = -stand.get((account(Kind.DEBT, owing.id), resource), 0)
        shares, today = {one.id: one for one in self._funds.shares()}, self._clock.today()
        for payer in paying:
            # What was used when the project was for something else is paid by whose money may pay for that.
            if owing.purpose and forbidden_by(shares[payer.share], Purpose(owing.purpose), self._policy.rules, today):
                continue
            where = account(Kind.ALLOCATION, payer.id), resource
            amount = min(owed, stand.get(where, 0))
            if amount <= 0:
                continue
            transaction, now = self._ids.new("led"), self._clock.now()
            key = f"debt:{transaction}"
            self._books.post(ledger.pay_debt(transaction, key, owing.id, payer.id, resource, amount, now))
            self._audit.record(
                "funding.debt_paid", owing.id, SYSTEM, project=project, payer=payer.id, resource=resource
            )
            owed -= amount
            stand[where] -= amount

    def _charged(
        self, project: str, purpose: Purpose, resource: Resource, amount: int, key: str, at: datetime
    ) -> Reading:
        over, charged, now, on = amount, dict[str, int](), self._clock.now(), at.astimezone(self._zone).date()
        owned, own = self._allocations.of_project(project), self._access.project(project).purpose
        if own is not purpose:
            # Whatever a reading says that it was for, the project's own purpose keeps a share from paying.
            kinds = {one.id: one for one in self._funds.shares()}
            owned = [one for one in owned if forbidden_by(kinds[one.share], own, self._policy.rules, on) is None]
        paying = self._paying(owned, purpose, on)
        for one in paying:
            charged[one.id] = min(self._books.balance(account(Kind.ALLOCATION, one.id), resource), over)
            over -= charged[one.id]
        transaction = self._ids.new("led")
        postings: list[Posting] = []
        if any(charged.values()):
            postings.append(ledger.use(transaction, f"meter:{key}", charged, resource, now, job=key, memo="metered"))
        owed = over if paying else 0
        if owed:
            # Owed by the one that stands longest: the next to be awarded something pays it.
            owes, of_debt = paying[-1].id, self._ids.new("led") if postings else transaction
            postings.append(ledger.owe(of_debt, f"meter:{key}:owed", owes, resource, owed, now, memo="metered"))
        self._books.post(*postings)
        return Reading(
            key, project, purpose, resource, amount, owed, over - owed, transaction if postings else "", at, now
        )

    def _paying(self, owned: Sequence[Allocation], purpose: Purpose, on: date) -> list[Allocation]:
        """Those in force that day that may pay; where none is, the one that ended last, which can only owe or spend what it still has."""
        shares = {one.id: one for one in self._funds.shares()}
        with suppress(NotPermitted):
            if found := payers(owned, shares, purpose, self._policy.rules, on):
                return found
        ended = [
            one
            for one in owned
            if one.ends_on < on and forbidden_by(shares[one.share], purpose, self._policy.rules, on) is None
        ]
        return sorted(ended, key=lambda one: (one.ends_on, one.id))[-1:]

    def _granted(self, project: str, resource: Resource) -> dict[str, int]:
        """Allocation → what it was given of it, spent or not."""
        sums: dict[str, int] = {}
        for (name, of), amount in self._books.balances_of(
            one.id for one in self._allocations.of_project(project)
        ).items():
            if of is resource:
                owner = name.partition(":")[2]
                sums[owner] = sums.get(owner, 0) + amount
        return sums

    def _advance(self, project: str, held: int, now: datetime) -> None:
        """Books from where the project was last read until now. What is charged is the lesser of what it held then and holds now: nobody pays
        for bytes that may not have been there.
        """
        with self._books.transaction(alone=f"credits:{project}"):
            before = self._storages.get(project)
            if before is not None and before.read_at >= now:
                return  # another worker was here, or the clock went back
            rest = 0
            if before is not None:
                rest = self._book_stored(before, min(before.level_bytes, held), now)
            self._storages.put(Storage(project, held, rest, now))

    def _book_stored(self, before: Storage, level: int, now: datetime) -> int:
        policy, rest = self._policy.now(), before.rest
        free = not self.was_awarded(before.project, Resource.TIB_HOUR)
        purpose = self._access.project(before.project).purpose
        for one in slices(before.read_at, now, self._zone):
            rule = meter_on(Resource.TIB_HOUR, policy.meters, one.day)
            if rule is None:
                continue
            costs = beyond_free(level, rule.free_micro) if free else level
            each = rate_on(Resource.TIB_HOUR, policy.rates, one.day).amount_micro
            amount, rest = tib_hours(costs, one.seconds, each, rest)
            if amount:
                key = f"storage:{before.project}:{one.begins:%Y-%m-%dT%H:%M:%SZ}"
                # Of the day in which it lies: its last instant may be the next day's first.
                at = one.ends - timedelta(seconds=1)
                self.book(before.project, purpose, Resource.TIB_HOUR, amount, key, at)
        return rest

    def book_tokens(self, project: str, tokens: int, key: str, at: datetime) -> Reading | None:
        """What a served model of another project read and wrote for this one, at the rate of that day. None where the project was never
        awarded tokens: it goes on without, and the GPU-hours are paid by who serves.
        """
        if not self.was_awarded(project, Resource.TOKEN):
            return None
        each = rate_on(Resource.TOKEN, self._policy.rates, at.astimezone(self._zone).date()).amount_micro
        purpose = self._access.project(project).purpose
        return self.book(project, purpose, Resource.TOKEN, tokens * each, key, at)
