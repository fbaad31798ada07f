"""Service identities over HTTP: made and signed for by a lead of the project, with tokens of their own."""

from fabriek.access.login.services import ANSWERS, Service
from fabriek.access.login.tokens import Wanted
from fabriek.api.tokens import new_token_out, token_out
from fabriek.kernel.callers import Caller
from fabriek.schemas.base import DoneOut, PageOut
from fabriek.schemas.tokens import NewTokenOut, ServiceIn, ServiceOut, ServiceTokenIn, TokenOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["access"])


def service_out(service: Service, services: Services, by: Caller) -> ServiceOut:
    tokens = services.service_identities.tokens(service.project, service.person.id, by=by)
    return ServiceOut(
        id=service.person.id, name=service.person.name, role=service.role, signed_for_by=service.signer.id,
        signed_for_by_name=service.signer.name, opens=service.opens, tokens=[token_out(one, services) for one in tokens],
    )  # fmt: skip


@router.get("/projects/{project}/services", access=Right("project.view"))
def list_services(project: str, caller: CallerDep, factory: FactoryDep) -> PageOut[ServiceOut]:
    """The project's services: who answers for each, whether it opens anything, and its tokens without their secrets."""
    found = factory.service_identities.list(project, by=caller)
    return PageOut[ServiceOut](items=[service_out(one, factory, caller) for one in found])


@router.post("/projects/{project}/services", access=Right(ANSWERS), status_code=201)
def create_service(project: str, wanted: ServiceIn, caller: CallerDep, factory: FactoryDep) -> ServiceOut:
    """A service that acts in the project under a name of its own. You answer for it."""
    return service_out(factory.service_identities.create(project, wanted.name, wanted.role, by=caller), factory, caller)


@router.post("/projects/{project}/services/{service}/sign", access=Right(ANSWERS))
def sign_for_service(project: str, service: str, caller: CallerDep, factory: FactoryDep) -> ServiceOut:
    """Answer for a service from now on, in place of who did."""
    return service_out(factory.service_identities.sign(project, service, by=caller), factory, caller)


@router.delete("/projects/{project}/services/{service}", access=Right("project.manage"))
def retire_service(project: str, service: str, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """Retire a service: its tokens end, and what it did stays under its name."""
    factory.service_identities.retire(project, service, by=caller)
    return DoneOut()


# Not `once`: what is kept of a POST to know it again would hold the secret.
@router.post("/projects/{project}/services/{service}/tokens", access=Right(ANSWERS), status_code=201, once=False)
def create_service_token(
    project: str, service: str, wanted: ServiceTokenIn, caller: CallerDep, factory: FactoryDep
) -> NewTokenOut:
    """A token of the service. Its secret is shown now and never again."""
    asked = Wanted(wanted.name, wanted.scopes, days=wanted.days)
    return new_token_out(*factory.service_identities.create_token(project, service, asked, by=caller), factory)


@router.delete("/projects/{project}/services/{service}/tokens/{token}", access=Right("project.manage"))
def revoke_service_token(project: str, service: str, token: str, caller: CallerDep, factory: FactoryDep) -> TokenOut:
    """Revoke a token of the service, by name or id."""
    return token_out(factory.service_identities.revoke_token(project, service, token, by=caller), factory)
