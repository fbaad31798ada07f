"""Power over HTTP: what may be drawn, and the limits that are announced."""

from fabriek.compute.limits import AnnouncedLimit
from fabriek.schemas.compute import PowerLimitIn, PowerLimitOut, PowerOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router

router = Router(prefix="/api/v1", tags=["power"])


def _limit_out(limit: AnnouncedLimit) -> PowerLimitOut:
    return PowerLimitOut(
        id=limit.id, starts_at=limit.starts_at, ends_at=limit.ends_at, watts=limit.watts, source=limit.source
    )


@router.get("/power", access=SIGNED_IN)
def power(factory: FactoryDep) -> PowerOut:
    """What may be drawn now, what running jobs are planned to draw, and the limits in force or to come."""
    outlook = factory.compute.power_outlook()
    return PowerOut(
        allowed_watts=outlook.allowed_watts,
        planned_watts=outlook.planned_watts,
        limits=[_limit_out(one) for one in outlook.limits],
    )


@router.post("/power/limits", access=Right("power.manage"), status_code=201)
def announce(wanted: PowerLimitIn, caller: CallerDep, factory: FactoryDep) -> PowerLimitOut:
    """Announce a limit. Jobs that would draw above it wait."""
    made = factory.compute.limit_power(
        starts_at=wanted.starts_at, ends_at=wanted.ends_at, watts=wanted.watts, source=wanted.source, by=caller
    )
    return _limit_out(made)


@router.post("/power/limits/{limit}/end", access=Right("power.manage"))
def end(limit: str, caller: CallerDep, factory: FactoryDep) -> PowerLimitOut:
    """Take a limit back, from now on."""
    return _limit_out(factory.compute.end_power_limit(limit, by=caller))
