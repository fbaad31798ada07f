"""Giving: money that is applied for, granted, received or withdrawn, and the hours that it brings into its funder's share."""

from collections.abc import Mapping, Sequence
from datetime import date

from fabriek.access.organisations import slug_of
from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.funding import ledger
from fabriek.funding.giving.contributions import COUNTING, Contribution, FunderKind, State, state_on, step
from fabriek.funding.giving.entitling import Terms, entitled, lapsing
from fabriek.funding.giving.ports import Entitlements
from fabriek.funding.giving.quarters import Quarter, quarter_of
from fabriek.funding.giving.shares import Share, apportion, shares_of
from fabriek.funding.ledger import Kind, account
from fabriek.funding.policy.book import PolicyBook
from fabriek.funding.policy.capping import Capping
from fabriek.funding.policy.caps import most_of_machine
from fabriek.funding.policy.comparing import View
from fabriek.funding.policy.policy import Policy
from fabriek.funding.policy.tree import Tree, tree_on
from fabriek.funding.ports import Funds, Ledger
from fabriek.funding.resources import Resource, amounts_of
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound, WrongState
from fabriek.kernel.ids import Ids

AWARDS = "awards"
"""Alone with all that gives to shares or takes from them: a look at what is left and the act that follows are one."""

WITHDRAWN = "withdrawn"
"""What the ledger says of hours that go back with their money."""

LAPSED = "lapsed "
"""What the ledger says of hours that nobody was awarded in time; the quarter follows."""

ENTRIES_MAX = 1_000_000
"""Of one contribution's account: a few each quarter."""


