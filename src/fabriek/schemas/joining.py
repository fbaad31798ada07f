"""Invitations, roles and leavers on the wire."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.access import Email, Secret
from fabriek.schemas.base import Slug, Wire

Name = Annotated[str, Field(max_length=200)]
Role = Annotated[str, Field(min_length=1, max_length=40)]
Somebody = Annotated[str, Field(min_length=1, max_length=320)]


class ProjectInvitationIn(Wire):
    """`organisation`: where they will belong if they are not here yet; empty means yours."""

    email: Email
    role: Role = "member"
    organisation: Slug | None = None
    name: Name = ""


class OrganisationInvitationIn(Wire):
    """`roles`: those held everywhere; they need the right to appoint."""

    email: Email
    name: Name = ""
    roles: Annotated[list[Role], Field(max_length=10)] = Field(default_factory=list)


class InvitationOut(Wire):
    """`address` is empty once it has ended. `vouched`: somebody who is not here yet could accept it. `stands`: whoever invited still may."""

    id: str
    state: str
    address: str
    organisation: str
    project: str = ""
    role: str = ""
    roles: list[str] = Field(default_factory=list)
    invited_by: str
    vouched: bool
    stands: bool
    made_at: datetime
    expires_at: datetime
    person: str = ""


class InvitationToMeOut(Wire):
    """That one was sent to your address, and no more: what it is for says its link, which went there."""

    made_at: datetime
    expires_at: datetime


class SentOut(Wire):
    """`link` is there when no mail took it, for handing over by another way; it is shown once. `why`: why no mail did."""

    invitation: InvitationOut
    mailed: bool
    link: str = ""
    why: str = ""


class JoinIn(Wire):
    """For who is not here yet. `name`: what they are called, where the invitation does not say."""

    code: Secret
    name: Name = ""


class AcceptIn(Wire):
    """`invitation`: its code, which went to your address."""

    invitation: Secret


class AppointIn(Wire):
    person: Somebody
    role: Role


class HolderOut(Wire):
    person: str
    name: str
    organisation: str
    roles: list[str]


class LeadIn(Wire):
    person: Somebody


class LeaveIn(Wire):
    """`successor` leads what would be left without a lead."""

    why: Annotated[str, Field(min_length=1, max_length=200)]
    successor: Annotated[str, Field(max_length=320)] = ""


class LeavingOut(Wire):
    """`projects`: where they were; `without_lead`: those that nobody leads now. `closed_at`: empty while a key waits to be replaced."""

    person: str
    left_at: datetime
    projects: list[str]
    without_lead: list[str]
    services: list[str]
    closed_at: datetime | None = None


class ReviewItemOut(Wire):
    """`decision`: waiting, kept, removed or suspended."""

    person: str
    name: str
    organisation: str
    role: str
    decision: str


class ReviewOut(Wire):
    """`due_on`: the last day; what nobody confirmed by then stands still. `closed_at`: empty while it is open."""

    quarter: str
    opened_on: date
    due_on: date
    closed_at: datetime | None = None
    items: list[ReviewItemOut]


class ReviewIn(Wire):
    """Ids of people; who stands still comes back when they are kept."""

    keep: Annotated[list[Somebody], Field(max_length=1000)] = Field(default_factory=list)
    remove: Annotated[list[Somebody], Field(max_length=1000)] = Field(default_factory=list)


class RoleReviewIn(Wire):
    person: Somebody
    role: Role
    keep: bool
