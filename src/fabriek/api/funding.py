"""Contributions, shares, allocations and the ledger over HTTP."""

from collections.abc import Mapping
from datetime import date

from fastapi import Query

from fabriek.funding.giving.shares import Share
from fabriek.funding.policy.tree import Tree
from fabriek.kernel.callers import Caller
from fabriek.kernel.units import shown
from fabriek.schemas.base import PageOut
from fabriek.schemas.funding import (
    AllocationOut,
    AwardIn,
    ContributionIn,
    EntryOut,
    LeftOut,
    ReadingOut,
    ShareOut,
    ShareTotalOut,
    TableOut,
)
from fabriek.web.dependencies import LIMIT_DEFAULT, LIMIT_MAX, CallerDep, FactoryDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["funding"])


def _share_out(share: Share, services: Services, parts: Mapping[str, int], tree: Tree) -> ShareOut:
    funder = services.access.organisation(share.funder).slug
    return ShareOut(
        id=share.id,
        name=share.name,
        funder=funder,
        kind=share.kind,
        part=parts.get(share.id, 0),
        group=tree.group(share.id),
        ceiling=tree.ceilings.get(share.id),
        group_ceiling=tree.ceiling_above(share.id),
    )


@router.post("/contributions", access=Right("funding.contribute"), status_code=201)
def contribute(asked: ContributionIn, caller: CallerDep, factory: FactoryDep) -> ShareOut:
    """Money that is granted, and the hours that it brings; answers the funder's share."""
    _, share = factory.giving.contribute(
        asked.funder, asked.kind, asked.amount_euro, asked.hours, name=asked.name or "", by=caller
    )
    return _share_out(share, factory, factory.giving.parts(), factory.giving.tree())


@router.get("/shares", access=Right("funding.view"))
def list_shares(caller: CallerDep, factory: FactoryDep, on: date | None = None) -> PageOut[ShareOut]:
    """Every share, with its part of the machine today or on another day, and how it stands to the others."""
    found, tree = factory.giving.shares_on(on, by=caller), factory.giving.tree(on)
    return PageOut[ShareOut](items=[_share_out(one, factory, {one.id: part}, tree) for one, part in found])


@router.post("/applications/{application}/award", access=Right("funding.award"), status_code=201, once=False)
def award(application: str, asked: AwardIn, caller: CallerDep, factory: FactoryDep) -> AllocationOut:
    """Turn an eligible application into a project with an allocation."""
    return _award(application, asked, caller, factory, director=False)


@router.post("/applications/{application}/award/director", access=Right("funding.direct"), status_code=201, once=False)
def award_directly(application: str, asked: AwardIn, caller: CallerDep, factory: FactoryDep) -> AllocationOut:
    """The same out of the director's part of a share."""
    return _award(application, asked, caller, factory, director=True)


def _award(application: str, asked: AwardIn, by: Caller, factory: Services, *, director: bool) -> AllocationOut:
    made, project = factory.awarding.award(
        application, share=asked.share, director=director, out_of_turn=asked.out_of_turn, project=asked.project, by=by
    )
    return AllocationOut(
        id=made.id,
        project=project.slug,
        share=made.share,
        application=made.application,
        starts_on=made.starts_on,
        ends_on=made.ends_on,
    )


@router.get("/allocations", access=Right("funding.view"))
def list_allocations(caller: CallerDep, factory: FactoryDep) -> PageOut[AllocationOut]:
    """Every allocation."""
    return PageOut[AllocationOut](
        items=[
            AllocationOut(
                id=one.id, project=factory.access.project(one.project).slug, share=one.share, application=one.application,
                starts_on=one.starts_on, ends_on=one.ends_on,
            )
            for one in factory.funding.allocations(by=caller)
        ]
    )  # fmt: skip


@router.get("/funding/table", access=Right("funding.view"))
def table(caller: CallerDep, factory: FactoryDep) -> TableOut:
    """Granted, awarded, held and used, per share; and whether the ledger sums to zero."""
    names = {one.id: one.name for one in factory.funding.shares()}
    rows = [
        ShareTotalOut(
            share=names[one.share], resource=one.resource, granted=shown(one.granted), unawarded=shown(one.unawarded),
            unspent=shown(one.unspent), held=shown(one.held), used=shown(one.used),
        )
        for one in factory.funding.table(by=caller)
    ]  # fmt: skip
    return TableOut(rows=rows, balanced=factory.funding.balanced())


@router.get("/funding/entries", access=Right("funding.view"))
def entries(
    caller: CallerDep, factory: FactoryDep, account: str = "", limit: int = Query(LIMIT_DEFAULT, ge=1, le=LIMIT_MAX)
) -> PageOut[EntryOut]:
    """Lines of the ledger, newest first."""
    found = factory.funding.entries(account_name=account, limit=limit, by=caller)
    return PageOut[EntryOut](
        items=[
            EntryOut(
                id=one.id, transaction=one.transaction, account=one.account, resource=one.resource, amount=shown(one.amount_micro),
                at=one.at, memo=one.memo, job=one.job,
            )
            for one in found
        ]
    )  # fmt: skip


@router.get("/projects/{project}/readings", access=Right("project.view"))
def readings(
    project: str, caller: CallerDep, factory: FactoryDep, limit: int = Query(LIMIT_DEFAULT, ge=1, le=LIMIT_MAX)
) -> PageOut[ReadingOut]:
    """What was measured of the project's use: storage by the hour, tokens of models that others serve. Newest first."""
    found = factory.metering.readings(project, limit=limit, by=caller)
    return PageOut[ReadingOut](
        items=[
            ReadingOut(
                key=one.key, resource=one.resource, amount=shown(one.amount_micro), charged=shown(one.charged_micro),
                owed=shown(one.owed_micro), over=shown(one.over_micro), at=one.at,
            )
            for one in found
        ]
    )  # fmt: skip


@router.get("/projects/{project}/credits", access=Right("project.view"))
def credits_left(project: str, factory: FactoryDep) -> PageOut[LeftOut]:
    """What the project may still spend."""
    found = factory.funding.left(factory.access.project(project).id)
    return PageOut[LeftOut](
        items=[
            LeftOut(
                resource=one.resource,
                granted=shown(one.granted),
                held=shown(one.held),
                used=shown(one.used),
                left=shown(one.left),
                owed=shown(one.owed),
            )
            for one in found
        ]
    )
