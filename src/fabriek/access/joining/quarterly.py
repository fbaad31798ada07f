"""Looking over, every quarter: who is still needed where. What nobody confirms stands still; it is not deleted."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

from fabriek.access.joining import reviews
from fabriek.access.joining.appointing import ALONE, Appointing
from fabriek.access.joining.ports import Reviews, RoomsOfMembers, Standings, SuspendedOnes
from fabriek.access.joining.reviews import Decision, Item, Review, Suspended, is_over, quarter_of, terms_on
from fabriek.access.ports import Organisations, People, Projects
from fabriek.access.projects import Membership
from fabriek.access.roles import ADMINISTRATOR
from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import NotFound, NotPermitted, WrongState
from fabriek.kernel.ids import Ids

LOCK = "reviews"

log = logging.getLogger(__name__)


class Quarterly:
    """A project's leads look over its members, services among them; administrators the roles held everywhere, each other's and not their own."""

    def __init__(
        self, kept: Reviews, still: SuspendedOnes, standings: Standings, bodies: Organisations, people: People, projects: Projects,
        appointing: Appointing, audit: Audit, clock: Clock, ids: Ids, *, rooms: RoomsOfMembers,
    ) -> None:  # fmt: skip
        self._kept, self._still, self._standings = kept, still, standings
        self._bodies, self._people, self._projects, self._appointing = bodies, people, projects, appointing
        self._audit, self._clock, self._ids, self._rooms = audit, clock, ids, rooms

    def open_due(self) -> int:
        """Opens this quarter's reviews, once; for the worker. A project that comes later in the quarter waits for the next. How many."""
        today, opened = self._clock.today(), 0
        with self._bodies.transaction(alone=LOCK):
            if not self._kept.begin(quarter_of(today), self._clock.now()):
                return 0
            for project in self._standings.projects_with_members():
                members = self._projects.members(project)
                if len(members) > 1:  # a lead alone has nobody to look over
                    opened += self._open(project, [(one.person, one.role) for one in members])
            held = [(one.id, role) for one in self._standings.with_roles() for role in sorted(one.roles)]
            return opened + (self._open("", held) if held else 0)

    def of_project(self, project: str, *, by: Caller) -> tuple[Review, Sequence[Item]]:
        """The newest, for its leads. Raises NotFound before the first."""
        found = self._projects.named(project)
        require(by, "project.manage", project=found.id)
        return self._newest(found.id)

    def of_roles(self, *, by: Caller) -> tuple[Review, Sequence[Item]]:
        """The newest of the roles held everywhere. Raises NotFound before the first."""
        if not by.may("person.appoint"):
            require(by, "person.view")
        return self._newest("")

    def decide(
        self, project: str, *, keep: Collection[str] = (), remove: Collection[str] = (), by: Caller
    ) -> tuple[Review, Sequence[Item]]:
        """A lead keeps and removes, by ids; whoever does so is needed there, and is kept. One that stands still is kept or removed like any other.

        Raises NotFound on somebody who is not on the list, before anything is done. One person at a time: each closes data of theirs, which stays
        taken until the end, so that of two in one transaction others would wait who wait for each other. Done twice it changes nothing more.
        """
        found = self._projects.named(project)
        require(by, "project.manage", project=found.id)
        if by.person in remove:
            raise NotPermitted("nobody removes themselves here", rule="review.self", fix="fabriek project remove")
        with self._bodies.transaction(alone=f"project:{found.id}"):
            review, listed = self._newest(found.id)
            chosen = self._chosen(listed, [*keep, *remove])
            for one in chosen:
                reviews.check_next(one.decision, self._then(one, remove))
        for each in chosen:
            with self._bodies.transaction(alone=f"project:{found.id}"):
                one = next(now for now in self._kept.items(review.id) if now.person == each.person)
                reviews.check_next(one.decision, self._then(one, remove))
                if one.person in remove:
                    self._remove(one, found.id, by)
                else:
                    self._keep(one, found.id, by)
        with self._bodies.transaction(alone=f"project:{found.id}"):
            for one in self._kept.items(review.id):
                if one.person == by.person and one.decision is Decision.WAITING:
                    self._decided(one, Decision.KEPT, by)
            self._close_if_done(review)
        return self._newest(found.id)

    def decide_role(self, person: str, role: str, *, keep: bool, by: Caller) -> tuple[Review, Sequence[Item]]:
        """An administrator, of somebody else's role. One that stands still comes back when it is kept."""
        require(by, "person.appoint")
        if person == by.person:
            raise NotPermitted("nobody confirms their own role", rule="review.self", fix="ask another administrator")
        with self._bodies.transaction(alone=ALONE):
            review, listed = self._newest("")
            one = next((one for one in listed if (one.person, one.role) == (person, role)), None)
            if one is None:
                raise NotFound("that is not on the list", fix="fabriek org review")
            reviews.check_next(one.decision, then := Decision.KEPT if keep else Decision.REMOVED)
            if one.decision is Decision.SUSPENDED:
                self._still.take("", person, role)
            holds = any(other.id == person and role in other.roles for other in self._standings.with_roles())
            if keep and one.decision is Decision.SUSPENDED and not holds:
                self._appointing.appoint(person, role, by=by)
            elif not keep and holds:  # one that stood still too: it may have been given anew since
                self._appointing.take(person, role, by=by)
            self._decided(one, then, by)
            self._close_if_done(review)
        return self._newest("")

    def close_due(self) -> int:
        """Suspends what nobody confirmed in time; for the worker. A project keeps a lead and the installation an administrator. How many."""
        return sum(self._close(one) for one in self._kept.open_ones() if is_over(one, self._clock.today()))

    @staticmethod
    def _then(one: Item, remove: Collection[str]) -> Decision:
        return Decision.REMOVED if one.person in remove else Decision.KEPT

    def _open(self, project: str, held: Sequence[tuple[str, str]]) -> int:
        today = self._clock.today()
        due_on = today + timedelta(days=terms_on(today).days)
        review = Review(self._ids.new("rvw"), project, quarter_of(today), today, due_on)
        self._kept.add(review, [Item(review.id, person, role) for person, role in held])
        self._audit.record("access_review.opened", review.id, SYSTEM, project=project or "none", items=str(len(held)))
        return 1

    def _newest(self, project: str) -> tuple[Review, Sequence[Item]]:
        review = self._kept.newest(project)
        if review is None:
            raise NotFound("there was no review yet", fix="one is opened at the beginning of each quarter")
        return review, self._kept.items(review.id)

    def _chosen(self, listed: Sequence[Item], people: Sequence[str]) -> Sequence[Item]:
        if unknown := set(people) - {one.person for one in listed}:
            raise NotFound(f"{sorted(unknown)[0]} is not on the list", fix="fabriek project review")
        return [one for one in listed if one.person in people]

    def _keep(self, one: Item, project: str, by: Caller) -> None:
        if one.decision is Decision.SUSPENDED:
            if not self._people.get(
                one.person
            ).active:  # else what they held would be theirs again on the day they return
                raise WrongState("they are no longer here", fix=f"fabriek project review --remove {one.person}")
            self._still.take(project, one.person, one.role)
            if not any(other.person == one.person for other in self._projects.members(project)):
                self._projects.put_member(Membership(project, one.person, one.role), self._clock.now())
            self._audit.record("project.member_restored", project, by, person=one.person, role=one.role)
        self._decided(one, Decision.KEPT, by)

    def _remove(self, one: Item, project: str, by: Caller) -> None:
        if one.decision is Decision.SUSPENDED:
            self._still.take(project, one.person, one.role)
        # Who stood still too: they may have been added anew since, in whatever role.
        if any(other.person == one.person for other in self._projects.members(project)):
            self._rooms.remove_member(project, one.person, by=by)
        self._decided(one, Decision.REMOVED, by)

    def _decided(self, one: Item, decision: Decision, by: Caller) -> None:
        if decision is not one.decision:
            at = self._clock.now()
            self._kept.decide(replace(one, decision=decision, decided_by=by.person, decided_at=at))
            self._audit.record(f"access_review.{decision}", one.review, by, person=one.person, role=one.role)

    def _close_if_done(self, review: Review) -> None:
        waits = any(one.decision is Decision.WAITING for one in self._kept.items(review.id))
        if not waits and review.closed_at is None:
            self._kept.save(replace(review, closed_at=self._clock.now()))

    def _close(self, review: Review) -> int:
        """One person at a time, as in `decide`. Who could not be closed, as when a key is away, waits for the next round, and holds up nobody."""
        count, failed = 0, False
        for one in self._kept.items(review.id):
            try:
                count += self._suspended(review, one.person, one.role)
            except Exception:
                failed = True
                log.exception("review %s: one of it could not be closed; the next round tries again", review.id)
        if not failed:
            with self._bodies.transaction(alone=self._lock(review)):
                self._kept.save(replace(review, closed_at=self._clock.now()))
        return count

    def _suspended(self, review: Review, person: str, role: str) -> bool:
        """Whether this one stands still from now on: a project that nobody looked over keeps its leads."""
        with self._bodies.transaction(alone=self._lock(review)):
            listed = self._kept.items(review.id)
            led = any(one.role == "lead" and one.decision is Decision.KEPT for one in listed)
            one = next(one for one in listed if (one.person, one.role) == (person, role))
            if one.decision is not Decision.WAITING or (role == "lead" and review.project and not led):
                return False
            if done := self._suspend(review, one):
                self._decided(one, Decision.SUSPENDED, SYSTEM)
            return done

    @staticmethod
    def _lock(review: Review) -> str:
        return f"project:{review.project}" if review.project else ALONE

    def _suspend(self, review: Review, one: Item) -> bool:
        """Whether there was still something to suspend."""
        if review.project:
            held = {other.person: other.role for other in self._projects.members(review.project)}
            if held.get(one.person) != one.role:
                return False
            self._projects.take_member(review.project, one.person, self._clock.now())
            self._rooms.close_member(review.project, one.person, by=SYSTEM)
        else:
            someone = next((other for other in self._standings.with_roles() if other.id == one.person), None)
            admins = [other.id for other in self._standings.holding(ADMINISTRATOR)]
            if (
                someone is None
                or one.role not in someone.roles
                or (one.role == ADMINISTRATOR and admins == [one.person])
            ):
                return False
            self._standings.save(replace(someone, roles=someone.roles - {one.role}))
        self._still.put(Suspended(review.project, one.person, one.role, self._clock.now(), review.id))
        return True
