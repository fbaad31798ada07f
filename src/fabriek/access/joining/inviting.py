"""Inviting: into an organisation or a project, by address. Accepted only by the person whom that address is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fabriek.access.addresses import address_of
from fabriek.access.apart import check_apart
from fabriek.access.joining import invitations
from fabriek.access.joining.invitations import OPEN_FOR, OPEN_MAX, Invitation, InvitationState, is_open
from fabriek.access.joining.often import Often
from fabriek.access.joining.ports import Invitations, Post, Standings
from fabriek.access.login.credentials import hash_of
from fabriek.access.login.identity import BY_LINK, Identity, Shown
from fabriek.access.people import Person, PersonKind
from fabriek.access.ports import Organisations, People, Projects
from fabriek.access.projects import Membership
from fabriek.access.roles import PROJECT, administers, check_global
from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import (
    AlreadyExists,
    FabriekError,
    InvalidInput,
    NotAuthenticated,
    NotPermitted,
    QuotaExhausted,
    Unavailable,
    WrongState,
    nothing_here,
)
from fabriek.kernel.ids import Ids

FIRST_ROLE = "organisation_administrator"
"""What the first person of an organisation gets beside: somebody of it must be able to invite the second."""


@dataclass(frozen=True, slots=True)
class Sent:
    """`code` is shown once. `mailed`: it went to the address, so that nobody else need see it; else `why` it did not."""

    invitation: Invitation
    code: str
    mailed: bool = False
    why: str = ""


class Inviting:
    """`post`: None where this installation sends no mail; `base`: where people reach the portal, for mails, since a request may lie about it."""

    def __init__(
        self, kept: Invitations, standings: Standings, bodies: Organisations, people: People, projects: Projects, identity: Identity,
        audit: Audit, clock: Clock, ids: Ids, *, often: Often, post: Post | None, base: str,
    ) -> None:  # fmt: skip
        self._kept, self._standings = kept, standings
        self._bodies, self._people, self._projects = bodies, people, projects
        self._identity, self._audit, self._clock, self._ids = identity, audit, clock, ids
        self._often, self._post, self._base = often, post, base

    def to_project(
        self, project: str, email: str, role: str = "member", *, organisation: str = "", name: str = "", by: Caller
    ) -> Sent:
        """Somebody into a project, who is here or not, of whatever organisation. `organisation`: where they will belong if they are not here yet;
        else the caller's. Until an administrator of that one has vouched, only who is here already can accept.

        Raises InvalidInput on an address or role that is none, QuotaExhausted, RateLimited.
        """
        found = self._projects.named(project)
        require(by, "project.manage", project=found.id)
        if role not in PROJECT:
            raise InvalidInput(f"{role!r} is not a role in a project", fix=f"one of {', '.join(sorted(PROJECT))}")
        body = self._bodies.named(organisation or by.organisation)
        return self._invite(email, name, body.id, found.id, role, frozenset(), by)

    def to_organisation(
        self, organisation: str, email: str, name: str = "", roles: Sequence[str] = (), *, by: Caller
    ) -> Sent:
        """A new person of an organisation, by one of its administrators or the installation's. Roles held everywhere need the right to appoint.

        Raises AlreadyExists when the address is somebody's, as far as the caller may know it.
        """
        body = self._bodies.named(organisation)
        if not administers(by, body.id):
            require(by, "person.invite")
        if roles:
            require(by, "person.appoint")
            check_global(frozenset(roles))
            check_apart((), roles, self._clock.today())
        address = address_of(email)
        known = self._people.with_email(address)
        if known is not None and (by.may("person.invite") or known.organisation == body.id):
            raise AlreadyExists("somebody with this address is here already", fix="fabriek org show ORGANISATION")
        return self._invite(address, name, body.id, "", "", frozenset(roles), by)

    def look(self, code: str) -> Invitation:
        """What a code is for; uses nothing up. Raises NotFound."""
        found = self._kept.with_hash(hash_of(code))
        if found is None or not is_open(found, self._clock.now()):
            raise invitations.unknown()
        return found

    def accept(self, code: str, *, by: Caller) -> Invitation:
        """By a person who is here, with the code that went to their address: that it is theirs, nothing else here shows. An id opens none.

        Raises NotFound, NotPermitted for another address.
        """
        with self._bodies.transaction(alone="invitations"):
            found, me = self.look(code), None if by.job else self._people.get(by.person)
            if me is None or me.email != found.email:
                raise NotPermitted(
                    "this invitation is for another address than yours", rule="invitation.address",
                    fix="sign in as the person it was sent to, or ask for one to your own address",
                )  # fmt: skip
            if by.narrowed or me.kind is PersonKind.SERVICE:
                raise NotPermitted(
                    "an invitation is accepted by a person, signed in", rule="invitation.person", fix="fabriek login"
                )
            if not found.project:
                raise WrongState("you are here already", fix="fabriek whoami")
            return self._settle(found, me, by)

    def join(self, code: str, *, name: str = "", shown: Shown = BY_LINK, session: bool = False) -> tuple[Person, str]:
        """By somebody who is not here yet and shows the code that went to their address: they are, and signed in. See `join_as`."""
        with self._bodies.transaction(alone="invitations"):
            person = self.join_as(code, name=name)
            return self._identity.sign_in(person.id, shown, session=session)

    def join_as(self, code: str, *, name: str = "", email: str = "") -> Person:
        """The new person, not signed in: for a login that has its own way. `email`: what the identity provider verified, which must be the address;
        without one the code alone shows it. Joins the open transaction.

        Raises NotFound, NotAuthenticated when the address is somebody's who is here, who signs in their own way, WrongState while nobody has vouched.
        """
        with self._bodies.transaction(alone="invitations"):
            found = self.look(code)
            if email and address_of(email) != found.email:
                raise NotPermitted(
                    "this invitation is for another address than yours", rule="invitation.address",
                    fix="sign in as the person it was sent to, or ask for one to your own address",
                )  # fmt: skip
            if not self._stands_for(found.admitted_by, found.organisation):
                raise WrongState(
                    "an administrator of the organisation has not vouched for this yet",
                    fix=f"ask them for: fabriek org vouch {found.id}; who is here already signs in, and accepts it",
                )
            # After that: else whoever invites would learn by it of any address whether somebody is here with it.
            if self._people.with_email(found.email) is not None:
                raise NotAuthenticated(
                    "sign in first: this invitation is to somebody who is here", fix="fabriek login, then fabriek project accept LINK"
                )  # fmt: skip
            person = Person(
                self._ids.new("per"), found.organisation, name.strip() or found.name or found.email.partition("@")[0], found.email
            )  # fmt: skip
            if not any(one.active for one in self._people.of_organisation(found.organisation)):
                person = replace(person, roles=frozenset({FIRST_ROLE}))
            self._people.add(person)
            as_them = Caller(person.id, person.organisation)
            self._audit.record("person.joined", person.id, as_them, organisation=person.organisation)
            self._settle(found, person, as_them)
            return self._people.get(person.id)

    def withdraw(self, invitation_id: str, *, by: Caller) -> Invitation:
        """By whoever made it, leads of the project, administrators of the organisation. Raises NotFound, WrongState when it has ended."""
        with self._bodies.transaction(alone="invitations"):
            found = self._seen(invitation_id, by)
            return self._end(found, InvitationState.WITHDRAWN, by)

    def vouch(self, invitation_id: str, *, by: Caller) -> Invitation:
        """The caller stands for it: as administrator for belonging to the organisation, as lead for the project where its inviter no longer can."""
        with self._bodies.transaction(alone="invitations"):
            found = self._seen(invitation_id, by)
            if not is_open(found, self._clock.now()):
                raise WrongState("the invitation has ended", fix="invite them again")
            stands = found
            if administers(by, found.organisation):
                stands = replace(stands, admitted_by=by.person)
            if found.project and not found.roles and by.may("project.manage", project=found.project):
                stands = replace(stands, invited_by=by.person)
            if stands == found and by.person not in {found.invited_by, found.admitted_by}:
                raise NotPermitted(
                    "only an administrator of the organisation, or a lead of the project, can stand for this",
                    rule="invitation.vouch", fix="fabriek whoami shows the rights you hold",
                )  # fmt: skip
            self._kept.save(stands)
            self._audit.record("invitation.vouched", found.id, by, organisation=found.organisation)
        return stands

    def of_project(self, project: str, *, by: Caller) -> Sequence[Invitation]:
        """Newest first, for its leads."""
        found = self._projects.named(project)
        require(by, "project.manage", project=found.id)
        return self._recent(self._kept.listed(project=found.id))

    def of_organisation(self, organisation: str, *, by: Caller) -> Sequence[Invitation]:
        """Newest first, for its administrators: those into a project of others too, where the person would belong to it."""
        body = self._bodies.named(organisation)
        if not administers(by, body.id):
            require(by, "person.invite")
        return self._recent(self._kept.listed(organisation=body.id))

    def mine(self, *, by: Caller) -> Sequence[Invitation]:
        """Open ones to the address that the caller says is theirs: for telling them to look in their mail. Nobody need have proved it."""
        if by.job or by.narrowed:
            return []
        email, now = self._people.get(by.person).email, self._clock.now()
        return [one for one in self._kept.listed(email=email) if one.project and is_open(one, now)] if email else []

    def holds(self, invitation: Invitation) -> bool:
        """Whether whoever invited may still: else a lead must vouch, or withdraw it."""
        return not invitation.project or self._manages(invitation.invited_by, invitation.project)

    def is_vouched(self, invitation: Invitation) -> bool:
        """Whether somebody who is not here yet could accept it."""
        return self._stands_for(invitation.admitted_by, invitation.organisation)

    def expire(self) -> int:
        """Marks what has run out, and forgets its address; for the worker. How many."""
        run_out = self._kept.run_out(self._clock.now())
        if not run_out:
            return 0
        with self._bodies.transaction(alone="invitations"):
            those = self._kept.run_out(self._clock.now())
            for one in those:
                self._end(one, InvitationState.EXPIRED, SYSTEM)
        return len(those)

    def _invite(
        self, email: str, name: str, organisation: str, project: str, role: str, roles: frozenset[str], by: Caller
    ) -> Sent:
        if by.narrowed or by.job:
            raise NotPermitted("a person invites, signed in", rule="invitation.person", fix="fabriek login")
        code, now = self._ids.secret(), self._clock.now()
        made = Invitation(
            self._ids.new("inv"), hash_of(code), address_of(email), name.strip(), organisation, project, role, roles, by.person,
            by.person if administers(by, organisation) else "", now, now + OPEN_FOR,
        )  # fmt: skip
        with self._bodies.transaction(alone="invitations"):
            others = self._kept.listed(project=project) if project else self._kept.listed(organisation=organisation)
            still = [one for one in others if is_open(one, now) and one.project == project]
            for one in still:
                if one.email == made.email:
                    self._end(one, InvitationState.WITHDRAWN, by)
            if len(still) >= OPEN_MAX:
                raise QuotaExhausted(
                    "too many invitations are open", limit=OPEN_MAX, used=len(still), fix="withdraw some first"
                )
            self._often.count(made.email, by.person)
            self._kept.add(made)
            self._audit.record(
                "invitation.made", made.id, by, organisation=organisation, project=project or "none", role=role or "none",
                roles="+".join(sorted(roles)) or "none",
            )  # fmt: skip
        return self._send(made, code)

    def _send(self, made: Invitation, code: str) -> Sent:
        """Outside of the transaction: a relay may be slow, and the invitation stands without it."""
        if self._post is None:
            return Sent(made, code, why="this installation sends no mail")
        body = self._bodies.named(self._people.get(made.invited_by).organisation)
        text = (
            f"Somebody of {' '.join(body.name.split())[:100]} invites you to work in their AI factory.\n\n"
            f"Open this address to see what for, and to accept: {self._base}/invitations/{code}\n\n"
            f"It is for your address only, works once, and ends on {made.expires_at:%d-%m-%Y}. If you did not expect it, do nothing.\n"
        )
        try:
            self._post.send(made.email, "An invitation", text, name=made.id)
        except Unavailable as error:
            return Sent(made, code, why=error.detail)
        return Sent(made, code, mailed=True)

    def _settle(self, found: Invitation, person: Person, by: Caller) -> Invitation:
        """What was invited to becomes so, if whoever invited could still do it by themselves today."""
        if found.roles:
            self._check_appoints(found, person)
            self._standings.save(replace(person, roles=person.roles | found.roles))
        if found.project:
            if not self._manages(found.invited_by, found.project):
                raise WrongState(
                    "whoever invited you can no longer do so", fix="ask a lead of the project to invite you again"
                )
            with self._bodies.transaction(alone=f"project:{found.project}"):
                if any(one.person == person.id for one in self._projects.members(found.project)):
                    raise AlreadyExists("you are in this project already", fix="fabriek project ls")
                self._projects.put_member(Membership(found.project, person.id, found.role), self._clock.now())
            self._audit.record("project.member_added", found.project, by, person=person.id, role=found.role)
        return self._end(found, InvitationState.ACCEPTED, by, person=person.id)

    def _check_appoints(self, found: Invitation, person: Person) -> None:
        inviter = self._caller_for(found.invited_by)
        if inviter is None or not inviter.may("person.appoint"):
            raise WrongState(
                "whoever gave these roles can no longer do so", fix="ask an administrator to invite you again"
            )
        check_apart(person.roles, found.roles, self._clock.today())

    def _end(self, found: Invitation, state: InvitationState, by: Caller, *, person: str = "") -> Invitation:
        done = invitations.ended(found, state, self._clock.now(), person=person)
        self._kept.save(done)
        self._audit.record(f"invitation.{state}", found.id, by, organisation=found.organisation)
        return done

    def _seen(self, invitation_id: str, by: Caller) -> Invitation:
        found = self._kept.get(invitation_id)
        if found is None or not (
            found.invited_by == by.person
            or administers(by, found.organisation)
            or (found.project and by.may("project.manage", project=found.project))
        ):
            raise nothing_here()
        return found

    def _recent(self, those: Sequence[Invitation]) -> Sequence[Invitation]:
        now = self._clock.now()
        return [one for one in those if one.ended_at is None or (now - one.ended_at).days <= invitations.NOTE_DAYS]

    def _stands_for(self, person: str, organisation: str) -> bool:
        caller = self._caller_for(person) if person else None
        return caller is not None and administers(caller, organisation)

    def _manages(self, person: str, project: str) -> bool:
        caller = self._caller_for(person)
        return caller is not None and caller.may("project.manage", project=project)

    def _caller_for(self, person: str) -> Caller | None:
        """Rights of now; None for who is not here any more."""
        try:
            return self._identity.caller_for(person)
        except FabriekError:
            return None
