"""What is free over time, room and power of the machine as a whole and node by node."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fabriek.compute.capacity import Lack, Room, Timeline
from fabriek.compute.floor import Floor
from fabriek.compute.jobs import Shape
from fabriek.compute.placement import Placement


@dataclass(frozen=True, slots=True)
class Need:
    """What a job takes: its shape, node by node, and the whole of it with the watts it draws."""

    shape: Shape
    whole: Room


@dataclass(frozen=True, slots=True)
class Schedule:
    """`whole` says what is short in words that an owner understands; `floor` decides."""

    whole: Timeline
    floor: Floor

    def copy(self) -> "Schedule":
        return Schedule(self.whole.copy(), self.floor.copy())

    def occupy(self, need: Need, placed: Placement, start: datetime, end: datetime) -> None:
        self.whole.occupy(need.whole, start, end)
        self.floor.occupy(need.shape, placed, start, end)

    def place(self, need: Need, start: datetime, end: datetime) -> Placement | None:
        """Where it may stand throughout; None where room or power is short at any moment."""
        if self.whole.lack(need.whole, start, end) is not None:
            return None
        return self.floor.place(need.shape, start, end)

    def lack(self, need: Need, start: datetime, end: datetime) -> Lack | None:
        """Where the machine as a whole first has too little; None where only its nodes may have."""
        return self.whole.lack(need.whole, start, end)

    def earliest(self, need: Need, span: timedelta, since: datetime) -> datetime | None:
        """The first instant at which `place` finds something; None if that never comes."""
        at: datetime | None = since
        while at is not None:
            at = self.whole.earliest(need.whole, span, at)
            if at is None or (on_nodes := self.floor.earliest(need.shape, span, at)) == at:
                return at
            at = on_nodes
        return None
