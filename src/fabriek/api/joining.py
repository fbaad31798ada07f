"""Invitations, roles held everywhere, and leavers over HTTP."""

from collections.abc import Sequence

from fastapi import Request

from fabriek.access.joining.invitations import Invitation, state_at
from fabriek.access.joining.inviting import Sent
from fabriek.access.joining.reviews import Item, Review
from fabriek.access.people import Person
from fabriek.api.access import organisation_slug, person_out, project_out
from fabriek.schemas.access import MemberOut, PersonOut, ProjectOut, SignedInOut
from fabriek.schemas.base import PageOut
from fabriek.schemas.joining import (
    AcceptIn,
    AppointIn,
    HolderOut,
    InvitationOut,
    InvitationToMeOut,
    JoinIn,
    LeadIn,
    LeaveIn,
    LeavingOut,
    OrganisationInvitationIn,
    ProjectInvitationIn,
    ReviewIn,
    ReviewItemOut,
    ReviewOut,
    RoleReviewIn,
    SentOut,
)
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import PUBLIC, SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["access"])


def invitation_out(one: Invitation, services: Services) -> InvitationOut:
    inviting = services.joining.inviting
    return InvitationOut(
        id=one.id, state=state_at(one, services.clock.now()), address=one.email, organisation=organisation_slug(one.organisation, services),
        project=services.access.project(one.project).slug if one.project else "", role=one.role, roles=sorted(one.roles),
        invited_by=one.invited_by, vouched=inviting.is_vouched(one), stands=inviting.holds(one), made_at=one.made_at,
        expires_at=one.expires_at, person=one.person,
    )  # fmt: skip


def link_of(request: Request, code: str) -> str:
    """The address of an invitation, at the host that the caller reached us by."""
    return f"{str(request.base_url).rstrip('/').replace('127.0.0.1', 'localhost')}/invitations/{code}"


def _sent_out(sent: Sent, request: Request, services: Services) -> SentOut:
    link = "" if sent.mailed else link_of(request, sent.code)
    return SentOut(invitation=invitation_out(sent.invitation, services), mailed=sent.mailed, link=link, why=sent.why)


def _holder_out(one: Person, services: Services) -> HolderOut:
    slug = organisation_slug(one.organisation, services)
    return HolderOut(person=one.id, name=one.name, organisation=slug, roles=sorted(one.roles))


@router.post("/projects/{project}/invitations", access=Right("project.manage"), status_code=201, once=False)
def invite_to_project(
    project: str, asked: ProjectInvitationIn, request: Request, caller: CallerDep, factory: FactoryDep
) -> SentOut:
    """Somebody into the project, of whatever organisation, who is here or not."""
    sent = factory.joining.inviting.to_project(
        project, asked.email, asked.role, organisation=asked.organisation or "", name=asked.name, by=caller
    )
    return _sent_out(sent, request, factory)


@router.get("/projects/{project}/invitations", access=Right("project.manage"))
def list_invitations_to_project(project: str, caller: CallerDep, factory: FactoryDep) -> PageOut[InvitationOut]:
    """Those into the project, newest first."""
    found = factory.joining.inviting.of_project(project, by=caller)
    return PageOut[InvitationOut](items=[invitation_out(one, factory) for one in found])


@router.post("/organisations/{organisation}/invitations", access=SIGNED_IN, status_code=201, once=False)
def invite_to_organisation(
    organisation: str, asked: OrganisationInvitationIn, request: Request, caller: CallerDep, factory: FactoryDep
) -> SentOut:
    """A new person of an organisation, by one of its administrators or the installation's."""
    sent = factory.joining.inviting.to_organisation(organisation, asked.email, asked.name, asked.roles, by=caller)
    return _sent_out(sent, request, factory)


@router.get("/organisations/{organisation}/invitations", access=SIGNED_IN)
def list_invitations_to_organisation(
    organisation: str, caller: CallerDep, factory: FactoryDep
) -> PageOut[InvitationOut]:
    """Those of people who would belong to it, newest first, for its administrators."""
    found = factory.joining.inviting.of_organisation(organisation, by=caller)
    return PageOut[InvitationOut](items=[invitation_out(one, factory) for one in found])


@router.get("/invitations", access=SIGNED_IN)
def list_my_invitations(caller: CallerDep, factory: FactoryDep) -> PageOut[InvitationToMeOut]:
    """When one was sent to your own address; its link, which went there, says what for."""
    found = factory.joining.inviting.mine(by=caller)
    told = [InvitationToMeOut(made_at=one.made_at, expires_at=one.expires_at) for one in found]
    return PageOut[InvitationToMeOut](items=told)


@router.post("/invitations/join", access=PUBLIC, status_code=201)
def join(asked: JoinIn, factory: FactoryDep) -> SignedInOut:
    """The code of an invitation against a token, for who is not here yet."""
    person, token = factory.joining.inviting.join(asked.code, name=asked.name)
    return SignedInOut(token=token, person=person_out(person, factory))


@router.post("/invitations/accept", access=SIGNED_IN)
def accept_invitation(asked: AcceptIn, caller: CallerDep, factory: FactoryDep) -> ProjectOut:
    """By who is here, with the code that went to their address. The project that they are in now."""
    accepted = factory.joining.inviting.accept(asked.invitation, by=caller)
    return project_out(factory.access.project(accepted.project), factory)


