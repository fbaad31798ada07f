"""What a meter said: watts at an instant, or where its counter of watt-hours stood."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fabriek.kernel.errors import AlreadyExists, InvalidInput

AHEAD_MAX = timedelta(minutes=5)
APART_MAX = timedelta(minutes=30)
"""Between two readings of a counter that are further apart nobody knows when it was drawn."""

WATTS_MAX = 10**10


@dataclass(frozen=True, slots=True)
class Reading:
    """Of `meter`, one of what the installation is fed by. `watts` or `counter_wh` is given, or both."""

    meter: str
    at: datetime
    watts: int | None
    counter_wh: int | None
    received_at: datetime


def check(reading: Reading, now: datetime) -> None:
    """Raises InvalidInput."""
    if not 0 < len(reading.meter) <= 100 or not reading.meter.isprintable():
        raise InvalidInput("a meter has a name of 1 to 100 printable characters", fix="name it: main-feed")
    if reading.watts is None and reading.counter_wh is None:
        raise InvalidInput("a reading has watts or kwh", fix="send one of them")
    if not 0 <= (reading.watts or 0) <= WATTS_MAX or (reading.counter_wh or 0) < 0:
        raise InvalidInput(f"a meter reads from 0 to {WATTS_MAX:,} W, and a counter from 0 up", fix="look at the unit")
    if reading.at > now + AHEAD_MAX:
        raise InvalidInput("a reading lies in the future", fix="set the meter's clock; instants carry their zone")


def same(kept: Reading, new: Reading) -> None:
    """Raises AlreadyExists where one meter says two things of one instant."""
    if (kept.watts, kept.counter_wh) != (new.watts, new.counter_wh):
        raise AlreadyExists(f"{new.meter} has another reading of that instant", fix="send it with its own instant")


def watts_within(readings: Sequence[Reading], begin: datetime, end: datetime) -> int | None:
    """Mean watts of all meters together; None where one of them does not say. readings: those of that time and of half an hour around it, so that a
    counter is known at both ends, and a meter that is heard of no more is not waited for.
    """
    meters = sorted({one.meter for one in readings})
    each = [_of_one([one for one in readings if one.meter == meter], begin, end) for meter in meters]
    known = [one for one in each if one is not None]
    return round(sum(known)) if known and len(known) == len(each) else None


def watts_of_now(readings: Sequence[Reading], since: datetime, now: datetime) -> int | None:
    """What the meters that said something since then said last, together; None where none did."""
    each: list[float] = []
    fresh = [one for one in readings if since <= one.at <= now]
    for meter in sorted({one.meter for one in fresh}):
        own = sorted((one for one in fresh if one.meter == meter), key=lambda one: one.at)
        if (watts := own[-1].watts) is not None or (watts := _between(own)) is not None:
            each.append(watts)
    return round(sum(each)) if each else None


def _between(own: Sequence[Reading]) -> int | None:
    """Of a counter's last two."""
    counted = [one for one in own if one.counter_wh is not None][-2:]
    if len(counted) < 2 or counted[0].counter_wh is None or counted[1].counter_wh is None:
        return None
    used, seconds = counted[1].counter_wh - counted[0].counter_wh, (counted[1].at - counted[0].at).total_seconds()
    return round(used * 3600 / seconds) if used >= 0 else None


def _of_one(readings: Sequence[Reading], begin: datetime, end: datetime) -> float | None:
    ordered = sorted(readings, key=lambda one: one.at)
    counted = [one for one in ordered if one.counter_wh is not None]
    first, last = _counter(counted, begin), _counter(counted, end)
    if first is not None and last is not None and last >= first:
        return (last - first) * 3600 / (end - begin).total_seconds()
    inside = [one.watts for one in ordered if one.watts is not None and begin <= one.at < end]
    return sum(inside) / len(inside) if inside else None


def _counter(counted: Sequence[Reading], at: datetime) -> float | None:
    """Where the counter stood, between the reading before and the one after; None where they are far apart, or it ran backwards."""
    before = next((one for one in reversed(counted) if one.at <= at), None)
    after = next((one for one in counted if one.at >= at), None)
    if before is None or after is None or before.counter_wh is None or after.counter_wh is None:
        return None
    if before.at == after.at:
        return float(before.counter_wh)
    if after.at - before.at > APART_MAX or after.counter_wh < before.counter_wh:
        return None
    part = (at - before.at) / (after.at - before.at)
    return before.counter_wh + part * (after.counter_wh - before.counter_wh)
