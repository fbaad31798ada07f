"""Awarding: an application becomes an allocation, from a share that may pay and has room, in turn and under the caps."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta

from fabriek.access.applying.applications import Application
from fabriek.access.applying.intake import Intake
from fabriek.access.describing import Describing, is_commercial
from fabriek.access.organisations import slug_of
from fabriek.access.projects import Project
from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.funding import ledger
from fabriek.funding.allocations import DAYS_PER_MONTH, Allocation
from fabriek.funding.continuing import going_on
from fabriek.funding.giving.shares import Share
from fabriek.funding.ledger import Kind, account
from fabriek.funding.policy.capping import Award, Capping
from fabriek.funding.policy.purposes import Rule, choose_share, forbidden_by, refuse
from fabriek.funding.ports import Allocations, Funds, Ledger
from fabriek.funding.resources import Resource, amounts_of
from fabriek.funding.turns import before_it, check_turn, may_award_from
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import (
    CreditsExhausted,
    FabriekError,
    InvalidInput,
    NotFound,
    NotPermitted,
    WrongState,
)
from fabriek.kernel.ids import Ids
from fabriek.kernel.purposes import Purpose

log = logging.getLogger("fabriek.funding")


class Awarding:
    """Awards by hand, by themselves where checks alone decide, and as a committee decided."""

    def __init__(
        self, books: Ledger, funds: Funds, allocations: Allocations, *, capping: Capping, access: Access, describing: Describing,
        intake: Intake, audit: Audit, clock: Clock, ids: Ids, rules: Sequence[Rule], ceiling: Callable[[str], str],
    ) -> None:  # fmt: skip
        """ceiling: the ceiling on labels that an application's word means; raises InvalidInput on one that is no label."""
        self._capping, self._describing, self._ceiling = capping, describing, ceiling
        self._books, self._funds, self._allocations = books, funds, allocations
        self._access, self._intake, self._audit = access, intake, audit
        self._clock, self._ids, self._rules = clock, ids, rules
        self.check_owed: Callable[[Application], None] = nothing_owed

    def award(
        self,
        application_id: str,
        *,
        share: str = "",
        director: bool = False,
        out_of_turn: str = "",
        project: str = "",
        by: Caller,
    ) -> tuple[Allocation, Project]:
        """Turns an eligible application into a project with an allocation, from the named share or the one that fits best; `director`: out of
        what its director may award. `out_of_turn`: why it goes before those that wait for the same share and came earlier. `project`: one that
        its applicant leads, and that goes on with it in place of a new one; what it owes is paid out of it. A funder awards from their own share.

        Raises WrongState when it is not eligible or not its turn, NotPermitted naming the purpose rule or the conflict of interest,
        CreditsExhausted when no share has room.
        """
        require(by, "funding.direct" if director else "funding.award")
        application = self._intake.get(application_id, by=by)
        if not self._intake.is_ready(application):
            raise WrongState(
                f"application {application.id} is {application.state}: review comes first, and a committee's award is its own",
                fix=f"fabriek review show {application.id}",
            )
        if application.person == by.person:
            raise NotPermitted(
                "nobody awards their own application", rule="award.self", fix="ask another funder or operator"
            )
        with self._books.transaction(alone="awards"):
            self._intake.check_awarder(application, by=by)
            shares = [one for one in self._funds.shares() if may_award_from(one, by)]
            wanted = self._paying(application, [one for one in shares if not share or share in {one.id, one.name}])
            queue = self._intake.queue()
            earlier = before_it(queue, application.id, wanted, lambda one: self._paying(one, shares))
            if earlier and out_of_turn:
                self._intake.passed_over(application, [one.id for one in earlier], out_of_turn, by=by)
            else:
                check_turn(earlier, application.id)
            return self._award(application, share, by, director=director, into=project, decides=by)

    def award_short_route(
        self, application: Application, *, aside: Collection[str] = (), by: Caller
    ) -> tuple[Allocation, Project]:
        """The award that follows by itself when a short route's checks have passed: first in, first out. No person decides.

        Raises CreditsExhausted where no share has room, or somebody who came before waits for the same shares; WrongState where it waits
        no more. `aside`: those who came before and cannot be awarded for another reason.
        """
        if not self._intake.is_ready(application):
            raise WrongState(f"application {application.id} is not ready", fix=f"fabriek review show {application.id}")
        with self._books.transaction(alone="awards"):
            queue = self._intake.queue()
            place = next((number for number, one in enumerate(queue) if one.id == application.id), None)
            if place is None:
                raise WrongState(
                    f"application {application.id} does not wait any more", fix=f"fabriek review show {application.id}"
                )
            shares = self._funds.shares()
            mine = self._paying(queue[place], shares)
            earlier = before_it(queue, application.id, mine, lambda one: self._paying(one, shares))
            if any(one.id not in aside for one in earlier):
                raise CreditsExhausted(
                    f"first in, first out: it is number {place + 1} in the queue",
                    fix="wait: it is awarded by itself when its turn comes and a share has room",
                )
            return self._award(queue[place], "", by)

    def award_waiting(self, *, by: Caller) -> int:
        """Awards what waits, in the order in which it came, while shares have room; how many. For the worker.

        What cannot be awarded for another reason than room is written to the log, and holds up nobody behind it.
        """
        count, aside, waits, shares = 0, set[str](), frozenset[str](), self._funds.shares()
        for one in self._intake.queue():
            paying = self._paying(one, shares)
            if paying & waits:  # somebody before it waits for room in the same share
                waits |= paying
                continue
            try:
                self.award_short_route(one, aside=aside, by=by)
            except CreditsExhausted:
                waits |= paying
            except FabriekError as error:
                aside.add(one.id)
                log.warning("application %s cannot be awarded: %s", one.id, error.detail)
            else:
                count += 1
        return count

    def award_decided(
        self, application: Application, gpu_hours: int, *, share: str, by: Caller
    ) -> tuple[Allocation, Project]:
        """The award that a committee decided, of so many GPU-hours. For reviewing; joins its transaction."""
        require(by, "funding.award")
        return self._award(application, share, by, gpu_hours=gpu_hours)

    def _paying(self, application: Application, shares: Sequence[Share]) -> frozenset[str]:
        """Those of these shares that may pay for its purpose; none where that is no purpose."""
        today = self._clock.today()
        try:
            purpose = _purpose_of(application)
        except InvalidInput:
            return frozenset()
        return frozenset(one.id for one in shares if not forbidden_by(one, purpose, self._rules, today))

    def _award(
        self,
        application: Application,
        share_name: str,
        by: Caller,
        *,
        gpu_hours: int | None = None,
        director: bool = False,
        into: str = "",
        decides: Caller | None = None,
    ) -> tuple[Allocation, Project]:
        """decides: the person who decides on it, and may not take from every share; nobody where checks alone do."""
        answers, today = application.answers, self._clock.today()
        self.check_owed(application)
        purpose = _purpose_of(application)
        beside = self._intake.calls.of(application.call).amounts.items()
        asked = answers["gpu_hours"] if gpu_hours is None else gpu_hours
        if not asked:
            raise InvalidInput("an award is of GPU-hours above zero", fix="decide on whole hours, or refuse it")
        amounts = amounts_of({"gpu_hour": asked} | {str(resource): hours for resource, hours in beside})
        ends = today + timedelta(days=DAYS_PER_MONTH * int(answers["months"]))
        said, group = self._describing.of(application.organisation), self._describing.group_of(application.organisation)
        firm = self._access.organisation(application.organisation)
        award = Award(application.call, group[0], is_commercial(firm.kind, said.size), director, tuple(group[1:]))
        with self._books.transaction(alone="awards"):
            among = [one for one in self._funds.shares() if may_award_from(one, decides or SYSTEM)]
            chosen = self._share_for(share_name, among, purpose, amounts, award, today)
            project = going_on(self._access, application, into, purpose) if into else self._access.open_project(
                answers["title"], self._free_slug(answers["title"]), purpose, self._ceiling(answers.get("label_ceiling", "")),
                application.person, answers.get("partners", []), by=by,
            )  # fmt: skip
            made = Allocation(
                self._ids.new("alc"), project.id, chosen.id, application.id, today, ends, application.call, purpose, group[0], said.sector,
                said.region, said.size, award.commercial, director,
            )  # fmt: skip
            left = {resource: self._books.balance(account(Kind.SHARE, chosen.id), resource) for resource in amounts}
            self._books.post(
                ledger.award(self._ids.new("led"), chosen.id, made.id, amounts, self._clock.now(), left=left)
            )
            self._allocations.add(made)
            self._capping.awarded(made, amounts)
            self._intake.awarded(application.id, project.id, by=by)
            self._audit.record("allocation.awarded", made.id, by, project=project.id, share=chosen.id)
        return made, project

    def _share_for(
        self,
        name: str,
        shares: Sequence[Share],
        purpose: Purpose,
        amounts: Mapping[Resource, int],
        award: Award,
        today: date,
    ) -> Share:
        if name:
            named = next((one for one in shares if name in {one.id, one.name}), None)
            if named is None:
                raise NotFound(f"there is no share {name}", fix="fabriek funding shares")
            if rule := forbidden_by(named, purpose, self._rules, today):
                raise refuse(named, purpose, rule)
            self._capping.check(named, award, amounts, today)
            return named
        paying = [one for one in shares if not forbidden_by(one, purpose, self._rules, today)]
        self._capping.check_own(paying, award, amounts, today)
        left = {
            one.id: {resource: self._books.balance(account(Kind.SHARE, one.id), resource) for resource in amounts}
            for one in shares
        }
        within = {
            one.id: {
                what: self._capping.within(one, award, what, amount, today) for what, amount in left[one.id].items()
            }
            for one in shares
        }
        try:
            return choose_share(shares, purpose, self._rules, today, left=within, asked=amounts)
        except CreditsExhausted:
            # Where credits are there and a cap is in the way, that is what is said.
            self._capping.check(
                choose_share(shares, purpose, self._rules, today, left=left, asked=amounts), award, amounts, today
            )
            raise

    def _free_slug(self, title: str) -> str:
        """An address made of the title; with a number behind it where the plain one is taken."""
        base = slug_of(title)[:56] or "project"
        for number in range(1, 1000):
            slug = base if number == 1 else f"{base}-{number}"
            try:
                self._access.project(slug)
            except NotFound:
                return slug
        raise InvalidInput(f"the name {title!r} was used too often", fix="choose another title")


def nothing_owed(_: Application) -> None:
    """What stands in where nothing is asked of those who were awarded before."""


def _purpose_of(application: Application) -> Purpose:
    try:
        return Purpose(application.answers.get("purpose", ""))
    except ValueError:
        raise InvalidInput(
            f"application {application.id} names no purpose that there is", fix=f"fabriek apply show {application.id}"
        ) from None