@router.post("/invitations/{invitation}/withdraw", access=SIGNED_IN)
def withdraw_invitation(invitation: str, caller: CallerDep, factory: FactoryDep) -> InvitationOut:
    """By whoever made it, leads of the project, administrators of the organisation."""
    return invitation_out(factory.joining.inviting.withdraw(invitation, by=caller), factory)


@router.post("/invitations/{invitation}/vouch", access=SIGNED_IN)
def vouch_for_invitation(invitation: str, caller: CallerDep, factory: FactoryDep) -> InvitationOut:
    """You stand for it: for the organisation as its administrator, for the project as its lead."""
    return invitation_out(factory.joining.inviting.vouch(invitation, by=caller), factory)


@router.get("/roles", access=SIGNED_IN)
def list_roles(caller: CallerDep, factory: FactoryDep) -> PageOut[HolderOut]:
    """Who holds a role everywhere."""
    found = factory.joining.appointing.holders(by=caller)
    return PageOut[HolderOut](items=[_holder_out(one, factory) for one in found])


@router.post("/roles/appoint", access=SIGNED_IN)
def appoint(asked: AppointIn, caller: CallerDep, factory: FactoryDep) -> HolderOut:
    """Gives somebody a role everywhere; never yourself."""
    return _holder_out(factory.joining.appointing.appoint(asked.person, asked.role, by=caller), factory)


@router.post("/roles/take", access=SIGNED_IN)
def take(asked: AppointIn, caller: CallerDep, factory: FactoryDep) -> HolderOut:
    """Takes a role away, or lays down your own."""
    return _holder_out(factory.joining.appointing.take(asked.person, asked.role, by=caller), factory)


@router.post("/people/{person}/leave", access=SIGNED_IN, once=False)
def leave(person: str, asked: LeaveIn, caller: CallerDep, factory: FactoryDep) -> LeavingOut:
    """Ends all that a person has open. Their jobs go on: they are the project's."""
    left = factory.joining.leavers.leave(person, why=asked.why, successor=asked.successor, by=caller)
    slugs = {one: factory.access.project(one).slug for one in left.held}
    return LeavingOut(
        person=left.person, left_at=left.left_at, projects=sorted(slugs.values()), without_lead=sorted(slugs[one] for one in left.left_alone),
        services=list(left.services), closed_at=left.closed_at,
    )  # fmt: skip


@router.post("/people/{person}/return", access=SIGNED_IN)
def come_back(person: str, caller: CallerDep, factory: FactoryDep) -> PersonOut:
    """They may sign in again, and hold nothing until it is given."""
    return person_out(factory.joining.leavers.come_back(person, by=caller), factory)


@router.get("/projects-without-lead", access=Right("project.oversee"))
def list_projects_without_lead(caller: CallerDep, factory: FactoryDep) -> PageOut[ProjectOut]:
    """Those whose last lead has left."""
    found = factory.joining.appointing.without_lead(by=caller)
    return PageOut[ProjectOut](items=[project_out(one, factory) for one in found])


@router.post("/projects-without-lead/{name}/lead", access=Right("project.oversee"), status_code=201)
def appoint_lead(name: str, asked: LeadIn, caller: CallerDep, factory: FactoryDep) -> MemberOut:
    """Appoints a lead where there is none."""
    made = factory.joining.appointing.appoint_lead(name, asked.person, by=caller)
    person = factory.access.person(made.person)
    slug = organisation_slug(person.organisation, factory)
    return MemberOut(person=person.id, name=person.name, organisation=slug, role=made.role)


def _review_out(found: tuple[Review, Sequence[Item]], services: Services) -> ReviewOut:
    review, items = found
    people = services.access.people_among({one.person for one in items})
    return ReviewOut(
        quarter=review.quarter, opened_on=review.opened_on, due_on=review.due_on, closed_at=review.closed_at,
        items=[
            ReviewItemOut(
                person=one.person, name=people[one.person].name, role=one.role, decision=one.decision,
                organisation=organisation_slug(people[one.person].organisation, services),
            )
            for one in items
        ],
    )  # fmt: skip


@router.get("/projects/{project}/review", access=Right("project.manage"))
def show_review(project: str, caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    """The newest review of who has access, for leads."""
    return _review_out(factory.joining.quarterly.of_project(project, by=caller), factory)


@router.post("/projects/{project}/review", access=Right("project.manage"), once=False)
def decide_review(project: str, asked: ReviewIn, caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    """Keeps and removes people of the list."""
    decided = factory.joining.quarterly.decide(project, keep=asked.keep, remove=asked.remove, by=caller)
    return _review_out(decided, factory)


@router.get("/roles/review", access=SIGNED_IN)
def show_role_review(caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    """The newest review of the roles held everywhere."""
    return _review_out(factory.joining.quarterly.of_roles(by=caller), factory)


@router.post("/roles/review", access=Right("person.appoint"))
def decide_role_review(asked: RoleReviewIn, caller: CallerDep, factory: FactoryDep) -> ReviewOut:
    """Keeps or takes a role that somebody else holds."""
    decided = factory.joining.quarterly.decide_role(asked.person, asked.role, keep=asked.keep, by=caller)
    return _review_out(decided, factory)
