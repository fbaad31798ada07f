"""Changing the policy: proposed, shown with its effect, signed by all who lose by it, in force on its day. There is no other way."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date

from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.funding.giving.contributions import Contribution, FunderKind
from fabriek.funding.giving.quarters import Quarter, quarter_of
from fabriek.funding.giving.service import AWARDS, Giving, is_counting
from fabriek.funding.metering.readings import MeterRule
from fabriek.funding.policy import proposals as noun
from fabriek.funding.policy.agreed import keep_start
from fabriek.funding.policy.book import PolicyBook
from fabriek.funding.policy.caps import most_of_machine
from fabriek.funding.policy.comparing import View, check_parts, losses
from fabriek.funding.policy.effects import Change, Effect, ShareEffect, digest_of
from fabriek.funding.policy.ladders import Ladder
from fabriek.funding.policy.policy import Policy
from fabriek.funding.policy.ports import Proposals, Rehearsal, Starts
from fabriek.funding.policy.proposals import Proposal, Signature, State, Term
from fabriek.funding.policy.rows import Row, all_rows, as_if, fingerprint, percent, rows_on
from fabriek.funding.policy.tree import Borrowing, Branch, check_tree
from fabriek.funding.ports import Funds
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, Stale
from fabriek.kernel.ids import Ids
from fabriek.kernel.units import MICRO


class Changing:
    """Alone with awards at each step, so that no award and no contribution comes between a look and an act."""

    def __init__(
        self, kept: Proposals, starts: Starts, book: PolicyBook, giving: Giving, funds: Funds, rehearsal: Rehearsal, *,
        terms: Sequence[Term], access: Access, audit: Audit, clock: Clock, ids: Ids, standing: Callable[[], Collection[str]],
    ) -> None:  # fmt: skip
        """standing: the ids of shares of which credits are not spent."""
        self._standing = standing
        self._kept, self._starts, self._book, self._giving, self._funds = kept, starts, book, giving, funds
        self._rehearsal, self._terms, self._access, self._audit = rehearsal, terms, access, audit
        self._clock, self._ids = clock, ids

    def rows(self, on: date | None = None, *, by: Caller) -> Mapping[str, Row]:
        """Name → the row in force on that day; today's without one."""
        require(by, "funding.view")
        return rows_on(self._book.latest(), on or self._clock.today())

    def proposals(self, *, by: Caller) -> Sequence[Proposal]:
        """Newest first."""
        require(by, "funding.view")
        return self._kept.all()

    def waiting(self, *, by: Caller) -> Sequence[Proposal]:
        """Those that wait for the signature of the caller's organisation, for who may give it; oldest first."""
        if not by.may("funding.sign"):
            return []
        found = [
            one for one in self._kept.all() if by.organisation in one.missing and self.state(one) is State.PROPOSED
        ]
        return [one for one in reversed(found) if not self.is_stale(one)]

    def is_stale(self, proposal: Proposal) -> bool:
        """Whether nobody can sign it any more, since policy or money are no longer those that it was compared with."""
        return self.state(proposal) is State.PROPOSED and self._basis() != proposal.basis

    def get(self, proposal_id: str, *, by: Caller) -> Proposal:
        """Raises NotFound."""
        require(by, "funding.view")
        return self._kept.get(proposal_id)

    def state(self, proposal: Proposal) -> State:
        """As it stands today."""
        return proposal.state_on(self._clock.today())

    def propose(self, toml: str, motive: str, *, by: Caller) -> Proposal:
        """Rows that all hold from one day to come, with what they would have made of the last quarter. What nobody loses by is agreed on
        at once. Raises InvalidInput; Stale where policy or money changed meanwhile.
        """
        require(by, "funding.propose")
        said, today, basis = noun.read_motive(motive), self._clock.today(), self._basis()
        present = self._book.latest()
        change, starts_on = noun.read_change(toml, present, today)
        effect = self._effect(present, change, starts_on, today)
        made = Proposal(
            self._ids.new("pol"), toml, starts_on, said, by.person, by.organisation, self._clock.now(),
            noun.last_day(self._terms, today, starts_on), effect, basis, digest_of(toml, said, basis, effect),
        )  # fmt: skip
        with self._kept.transaction(alone=AWARDS):
            if self._basis() != basis:
                raise _stale("propose it once more")
            self._kept.add(made)
            self._audit.record(
                "funding.policy_proposed", made.id, by, digest=made.digest, starts_on=str(starts_on), signatures=len(made.wants)
            )  # fmt: skip
            if not made.wants:
                made = self._agree(noun.move(made, State.SIGNED, today), by)
        self._book.renew()
        return made

    def sign(self, proposal_id: str, digest: str, *, by: Caller) -> Proposal:
        """For one's own organisation; the last signature agrees on it. Raises NotFound, WrongState, NotPermitted, AlreadyExists, and Stale
        where it is not what was seen, or policy or money changed since its effect was shown.
        """
        require(by, "funding.sign")
        with self._kept.transaction(alone=AWARDS):
            found, now = self._kept.get(proposal_id), self._clock.now()
            signed = noun.sign(found, Signature(by.person, by.organisation, now, digest), self._clock.today())
            if self._basis() != found.basis:
                raise _stale("withdraw it and propose it anew: fabriek funding policy withdraw")
            self._audit.record("funding.policy_signed", found.id, by, digest=found.digest, organisation=by.organisation)
            if signed.missing:
                self._kept.save(signed)
            else:
                self._agree(signed, by)
        self._book.renew()
        return signed

    def refuse(self, proposal_id: str, words: str, *, by: Caller) -> Proposal:
        """By somebody whose signature it takes. Raises NotFound, WrongState, NotPermitted."""
        require(by, "funding.sign")
        with self._kept.transaction(alone=AWARDS):
            found = self._kept.get(proposal_id)
            if by.organisation not in found.wants:
                raise NotPermitted(
                    "your organisation loses nothing by this, so that it is not asked", rule="policy.not_asked",
                    fix="speak to a funder who is: fabriek funding policy proposal shows who",
                )  # fmt: skip
            return self._end(found, State.REFUSED, words, by)

    def withdraw(self, proposal_id: str, words: str = "", *, by: Caller) -> Proposal:
        """By who proposed it, or a colleague who might have. Raises NotFound, WrongState, NotPermitted."""
        require(by, "funding.propose")
        with self._kept.transaction(alone=AWARDS):
            found = self._kept.get(proposal_id)
            if by.organisation != found.organisation:
                raise NotPermitted(
                    "another organisation proposed this", rule="policy.not_yours", fix="a funder who loses may refuse it"
                )  # fmt: skip
            return self._end(found, State.WITHDRAWN, words or "withdrawn", by)

    def keep_days(self) -> None:
        """Writes down what came into force and what lapsed. For the worker; idempotent. Nothing waits for it: days count by themselves."""
        today = self._clock.today()
        if not self._kept.due(today):
            return
        with self._kept.transaction(alone=AWARDS):
            for one in self._kept.due(today):
                moved = noun.move(one, one.state_on(today), today)
                self._kept.save(moved)
                self._audit.record(f"funding.policy_{moved.state}", moved.id, SYSTEM, digest=moved.digest)

    def _agree(self, signed: Proposal, by: Caller) -> Proposal:
        keep_start(self._starts, self._book.start)
        self._kept.agree(signed)
        self._audit.record(
            "funding.policy_agreed", signed.id, by, digest=signed.digest, starts_on=str(signed.starts_on)
        )
        return signed

    def _end(self, found: Proposal, to: State, words: str, by: Caller) -> Proposal:
        ended = replace(noun.move(found, to, self._clock.today()), ended_by=by.person, words=noun.read_motive(words))
        self._kept.save(ended)
        self._audit.record(f"funding.policy_{to}", ended.id, by, digest=ended.digest)
        return ended

    def _basis(self) -> str:
        """What an effect hangs on: every row, and every sum that counts."""
        money = sorted(
            f"{one.id} {one.funder} {one.kind} {one.amount_euro} {one.granted_on} {one.withdrawn_on}"
            for one in self._funds.contributions()
        )
        return hashlib.sha256("\n".join([fingerprint(self._book.latest()), *money]).encode()).hexdigest()

    def _effect(self, before: Policy, change: Policy, starts_on: date, today: date) -> Effect:
        """Last quarter as it would have been under what holds on that day, without the change and with it; and every day from then on, on
        which rows or money change, for who loses.
        """
        contributions, shares, after = self._funds.contributions(), self._funds.shares(), before + change
        days = _days(after, contributions, starts_on)
        self._check_parts(change, after, days, contributions)
        if change.branches:
            check_tree(after.branches, change.branches, starts_on, {one.name for one in shares})
        views = [tuple(View(one, day, self._giving.parts_under(one, day)) for one in (before, after)) for day in days]
        lost = losses(shares, [(was, becomes) for was, becomes in views])
        quarter = quarter_of(today).previous
        past = [as_if(one, starts_on, quarter.first) for one in (before, after)]
        entitled = self._entitled(past[0], past[1], quarter)
        was, becomes = views[0]
        rehearsed = self._rehearsal.of(quarter, shares, was, becomes)
        giving = {one.funder for one in contributions for day in (today, *days) if is_counting(one, day)}
        # Who withdrew is asked too as long as what was awarded of its money is not spent.
        giving |= {one.funder for one in shares if one.id in self._standing()}
        return Effect(
            str(quarter), rehearsed.jobs, rehearsed.of,
            tuple(
                ShareEffect(
                    one.id, one.funder, was.parts.get(one.id, 0), becomes.parts.get(one.id, 0), tuple(entitled.get(one.id, ())),
                    lost.get(one.id, ()) if one.funder in giving else (), rehearsed.shares.get(one.id),
                )
                for one in shares
            ),
        )  # fmt: skip

    def _entitled(self, before: Policy, after: Policy, quarter: Quarter) -> dict[str, list[Change]]:
        found: dict[str, list[Change]] = {}
        for resource in sorted({one.resource for policy in (before, after) for one in policy.supplies}):
            was, becomes = (self._giving.entitlement(quarter, Resource(resource), one) for one in (before, after))
            for share in sorted(was.keys() | becomes.keys()):
                one = Change(str(resource), was.get(share, 0), becomes.get(share, 0))
                found.setdefault(share, []).append(one)
        return found

    def _check_parts(
        self, change: Policy, after: Policy, days: Sequence[date], contributions: Sequence[Contribution]
    ) -> None:
        """Raises InvalidInput on a part of who is not there or gives nothing, since nobody could see whom it costs; on parts that make
        more than all; and on parts beyond what their kind of money may hold.
        """
        if wrong := check_parts(after, days):
            raise InvalidInput(wrong, fix="propose a smaller part, or end another's with part = 0")
        for part in change.parts:
            if not any(is_counting(one, days[0]) for one in contributions if one.funder == self._funder(part.funder)):
                raise InvalidInput(
                    f"{part.funder} gives nothing on {days[0]}, so that nobody can see whom its part costs",
                    fix=f"record what it gives first: fabriek funding contribute {part.funder}",
                )
        kinds = {one.funder: one.kind for one in contributions}
        for day in days:
            most, held = most_of_machine(after.caps, day), dict[FunderKind, int]()
            for slug, agreed in after.fixed_parts(day).items():
                kind = kinds[self._funder(slug)]
                held[kind] = held.get(kind, 0) + agreed
            for kind, sum_of_parts in held.items():
                if sum_of_parts > (bound := most.get(kind, MICRO)):
                    raise InvalidInput(
                        f"{kind} money would have {percent(sum_of_parts)} of the machine on {day}, and holds at most {percent(bound)}",
                        fix="propose a part within its cap: fabriek funding policy show",
                    )

    def _funder(self, slug: str) -> str:
        """Its id. Only a name in addresses: by an id as well, one funder could have two parts."""
        try:
            body = self._access.organisation(slug)
        except NotFound:
            body = None
        if body is None or body.slug != slug:
            raise InvalidInput(f"part: there is no organisation {slug}", fix="fabriek funding shares names the funders")
        return body.id


def _days(after: Policy, contributions: Sequence[Contribution], starts_on: date) -> list[date]:
    """The day of the change and each later one on which rows or money change."""
    rows = {
        row.valid_from for row in all_rows(after) if not isinstance(row, MeterRule | Ladder | Branch | Borrowing)
    }  # no part hangs on how use is read, on power, or on what shares may borrow
    steps = {day for one in contributions for day in (one.granted_on, one.withdrawn_on) if day is not None}
    return sorted({starts_on} | {day for day in rows | steps if day > starts_on})


def _stale(fix: str) -> Stale:
    return Stale("the policy, or what funders give, changed since this effect was shown", fix=fix)
