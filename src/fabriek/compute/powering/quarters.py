"""The record: for each quarter of an hour what was planned, drawn and allowed. It is counted a look at a time, and a stop leaves its gap."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

LENGTH = timedelta(minutes=15)
LOOK_SECONDS_MAX = 120.0
"""What lies longer between two looks is not known: nobody looked."""

KNOWN_SECONDS_MIN = 450.0
"""Of a quarter that was watched for less than half of it, its plan is not told."""


class From(StrEnum):
    """Where the drawn figure comes from."""

    METER = "meter"
    ESTIMATE = "estimate"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Quarter:
    """`at`: its begin. `counted_until`: up to where it was looked at; `known_seconds` of that with somebody looking, in which `planned_joules` were
    planned and `estimated_joules` drawn by the table. `allowed_watts`: the lowest that was allowed in it; None where nothing limits. `drawn_watts` is
    set, with `drawn_from`, when it is closed. `warned`: it was told that it was above.
    """

    at: datetime
    counted_until: datetime
    known_seconds: float = 0.0
    planned_joules: float = 0.0
    estimated_joules: float = 0.0
    allowed_watts: int | None = None
    drawn_watts: int | None = None
    drawn_from: From = From.UNKNOWN
    closed: bool = False
    warned: bool = False

    @property
    def ends_at(self) -> datetime:
        return self.at + LENGTH

    @property
    def planned_watts(self) -> int | None:
        """The mean; None where nobody looked for half of it."""
        return round(self.planned_joules / self.known_seconds) if self.known_seconds >= KNOWN_SECONDS_MIN else None

    @property
    def is_over(self) -> bool:
        return self.allowed_watts is not None and self.drawn_watts is not None and self.drawn_watts > self.allowed_watts


def begin_of(at: datetime) -> datetime:
    """Of the quarter that this instant lies in."""
    whole = at.astimezone(UTC)
    return whole.replace(minute=whole.minute - whole.minute % 15, second=0, microsecond=0)


def counted(quarter: Quarter, until: datetime, planned_watts: int, estimated_watts: int) -> Quarter:
    """With one more look: what is planned now was so since the last. A second look at the same instant, and a clock that was set back, add
    nothing.
    """
    until = min(until, quarter.ends_at)
    seconds = (until - quarter.counted_until).total_seconds()
    if seconds <= 0:
        return quarter
    if seconds > LOOK_SECONDS_MAX:
        return replace(quarter, counted_until=until)
    return replace(
        quarter, counted_until=until, known_seconds=quarter.known_seconds + seconds,
        planned_joules=quarter.planned_joules + seconds * planned_watts,
        estimated_joules=quarter.estimated_joules + seconds * estimated_watts,
    )  # fmt: skip


def closed(quarter: Quarter, metered_watts: int | None, allowed_watts: int | None) -> Quarter:
    """As it is kept. metered_watts: what meters say; without them it is estimated, where somebody looked for half of it."""
    drawn, source = metered_watts, From.METER
    if drawn is None:
        known = quarter.known_seconds >= KNOWN_SECONDS_MIN
        drawn = round(quarter.estimated_joules / quarter.known_seconds) if known else None
        source = From.ESTIMATE if known else From.UNKNOWN
    return replace(quarter, closed=True, drawn_watts=drawn, drawn_from=source, allowed_watts=allowed_watts)
