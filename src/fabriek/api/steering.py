"""Changes of projects over HTTP."""

from fabriek.access.joining.steering import Change
from fabriek.api.access import project_out
from fabriek.schemas.access import ProjectOut
from fabriek.schemas.base import PageOut
from fabriek.schemas.steering import ChangeIn, ChangeOut, DecideIn, ProjectSetIn
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["access"])


def _change_out(one: Change, services: Services) -> ChangeOut:
    slug = services.access.project(one.project).slug
    return ChangeOut(
        id=one.id, project=slug, what=one.what, value=one.value, why=one.why, proposed_by=one.proposed_by, proposed_at=one.proposed_at,
        outcome=one.outcome,
    )  # fmt: skip


@router.patch("/projects/{project}", access=Right("project.manage"))
def set_project(project: str, asked: ProjectSetIn, caller: CallerDep, factory: FactoryDep) -> ProjectOut:
    """Another title, or another contact for data."""
    changed = factory.joining.steering.set(project, title=asked.title, contact=asked.data_contact, by=caller)
    return project_out(changed, factory)


@router.post("/projects/{project}/proposals", access=Right("project.manage"), status_code=201)
def propose_change(project: str, asked: ChangeIn, caller: CallerDep, factory: FactoryDep) -> ChangeOut:
    """Another purpose or ceiling, which waits for a second person."""
    return _change_out(
        factory.joining.steering.propose(project, asked.what, asked.value, asked.why, by=caller), factory
    )


@router.get("/project-proposals", access=Right("project.oversee"))
def list_changes(caller: CallerDep, factory: FactoryDep) -> PageOut[ChangeOut]:
    """What waits for a second person, of all projects."""
    found = factory.joining.steering.waiting(by=caller)
    return PageOut[ChangeOut](items=[_change_out(one, factory) for one in found])


@router.post("/project-proposals/decide", access=Right("project.oversee"))
def decide_change(asked: DecideIn, caller: CallerDep, factory: FactoryDep) -> ChangeOut:
    """Signs or refuses what somebody else proposed."""
    return _change_out(factory.joining.steering.decide(asked.proposal, agree=asked.agree, by=caller), factory)
