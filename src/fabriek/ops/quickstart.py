"""The quick start: one organisation, one person with every role, one project with a Playground allocation. Again: a fresh token."""

from dataclasses import dataclass
from typing import Any

from fabriek.access.people import Person
from fabriek.access.projects import Membership, Project
from fabriek.access.roles import GLOBAL, PROJECT, rights_of
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotFound
from fabriek.web.services import Services

ORGANISATION = "quickstart"
PROJECT_SLUG = "playground"
EMAIL = "you@localhost"


@dataclass(frozen=True, slots=True)
class Begun:
    """What a newcomer needs: a token, the project's name, the code of a one-time link to the portal."""

    token: str
    project: str
    sign_in_code: str


def quickstart(services: Services) -> Begun:
    """Idempotent: on a home that has it, the same project and a fresh token."""
    with services.database.transaction(alone="quickstart"):
        try:
            project = services.access.project(PROJECT_SLUG)
            person = _person(services)
        except NotFound:
            person, project = _begin(services)
        caller = _caller(person, project)
        token = services.identity.issue_token(person.id, by=caller)
        return Begun(token, project.slug, services.identity.issue_link(person.id, by=caller))


def _begin(services: Services) -> tuple[Person, Project]:
    body = services.access.new_organisation("Quick start", "company", "NL", slug=ORGANISATION)
    person, _ = services.first_sign_in.person(body, "You", EMAIL, tuple(sorted(GLOBAL)))
    caller = Caller(person.id, body.id, person.name, rights_of(person.roles))
    hours = services.settings.quickstart_gpu_hours
    services.giving.contribute(
        ORGANISATION, "private", hours, {"gpu_hour": hours, "cpu_hour": 100 * hours, "expert_hour": 100}, by=caller
    )
    answers: dict[str, Any] = {
        "title": PROJECT_SLUG, "summary": "The first steps on this machine.", "purpose": "civilian", "gpu_hours": hours, "months": "3",
        "data": "What you bring.",
    }  # fmt: skip
    filed = services.intake.file("playground", answers, by=caller)
    checked = services.intake.submit(filed.id, by=caller)
    _, project = services.awarding.award_short_route(checked, by=caller)
    return person, project


def _person(services: Services) -> Person:
    organisation = services.access.organisation(ORGANISATION)
    return next(iter(services.access.people_of(organisation.id, by=Caller("", organisation.id))))


def _caller(person: Person, project: Project) -> Caller:
    membership = Membership(project.id, person.id, "lead")
    return Caller(
        person.id, person.organisation, person.name, rights_of(person.roles), {project.id: PROJECT[membership.role]}
    )
