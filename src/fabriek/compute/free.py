"""What is free of the machine now and over the next days: by the latest end of all that stands, and as if nothing more came. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fabriek.compute.capacity import Room
from fabriek.compute.power import draw, envelope, idle_watts
from fabriek.compute.snapshot import Snapshot

AHEAD = tuple(timedelta(hours=hours) for hours in (0, 1, 4, 12, 24, 48, 72, 96, 120, 144, 168))


@dataclass(frozen=True, slots=True)
class Free:
    """From `at` on. `watts`: what may still be drawn beside what stands; None where nothing limits it."""

    at: datetime
    cpus: int
    gpus_milli: int
    memory_bytes: int
    watts: int | None


def free_ahead(snapshot: Snapshot, now: datetime) -> tuple[Free, ...]:
    """At each of the instants ahead."""
    return tuple(_free(snapshot, now + ahead) for ahead in AHEAD)


def _free(snapshot: Snapshot, at: datetime) -> Free:
    standing = [one.shape for one in snapshot.running if one.ends > at]
    room: Room = snapshot.capacity.room()
    allowed = envelope(snapshot.contract, snapshot.limits, at)
    drawn = idle_watts(snapshot.table, snapshot.capacity.nodes) + sum(draw(shape, snapshot.table) for shape in standing)
    return Free(
        at,
        max(0, room.cpus - sum(shape.cpus_in_all for shape in standing)),
        max(0, room.gpus_milli - sum(shape.gpus_milli_in_all for shape in standing)),
        max(0, room.memory_bytes - sum(shape.memory_bytes_in_all for shape in standing)),
        None if allowed is None else max(0, allowed - drawn),
    )