class Giving:
    """Contributions, the parts that they make, and what each quarter brings."""

    def __init__(
        self, books: Ledger, funds: Funds, entitlements: Entitlements, capping: Capping, policy: PolicyBook, *, access: Access,
        audit: Audit, clock: Clock, ids: Ids,
    ) -> None:  # fmt: skip
        self._books, self._funds, self._entitlements, self._capping = books, funds, entitlements, capping
        self._policy, self._access, self._audit, self._clock, self._ids = policy, access, audit, clock, ids

    def contribute(
        self, funder: str, kind: str, amount_euro: int, hours: Mapping[str, int], *, name: str = "", by: Caller
    ) -> tuple[Contribution, Share]:
        """Money that is granted, and the hours that it brings at once: whoever looks after the installation says which, since they are the
        machine's and not the funder's to say, and of a resource that quarters bring none. Raises InvalidInput, NotPermitted.
        """
        amounts = amounts_of(hours)
        if amounts:
            require(by, "funding.oversee")
        for resource in amounts:
            if self._policy.now().supply_on(resource, self._clock.today()):
                raise InvalidInput(
                    f"quarters bring the {resource.plural}: hours at once would come twice",
                    fix=f"record the sum alone: fabriek funding contribute {funder} --kind {kind} --euro {amount_euro}",
                )
        with self._books.transaction(alone=AWARDS):
            self._turn()
            made, share = self._apply(funder, kind, amount_euro, name, by)
            made = step(made, State.GRANTED, self._clock.today())
            self._funds.add_contribution(made)
            if amounts:
                now = self._clock.now()
                self._books.post(ledger.grant_share(self._ids.new("led"), made.id, share.id, amounts, now))
                self._capping.given(share.id, amounts, self._clock.today())
            self._audit.record("funding.contributed", made.id, by, share=share.id)
            self._true_up()
        return made, share

    def apply(
        self, funder: str, kind: str, amount_euro: int, *, name: str = "", by: Caller
    ) -> tuple[Contribution, Share]:
        """Money that is asked for: it makes no share yet. Raises InvalidInput on an unknown word."""
        with self._books.transaction(alone=AWARDS):
            made, share = self._apply(funder, kind, amount_euro, name, by)
            self._funds.add_contribution(made)
            self._audit.record("funding.applied", made.id, by, share=share.id)
        return made, share

    def step(self, contribution_id: str, to: str, *, on: date | None = None, by: Caller) -> Contribution:
        """The contribution's next step, today or on a later day. Raises WrongState, NotFound, InvalidInput on a day that has passed: what was
        billed stays as it is.
        """
        require(by, "funding.contribute")
        today = self._clock.today()
        with self._books.transaction(alone=AWARDS):
            self._turn()
            found = next((one for one in self._funds.contributions() if one.id == contribution_id), None)
            if found is None:
                raise NotFound("there is no such contribution", fix="fabriek funding contributions")
            self._check_whose(found.funder, by)
            if on is not None and on < today:
                raise InvalidInput(
                    f"{on} has passed, and no bill of the past changes", fix=f"give {today} or a later day"
                )
            moved = step(found, _state(to), on or today)
            self._funds.save_contribution(moved)
            self._audit.record(f"funding.{to}", moved.id, by, on=str(on or today))
            self._true_up()
        return moved

    def contributions(self, *, by: Caller) -> Sequence[tuple[Contribution, State | None]]:
        """Each with how far it is today."""
        require(by, "funding.view")
        today = self._clock.today()
        return [(one, state_on(one, today)) for one in self._funds.contributions()]

    def parts(self, on: date | None = None) -> Mapping[str, int]:
        """Share id → its part of the machine on that day, in millionths."""
        return self.parts_under(self._policy.now(), on or self._clock.today())

    def parts_under(self, policy: Policy, on: date) -> Mapping[str, int]:
        """The same under another policy: what a proposal would make of the shares."""
        terms = self._terms(policy, Resource.GPU_HOUR, on, self._funders(policy))
        parts = shares_of(self._funds.contributions(), on, most=terms.most, fixed=terms.fixed)
        return {one.id: parts[one.funder] for one in self._funds.shares() if one.funder in parts}

    def view(self) -> View:
        """The policy, today, and the parts that it makes."""
        policy, today = self._policy.now(), self._clock.today()
        return View(policy, today, self.parts_under(policy, today))

    def tree(self, on: date | None = None) -> Tree:
        """How shares stand to each other on that day; no secret, since it is why jobs wait."""
        policy, day = self._policy.now(), on or self._clock.today()
        return tree_on(policy.branches, policy.borrowings, day, self._funds.shares() if policy.branches else ())

    def entitlement(self, quarter: Quarter, resource: Resource, policy: Policy | None = None) -> Mapping[str, int]:
        """Share id → micro-units of the whole quarter, as it stands today."""
        owners = {one.funder: one.id for one in self._funds.shares()}
        contributions = self._funds.contributions()
        funders = {one.id: one.funder for one in contributions}
        sums: dict[str, int] = {}
        for contribution, amount in self._entitled(quarter, resource, policy or self._policy.now()).items():
            share = owners[funders[contribution]]
            sums[share] = sums.get(share, 0) + amount
        return sums

    def shares_on(self, on: date | None = None, *, by: Caller) -> Sequence[tuple[Share, int]]:
        """Every share with its part of the machine on that day, in millionths."""
        require(by, "funding.view")
        parts = self.parts(on)
        return [(one, parts.get(one.id, 0)) for one in self._funds.shares()]

    def keep_quarters(self) -> None:
        """Brings each share what this quarter owes it, and closes quarters that have ended. For the worker; idempotent."""
        with self._books.transaction(alone=AWARDS):
            self._turn()
            self._true_up()

    def _apply(self, funder: str, kind: str, amount_euro: int, name: str, by: Caller) -> tuple[Contribution, Share]:
        require(by, "funding.contribute")
        body, asked = self._access.organisation(funder), _kind(kind)
        self._check_whose(body.id, by)
        made = Contribution(self._ids.new("con"), body.id, asked, amount_euro, self._clock.today())
        share = next((one for one in self._funds.shares() if one.funder == body.id), None)
        if share is None:
            if name and name != body.slug and self._is_anothers(name):
                raise InvalidInput(f"{name} is what another organisation is called", fix="choose another --name")
            share = Share(self._ids.new("shr"), body.id, made.kind, name or slug_of(body.name))
            if share.name in {one.within for one in self._policy.latest().branches}:
                raise InvalidInput(f"{share.name} is what a group of shares is called", fix="choose another --name")
            self._funds.add_share(share)
        elif share.kind is not made.kind:
            raise WrongState(
                f"{body.name} gave {share.kind} money before", fix="name another organisation for other money"
            )
        return made, share

    def _is_anothers(self, name: str) -> bool:
        try:
            self._access.organisation(name)
        except NotFound:
            return False
        return True

    def _check_whose(self, funder: str, by: Caller) -> None:
        """A funder says of its own money how far it is; whoever looks after the installation says it of all."""
        if funder != by.organisation:
            require(by, "funding.oversee")

    def _turn(self) -> None:
        """Closes quarters that have ended, the oldest first. Before anything else comes to a share: else what a new quarter brings would lapse
        with the old one.
        """
        now = quarter_of(self._clock.today())
        quarter = next(iter(self._entitlements.open_before(now)), now)
        while quarter < now:  # those between that brought nothing too: the factory may have stood still for a while
            if not self._entitlements.is_closed(quarter):
                self._bring(quarter)
                self._close(quarter)
            quarter = quarter.next

    def _true_up(self) -> None:
        self._bring(quarter_of(self._clock.today()))
        self._take_withdrawn()

    def _take_withdrawn(self) -> None:
        """What withdrawn money brought at once goes back, as far as it is not awarded; the rest when something comes to the share."""
        today, owners = self._clock.today(), {one.funder: one.id for one in self._funds.shares()}
        for one in self._funds.contributions():
            if state_on(one, today) is not State.WITHDRAWN:
                continue
            source, share = account(Kind.CONTRIBUTION, one.id), owners[one.funder]
            owed: dict[Resource, int] = {}
            for entry in self._books.entries(account=source, limit=ENTRIES_MAX):
                if entry.memo in {ledger.GRANT, WITHDRAWN}:
                    owed[entry.resource] = owed.get(entry.resource, 0) - entry.amount_micro
            for resource, amount in sorted(owed.items()):
                part = min(amount, self._books.balance(account(Kind.SHARE, share), resource))
                if part > 0:
                    move, key = (account(Kind.SHARE, share), source, resource, part), self._ids.new("led")
                    self._books.post(ledger.compose(key, f"withdrawn:{key}", [move], self._clock.now(), WITHDRAWN))
                    self._capping.given(share, {resource: -part}, today)

    def _bring(self, quarter: Quarter) -> None:
        """Posts what the quarter's entitlement has become, beyond what it has brought. What a share must give back and has awarded already
        is taken when something comes to it.
        """
        policy, contributions = self._policy.now(), {one.id: one for one in self._funds.contributions()}
        owners = {one.funder: one.id for one in self._funds.shares()}
        for resource in {one.resource for one in policy.supplies}:
            due = self._entitled(quarter, resource, policy)
            brought = self._entitlements.brought(quarter, resource)
            changes = {one: due.get(one, 0) - brought.get(one, 0) for one in due.keys() | brought.keys()}
            # First what comes and then what goes, so that a funder's one contribution makes good for the other.
            for contribution, change in sorted(changes.items(), key=lambda item: (-item[1], item[0])):
                share = owners[contributions[contribution].funder]
                if change < 0:
                    change = -min(-change, self._books.balance(account(Kind.SHARE, share), resource))  # noqa: PLW2901
                if change:
                    self._move(contribution, share, quarter, resource, change, brought.get(contribution, 0) + change)

    def _move(
        self, contribution: str, share: str, quarter: Quarter, resource: Resource, change: int, becomes: int
    ) -> None:
        source, target = account(Kind.CONTRIBUTION, contribution), account(Kind.SHARE, share)
        move = (source, target, resource, change) if change > 0 else (target, source, resource, -change)
        transaction = self._ids.new("led")
        memo = f"entitled {quarter}"
        self._books.post(ledger.compose(transaction, f"entitled:{transaction}", [move], self._clock.now(), memo))
        self._entitlements.bring(quarter, contribution, resource, becomes)
        self._capping.given(share, {resource: change}, self._clock.today())

    def _close(self, quarter: Quarter) -> None:
        """Lapses what the policy does not carry over. Older credits are awarded first."""
        carried = self._policy.now().carried_on(quarter.last)
        funders = {one.id: one.funder for one in self._funds.contributions()}
        for resource in Resource:
            brought = self._entitlements.brought(quarter, resource)
            for share in self._funds.shares():
                mine = {one: amount for one, amount in brought.items() if funders[one] == share.funder and amount > 0}
                held = self._books.balance(account(Kind.SHARE, share.id), resource)
                moves = [
                    (account(Kind.SHARE, share.id), account(Kind.CONTRIBUTION, contribution), resource, part)
                    for contribution, part in apportion(lapsing(held, sum(mine.values()), carried), mine).items()
                ]
                key = f"lapsed:{share.id}:{quarter}:{resource}"
                if any(part for *_, part in moves):
                    memo = f"{LAPSED}{quarter}"
                    self._books.post(ledger.compose(self._ids.new("led"), key, moves, self._clock.now(), memo))
        self._owe_on(quarter)
        self._entitlements.close(quarter)
        self._audit.record("funding.quarter_closed", str(quarter), SYSTEM)

    def _owe_on(self, quarter: Quarter) -> None:
        """What a contribution should give back of the quarter, and could not since it was awarded: it has it already of the next one."""
        policy = self._policy.now()
        for resource in {one.resource for one in policy.supplies}:
            due, later = self._entitled(quarter, resource, policy), self._entitlements.brought(quarter.next, resource)
            for contribution, amount in self._entitlements.brought(quarter, resource).items():
                mine = due.get(contribution, 0)
                if amount > mine:
                    self._entitlements.bring(quarter, contribution, resource, mine)
                    had = later.get(contribution, 0) + amount - mine
                    self._entitlements.bring(quarter.next, contribution, resource, had)

    def _entitled(self, quarter: Quarter, resource: Resource, policy: Policy) -> dict[str, int]:
        funders = self._funders(policy)
        terms = {day: self._terms(policy, resource, day, funders) for day in quarter.days}
        return entitled(self._funds.contributions(), quarter, terms)

    def _funders(self, policy: Policy) -> Mapping[str, str]:
        """Slug → id of those who have a share, where some have a part by agreement: a slip in a name must not stop what all others are owed."""
        shares = self._funds.shares() if policy.parts else ()
        return {self._access.organisation(one.funder).slug: one.funder for one in shares}

    def _terms(self, policy: Policy, resource: Resource, day: date, funders: Mapping[str, str]) -> Terms:
        fixed = {funders[slug]: part for slug, part in policy.fixed_parts(day).items() if slug in funders}
        return Terms(policy.supply_on(resource, day), most_of_machine(policy.caps, day), fixed)


def is_counting(contribution: Contribution, on: date) -> bool:
    return state_on(contribution, on) in COUNTING


def _kind(word: str) -> FunderKind:
    try:
        return FunderKind(word)
    except ValueError:
        raise InvalidInput(f"{word!r} is not a kind of funder", fix=f"one of {', '.join(FunderKind)}") from None


def _state(word: str) -> State:
    try:
        return State(word)
    except ValueError:
        raise InvalidInput(
            f"{word!r} is no step of a contribution", fix=f"one of {', '.join(list(State)[1:])}"
        ) from None
