"""An award that goes to a project which is there already, in place of a new one: what it owes is paid out of it."""

from fabriek.access.applying.applications import Application
from fabriek.access.projects import Project
from fabriek.access.service import Access
from fabriek.kernel.callers import SYSTEM
from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.kernel.purposes import Purpose

LEAVE_OUT = "leave --project out: it opens a project of its own"


def going_on(access: Access, application: Application, into: str, purpose: Purpose) -> Project:
    """The project, by its name: one of the same purpose that the applicant leads. Raises NotPermitted, InvalidInput, NotFound."""
    project = access.project(into)
    leads = {person.id for membership, person in access.members(project.id, by=SYSTEM) if membership.role == "lead"}
    if application.person not in leads:
        raise NotPermitted(f"the applicant does not lead {project.slug}", rule="award.project", fix=LEAVE_OUT)
    if project.purpose is not purpose:
        raise InvalidInput(f"{project.slug} is {project.purpose.replace('_', ' ')} and this is not", fix=LEAVE_OUT)
    return project
