"""How a project stands with its credits, and what hours cost, over HTTP."""

from datetime import date

from fabriek.funding.policy.rates import table_on
from fabriek.kernel.units import shown
from fabriek.schemas.base import PageOut
from fabriek.schemas.spending import LackOut, RateOut, StandingOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router

router = Router(prefix="/api/v1", tags=["funding"])


@router.get("/projects/{project}/standing", access=Right("project.view"))
def standing(project: str, caller: CallerDep, factory: FactoryDep) -> StandingOut:
    """Whether the project may submit jobs and reach its data, what it lacks, and what comes next."""
    found = factory.running_out.overview(project, by=caller)
    now = found.standing
    empty = [
        LackOut(
            resource=one, since=since, owed=shown(max(0, -found.balances[one].net)) if one in found.balances else "0"
        )
        for one, since in now.empty.items()
    ]
    return StandingOut(
        project=factory.access.project(project).slug, state=now.state, since=now.since, empty=empty, shuts_on=found.shuts_on,
        closes_on=found.closes_on, says=list(found.sentences),
    )  # fmt: skip


@router.get("/funding/rates", access=SIGNED_IN)
def rates(factory: FactoryDep, on: date | None = None) -> PageOut[RateOut]:
    """What an hour costs, by the rates in force on a day; today's where none is named."""
    found = table_on(factory.policy.rates, on or factory.clock.today())
    return PageOut[RateOut](
        items=[
            RateOut(
                resource=one.resource, kind=one.kind, costs=str(one.term), nodes=str(one.node or ""), wall_hours_max=one.wall_hours_max,
                valid_from=one.valid_from, source=one.source,
            )
            for one in found
        ]
    )  # fmt: skip
