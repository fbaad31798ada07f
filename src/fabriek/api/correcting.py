"""Charges that were wrong, set right, over HTTP."""

from fabriek.kernel.callers import Caller
from fabriek.kernel.units import micro, shown
from fabriek.schemas.funding import ChargeOut, CorrectIn, CorrectionOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1/funding", tags=["funding"])


@router.get("/charges/{charge:path}", access=Right("funding.oversee"))
def show_charge(charge: str, caller: CallerDep, factory: FactoryDep) -> ChargeOut:
    """What a job, a reading or a posting charged, and what it stands at."""
    return _shown(charge, caller, factory)


@router.post("/corrections", access=Right("funding.oversee"), status_code=201)
def correct(asked: CorrectIn, caller: CallerDep, factory: FactoryDep) -> ChargeOut:
    """Sets a charge right by a counter-entry: the difference goes back to who paid, or is charged to them."""
    made = factory.correcting.correct(asked.charge, micro(asked.used), asked.reason, by=caller)
    return _shown(made.transaction, caller, factory)


def _shown(named: str, by: Caller, factory: Services) -> ChargeOut:
    found, project = factory.correcting.charge(named, by=by)
    why = [
        CorrectionOut(posting=one.transaction, reason=one.reason, person=one.person, at=one.at)
        for one in factory.correcting.why(found, by=by)
    ]
    return ChargeOut(
        posting=found.transaction, project=project, job=found.job, resource=found.resource, stands=shown(found.stands), corrections=why
    )  # fmt: skip
