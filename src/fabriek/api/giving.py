"""Contributions, quarters, caps, and how organisations are described, over HTTP."""

from fabriek.access.describing import Description
from fabriek.funding.giving.contributions import Contribution, state_on
from fabriek.funding.giving.standing import QuarterRow
from fabriek.funding.policy.capping import Standing
from fabriek.funding.policy.caps import Of
from fabriek.kernel.units import shown
from fabriek.schemas.base import PageOut
from fabriek.schemas.giving import (
    ApplyIn,
    CapOut,
    ContributionOut,
    DescribeIn,
    DescriptionOut,
    QuarterOut,
    QuarterRowOut,
    StepIn,
)
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["funding"])


def _contribution_out(one: Contribution, services: Services) -> ContributionOut:
    return ContributionOut(
        id=one.id, funder=services.access.organisation(one.funder).slug, kind=one.kind, amount_euro=one.amount_euro,
        state=state_on(one, services.clock.today()) or "", applied_on=one.applied_on, granted_on=one.granted_on,
        received_on=one.received_on, withdrawn_on=one.withdrawn_on,
    )  # fmt: skip


def row_out(one: QuarterRow) -> QuarterRowOut:
    return QuarterRowOut(
        share=one.share.name, resource=one.resource, entitled=shown(one.entitled), began=shown(one.began), brought=shown(one.brought),
        awarded=shown(one.awarded), lapsed=shown(one.lapsed), carried=shown(one.carried),
    )  # fmt: skip


def cap_out(one: Standing) -> CapOut:
    bounds = one.cap.of is not Of.MACHINE
    return CapOut(
        cap=one.cap.id, share=one.share.name if one.share else "", says=one.cap.said(), bound=shown(one.bound) if bounds else "",
        awarded=shown(one.awarded) if one.share else "", left=shown(one.left) if one.share else "",
        resource=one.cap.resource if bounds else "", source=one.cap.source,
    )  # fmt: skip


def _description_out(one: Description, services: Services) -> DescriptionOut:
    return DescriptionOut(
        organisation=services.access.organisation(one.organisation).slug, sector=one.sector, region=one.region, size=one.size,
        head=services.access.organisation(one.head).slug if one.head else "",
    )  # fmt: skip


@router.get("/contributions", access=Right("funding.view"))
def list_contributions(caller: CallerDep, factory: FactoryDep) -> PageOut[ContributionOut]:
    """Every contribution, and how far it is today."""
    found = factory.giving.contributions(by=caller)
    return PageOut[ContributionOut](items=[_contribution_out(one, factory) for one, _ in found])


@router.post("/contributions/applied", access=Right("funding.contribute"), status_code=201)
def apply(asked: ApplyIn, caller: CallerDep, factory: FactoryDep) -> ContributionOut:
    """Money that is asked for: it makes no share until it is granted."""
    made, _ = factory.giving.apply(asked.funder, asked.kind, asked.amount_euro, name=asked.name or "", by=caller)
    return _contribution_out(made, factory)


@router.post("/contributions/{contribution}/step", access=Right("funding.contribute"))
def step(contribution: str, asked: StepIn, caller: CallerDep, factory: FactoryDep) -> ContributionOut:
    """The contribution's next step, today or on a later day: granted, received, withdrawn."""
    return _contribution_out(factory.giving.step(contribution, asked.to, on=asked.on, by=caller), factory)


@router.get("/funding/quarters/{quarter}", access=Right("funding.view"))
def quarter(quarter: str, caller: CallerDep, factory: FactoryDep) -> QuarterOut:
    """What a quarter (2026Q4, or `now`) brought each share, and what became of it."""
    found, rows = factory.standings.quarter("" if quarter == "now" else quarter, by=caller)
    return QuarterOut(quarter=str(found), first=found.first, last=found.last, rows=[row_out(one) for one in rows])


@router.get("/funding/caps", access=Right("funding.view"))
def caps(caller: CallerDep, factory: FactoryDep) -> PageOut[CapOut]:
    """Each cap in force, and what each share has left of it."""
    return PageOut[CapOut](items=[cap_out(one) for one in factory.standings.caps(by=caller)])


@router.get("/organisations/{organisation}/description", access=SIGNED_IN)
def description(organisation: str, caller: CallerDep, factory: FactoryDep) -> DescriptionOut:
    """Sector, region, size and group of an organisation, for its administrators and who may see all funding."""
    return _description_out(factory.describing.shown(organisation, by=caller), factory)


@router.post("/organisations/{organisation}/description", access=SIGNED_IN)
def describe(organisation: str, asked: DescribeIn, caller: CallerDep, factory: FactoryDep) -> DescriptionOut:
    """Says what an organisation is. Its own administrators say sector and region; size and group decide on money, and are said for it."""
    made = factory.describing.describe(
        organisation, sector=asked.sector, region=asked.region, size=asked.size, head=asked.head, by=caller
    )
    return _description_out(made, factory)
