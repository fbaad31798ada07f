"""Messages of a grid operator, readings of meters and the record of power on the wire."""

from datetime import date, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from fabriek.schemas.base import Wire


class GridMessageIn(Wire):
    """What a grid operator announces. `from` until just before `to` at most `kw` may be drawn. `replaces`: the id of an earlier message that this one
    changes; with `withdraws` it takes that back, and says no limit itself. Instants carry their zone.
    """

    id: Annotated[str, Field(min_length=1, max_length=200)]
    announced_at: AwareDatetime
    begins_at: Annotated[AwareDatetime | None, Field(alias="from")] = None
    ends_at: Annotated[AwareDatetime | None, Field(alias="to")] = None
    kw: Annotated[float | None, Field(allow_inf_nan=False)] = None
    replaces: Annotated[str, Field(max_length=200)] = ""
    withdraws: bool = False


class GridMessageOut(Wire):
    """The message as it was confirmed. `late`: what of it came too late, empty where nothing; it is followed all the same."""

    id: str
    confirmation: str
    confirmed_at: datetime
    confirmed_by: str
    answer: str
    standing: str
    late: str
    limit: str
    announced_at: datetime
    received_at: datetime
    begins_at: datetime | None
    ends_at: datetime | None
    kw: float | None
    replaces: str
    followed_by: str
    sent_by: str


class PowerReadingIn(Wire):
    """What a meter read: `watts`, or `kwh` as its counter stands."""

    meter: Annotated[str, Field(min_length=1, max_length=100)]
    at: AwareDatetime
    watts: Annotated[float | None, Field(ge=0, le=10**10, allow_inf_nan=False)] = None
    kwh: Annotated[float | None, Field(ge=0, le=10**12, allow_inf_nan=False)] = None


class PowerReadingOut(Wire):
    meter: str
    at: datetime
    watts: int | None
    kwh: float | None
    received_at: datetime


class WorkOut(Wire):
    """A kind of work, and what part of the most that a GPU draws it was measured to draw; `watts_mean` and `watts_highest` of a GPU here.
    `machine`: the class of node that the row is for, `*` for any.
    """

    name: str
    part_mean: float
    part_highest: float
    watts_mean: int
    watts_highest: int
    machine: str
    valid_from: date
    source: str


class QuarterOut(Wire):
    """A quarter of an hour. Watts are means, `allowed_watts` the lowest that was allowed in it; null is what nobody knows, or nobody limited.
    `drawn_from`: meter, estimate (by the power table), or unknown.
    """

    at: datetime
    planned_watts: int | None
    drawn_watts: int | None
    drawn_from: str
    allowed_watts: int | None
    over: bool
    closed: bool
