"""Secrets over HTTP: set, listed by name, removed, and given to the node of a job that names them."""

from fabriek.compute.secrets.secrets import Secret
from fabriek.schemas.base import DoneOut, PageOut
from fabriek.schemas.secrets import GivenOut, SecretIn, SecretOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import HOLDER, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["secrets"])


def secret_out(secret: Secret, services: Services) -> SecretOut:
    """Who set it, by name: an id would say nothing to the people of a project."""
    name = services.access.person(secret.set_by).name
    return SecretOut(name=secret.name, set_by=name, set_at=secret.set_at, used_at=secret.used_at)


@router.get("/projects/{project}/secrets", access=Right("project.view"))
def list_secrets(project: str, caller: CallerDep, factory: FactoryDep) -> PageOut[SecretOut]:
    """The project's secrets by name: who set each, when, and when a job last got it. No value."""
    found = factory.strongbox.list(project, by=caller)
    return PageOut[SecretOut](items=[secret_out(one, factory) for one in found])


# PUT and not POST: it may be sent twice as it is, and what is kept of a POST to know it again is a hash of its body.
@router.put("/projects/{project}/secrets", access=Right("project.manage"))
def set_secret(project: str, wanted: SecretIn, caller: CallerDep, factory: FactoryDep) -> SecretOut:
    """Set a secret, or a new value of one. Nobody reads it back."""
    fresh = factory.strongbox.set(project, wanted.name, wanted.value.get_secret_value(), by=caller)
    return secret_out(fresh, factory)


@router.delete("/projects/{project}/secrets/{secret}", access=Right("project.manage"))
def remove_secret(project: str, secret: str, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """Remove a secret. Jobs that wait and name it fail when they start."""
    factory.strongbox.remove(project, secret, by=caller)
    return DoneOut()


@router.get("/jobs/{job}/secrets", access=HOLDER)
def secrets_of_job(job: str, caller: CallerDep, factory: FactoryDep) -> GivenOut:
    """What a job's own node gets while the job starts or runs: the secrets that the job names, in plain."""
    return GivenOut(items=dict(factory.strongbox.for_job(job, by=caller)))
