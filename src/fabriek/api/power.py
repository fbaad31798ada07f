"""Power over HTTP: what may be drawn, and the limits that are announced."""

from decimal import ROUND_FLOOR, Decimal
from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime

from fabriek.compute.limits import AnnouncedLimit
from fabriek.compute.powering.ladder import Step
from fabriek.compute.powering.messages import Message, Said
from fabriek.compute.powering.quarters import Quarter
from fabriek.compute.powering.readings import Reading
from fabriek.schemas.compute import PowerLimitIn, PowerLimitOut, PowerOut
from fabriek.schemas.powering import GridMessageIn, GridMessageOut, PowerReadingIn, PowerReadingOut, QuarterOut, WorkOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router

router = Router(prefix="/api/v1", tags=["power"])


def _limit_out(limit: AnnouncedLimit) -> PowerLimitOut:
    return PowerLimitOut(
        id=limit.id, starts_at=limit.starts_at, ends_at=limit.ends_at, watts=limit.watts, source=limit.source
    )


@router.get("/power", access=SIGNED_IN)
def power(factory: FactoryDep) -> PowerOut:
    """What may be drawn now, what running jobs are planned to draw, the limits in force or to come, and what is done about them."""
    outlook = factory.compute.power_outlook()
    standing = outlook.ladder.acts
    return PowerOut(
        allowed_watts=outlook.allowed_watts,
        planned_watts=outlook.planned_watts,
        limits=[_limit_out(one) for one in outlook.limits],
        step=outlook.ladder.step,
        why=outlook.ladder.why,
        capped=sum(one.step is Step.CAP and one.done_at is not None and not one.failed for one in standing),
        leaving=sum(one.step in {Step.SUSPEND, Step.DRAIN} for one in standing),
    )


@router.get("/power/kinds", access=SIGNED_IN)
def kinds(factory: FactoryDep) -> list[WorkOut]:
    """The kinds of work that a job may say, and what each was measured to draw. By name."""
    return [
        WorkOut(
            name=one.work.name, part_mean=float(one.work.part_mean), part_highest=float(one.work.part_highest), watts_mean=one.watts_mean,
            watts_highest=one.watts_highest, machine=one.work.machine, valid_from=one.work.valid_from, source=one.work.source,
        )
        for one in factory.compute.works()
    ]  # fmt: skip


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


def _message_out(one: Message) -> GridMessageOut:
    said = one.said
    return GridMessageOut(
        id=said.id, confirmation=one.confirmation, confirmed_at=one.confirmed_at, confirmed_by=one.confirmed_by, answer=one.answer,
        standing=one.standing, late=one.late, limit=one.limit, announced_at=said.announced_at, received_at=one.received_at,
        begins_at=said.begins_at, ends_at=said.ends_at, kw=None if said.watts is None else said.watts / 1000, replaces=said.replaces,
        followed_by=one.followed_by, sent_by=one.sent_by,
    )  # fmt: skip


# Idempotent by the message's own id, and a refusal stays written down, which a transaction around the answer would undo.
@router.post("/power/messages", access=Right("power.announce"), status_code=201, once=False)
def take_message(wanted: GridMessageIn, caller: CallerDep, factory: FactoryDep) -> GridMessageOut:
    """A grid operator's message, confirmed and followed. The same message gets the same answer; another by its id is a conflict."""
    said = Said(
        wanted.id, wanted.announced_at, wanted.begins_at, wanted.ends_at, None if wanted.kw is None else _watts(wanted.kw), wanted.replaces,
        wanted.withdraws,
    )  # fmt: skip
    return _message_out(factory.grid_desk.take(said, by=caller))


@router.get("/power/messages", access=Right("power.manage"))
def messages(
    caller: CallerDep, factory: FactoryDep, limit: Annotated[int, Query(ge=1, le=1_000)] = 100
) -> list[GridMessageOut]:
    """What grid operators sent and were answered, newest first."""
    return [_message_out(one) for one in factory.grid_desk.latest(limit=limit, by=caller)]


@router.post("/power/readings", access=Right("power.meter"), status_code=201, once=False)
def take_reading(wanted: PowerReadingIn, caller: CallerDep, factory: FactoryDep) -> PowerReadingOut:
    """What a meter read. It stands in the record in place of the estimate. Idempotent by meter and instant."""
    watts = None if wanted.watts is None else round(wanted.watts)
    counter = None if wanted.kwh is None else round(wanted.kwh * 1000)
    taken = factory.power_record.take(Reading(wanted.meter, wanted.at, watts, counter, factory.clock.now()), by=caller)
    kwh = None if taken.counter_wh is None else taken.counter_wh / 1000
    return PowerReadingOut(meter=taken.meter, at=taken.at, watts=taken.watts, kwh=kwh, received_at=taken.received_at)


@router.get("/power/record", access=Right("machine.view"))
def record(
    caller: CallerDep, factory: FactoryDep, begins_at: Annotated[AwareDatetime, Query(alias="from")],
    ends_at: Annotated[AwareDatetime, Query(alias="to")],
) -> list[QuarterOut]:  # fmt: skip
    """Each quarter of an hour: planned, drawn, allowed. Oldest first."""
    return [_quarter_out(one) for one in factory.power_record.record(begins_at, ends_at, by=caller)]


def _quarter_out(one: Quarter) -> QuarterOut:
    return QuarterOut(
        at=one.at, planned_watts=one.planned_watts, drawn_watts=one.drawn_watts, drawn_from=one.drawn_from, allowed_watts=one.allowed_watts,
        over=one.is_over, closed=one.closed,
    )  # fmt: skip


def _watts(kw: float) -> int:
    """Rounded down: what is allowed is never more than was said."""
    return int((Decimal(str(kw)) * 1000).to_integral_value(ROUND_FLOOR))
