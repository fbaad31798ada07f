"""Organisations, people and projects over HTTP."""

from fastapi import Request

from fabriek.access.organisations import Organisation
from fabriek.access.people import Person
from fabriek.access.projects import Project
from fabriek.schemas.access import (
    BootstrapIn,
    InvitedOut,
    LinkIn,
    LinkOut,
    MemberIn,
    MemberOut,
    OrganisationIn,
    OrganisationOut,
    PersonIn,
    PersonOut,
    ProjectOut,
    SignedInOut,
    SignInIn,
    WhoamiOut,
)
from fabriek.schemas.base import DoneOut, PageOut
from fabriek.web.callers import token_of
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import ANY_TOKEN, PUBLIC, SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["access"])


def _organisation_out(body: Organisation) -> OrganisationOut:
    return OrganisationOut(
        id=body.id, slug=body.slug, name=body.name, kind=body.kind, country=body.country, kvk=body.kvk
    )


def organisation_slug(organisation: str, services: Services) -> str:
    return services.access.organisation(organisation).slug


def person_out(person: Person, services: Services) -> PersonOut:
    slug = organisation_slug(person.organisation, services)
    return PersonOut(id=person.id, name=person.name, email=person.email, organisation=slug, roles=sorted(person.roles))


def project_out(project: Project, services: Services) -> ProjectOut:
    slug = services.access.organisation(project.lead_organisation).slug
    return ProjectOut(
        id=project.id, slug=project.slug, title=project.title, purpose=project.purpose, label_ceiling=project.label_ceiling, lead_organisation=slug
    )  # fmt: skip


def sign_in_address(request: Request, code: str) -> str:
    """The address of a one-time link, at the host that the caller reached us by."""
    return f"{str(request.base_url).rstrip('/').replace('127.0.0.1', 'localhost')}/sign-in/{code}"


@router.post("/bootstrap", access=PUBLIC, status_code=201)
def bootstrap(asked: BootstrapIn, factory: FactoryDep) -> SignedInOut:
    """The first sign-in of an installation, with the secret that `fabriek up` printed. It works once."""
    wanted = asked.organisation
    body = factory.access.new_organisation(wanted.name, wanted.kind, wanted.country, wanted.kvk, wanted.slug or "")
    person, token = factory.first_sign_in.use(asked.token, body, asked.person.name, asked.person.email)
    return SignedInOut(token=token, person=person_out(person, factory))


@router.post("/sign-in", access=PUBLIC)
def sign_in(asked: SignInIn, factory: FactoryDep) -> SignedInOut:
    """The code of a one-time link against a token."""
    person, token = factory.identity.redeem(asked.code)
    return SignedInOut(token=token, person=person_out(person, factory))


@router.post("/sign-in-links", access=SIGNED_IN, status_code=201, once=False)
def make_link(asked: LinkIn, request: Request, caller: CallerDep, factory: FactoryDep) -> LinkOut:
    """A one-time link: for oneself, or for anyone by whoever may invite."""
    person = factory.access.person_named(asked.person, by=caller).id if asked.person else caller.person
    return LinkOut(sign_in=sign_in_address(request, factory.identity.issue_link(person, by=caller)))


@router.post("/sign-out", access=ANY_TOKEN)
def sign_out(request: Request, factory: FactoryDep) -> DoneOut:
    """Ends the token that this request came with."""
    factory.identity.end(token_of(request))
    return DoneOut()


@router.get("/whoami", access=SIGNED_IN)
def whoami(caller: CallerDep, factory: FactoryDep) -> WhoamiOut:
    """Who you are here, and which rights you hold."""
    projects = {
        project.slug: sorted(caller.project_rights[project.id]) for project in factory.access.projects_of(caller)
    }
    body = factory.access.organisation(caller.organisation).slug
    return WhoamiOut(
        person=caller.person, name=caller.name, organisation=body, rights=sorted(caller.rights), projects=projects
    )


@router.post("/organisations", access=Right("organisation.create"), status_code=201)
def create_organisation(asked: OrganisationIn, caller: CallerDep, factory: FactoryDep) -> OrganisationOut:
    """A new organisation."""
    return _organisation_out(
        factory.access.create_organisation(
            asked.name, asked.kind, asked.country, asked.kvk, asked.slug or "", by=caller
        )
    )


@router.get("/organisations", access=SIGNED_IN)
def list_organisations(caller: CallerDep, factory: FactoryDep) -> PageOut[OrganisationOut]:
    """Every organisation that takes part."""
    return PageOut[OrganisationOut](items=[_organisation_out(one) for one in factory.access.organisations(by=caller)])


@router.get("/organisations/{organisation}/people", access=SIGNED_IN)
def list_people(organisation: str, caller: CallerDep, factory: FactoryDep) -> PageOut[PersonOut]:
    """An organisation's people, for its own and for whoever may invite."""
    found = factory.access.people_of(organisation, by=caller)
    return PageOut[PersonOut](items=[person_out(one, factory) for one in found])


@router.post("/organisations/{organisation}/people", access=Right("person.invite"), status_code=201, once=False)
def invite(organisation: str, asked: PersonIn, request: Request, caller: CallerDep, factory: FactoryDep) -> InvitedOut:
    """A new person, and the link that signs them in once."""
    person = factory.access.invite(organisation, asked.name, asked.email, asked.roles, by=caller)
    code = factory.identity.issue_link(person.id, by=caller)
    return InvitedOut(person=person_out(person, factory), sign_in=sign_in_address(request, code))


@router.get("/projects", access=SIGNED_IN)
def list_projects(caller: CallerDep, factory: FactoryDep) -> PageOut[ProjectOut]:
    """Your projects."""
    return PageOut[ProjectOut](items=[project_out(one, factory) for one in factory.access.projects_of(caller)])


@router.get("/projects/{project}", access=Right("project.view"))
def show_project(project: str, caller: CallerDep, factory: FactoryDep) -> ProjectOut:
    """One project, its contact for data, and what was proposed of it."""
    steering = factory.joining.steering
    contact = steering.contact(project, by=caller)
    waits = [f"{one.what} {one.value} ({one.id})" for one in steering.waiting(project, by=caller)]
    shown = project_out(factory.access.project(project), factory)
    return shown.model_copy(update={"data_contact": contact.name if contact else "", "waits": waits})


@router.get("/projects/{project}/members", access=Right("project.view"))
def list_members(project: str, caller: CallerDep, factory: FactoryDep) -> PageOut[MemberOut]:
    """Who is in the project."""
    found = factory.access.members(project, by=caller)
    return PageOut[MemberOut](
        items=[
            MemberOut(
                person=person.id,
                name=person.name,
                organisation=factory.access.organisation(person.organisation).slug,
                role=one.role,
            )
            for one, person in found
        ]
    )


@router.post("/projects/{project}/members", access=Right("project.manage"), status_code=201)
def add_member(project: str, asked: MemberIn, caller: CallerDep, factory: FactoryDep) -> MemberOut:
    """Add somebody who is here already, or change their role."""
    made = factory.access.add_member(project, asked.person, asked.role, by=caller)
    person = factory.access.person(made.person)
    return MemberOut(
        person=person.id,
        name=person.name,
        organisation=factory.access.organisation(person.organisation).slug,
        role=made.role,
    )


@router.delete("/projects/{project}/members/{person}", access=Right("project.view"))
def remove_member(project: str, person: str, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """Take somebody out, or leave. What they have open there ends, and what is written later is under a new key."""
    factory.vault.remove_member(project, person, by=caller)
    return DoneOut()
