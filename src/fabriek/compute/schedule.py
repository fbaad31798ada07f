"""What is free over time, room and power of the machine as a whole and node by node."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fabriek.compute.capacity import Lack, Room, Timeline
from fabriek.compute.floor import Floor
from fabriek.compute.jobs import Shape
from fabriek.compute.placement import Placement

ONLY_NODE = Placement((0,), ((),))


@dataclass(frozen=True, slots=True)
class Need:
    """What a job takes: its shape, node by node, the whole of it with the watts it draws, and for how long. `never`: why it can never start
    here; empty where it can. `alike`: one number for all shapes that differ in nothing but their time.
    """

    shape: Shape
    whole: Room
    span: timedelta
    never: str = ""
    alike: int = 0


class Schedule:
    """`whole` says what is short in words that an owner understands; `floor` decides, where it has more than one plain node."""

    __slots__ = ("floor", "is_plain", "whole")

    def __init__(self, whole: Timeline, floor: Floor) -> None:
        self.whole, self.floor, self.is_plain = whole, floor, floor.is_plain

    def copy(self) -> "Schedule":
        return Schedule(self.whole.copy(), self.floor if self.is_plain else self.floor.copy())

    def advance(self, now: datetime) -> None:
        """Forgets what lies before this instant."""
        self.whole.advance(now)
        if not self.is_plain:
            self.floor.advance(now)

    def occupy(self, need: Need, placed: Placement, start: datetime, end: datetime) -> None:
        self.whole.occupy(need.whole, start, end)
        if not self.is_plain:
            self.floor.occupy(need.shape, placed, start, end)

    def vacate(self, need: Need, placed: Placement, start: datetime, end: datetime) -> None:
        """Gives back what was taken until `end`."""
        self.whole.vacate(need.whole, start, end)
        if not self.is_plain:
            self.floor.vacate(need.shape, placed, start, end)

    def place(self, need: Need, start: datetime, end: datetime) -> Placement | None:
        """Where it may stand throughout; None where room or power is short at any moment."""
        if not self.whole.fits(need.whole, start, end):
            return None
        if self.is_plain and need.shape.nodes == 1:
            return ONLY_NODE
        return self.floor.place(need.shape, start, end)

    def lack(self, need: Need, start: datetime, end: datetime) -> Lack | None:
        """Where the machine as a whole first has too little; None where only its nodes may have."""
        return self.whole.lack(need.whole, start, end)

    def earliest(self, need: Need, since: datetime) -> datetime | None:
        """The first instant at which `place` finds something; None if that never comes."""
        at: datetime | None = since
        while at is not None:
            at = self.whole.earliest(need.whole, need.span, at)
            if at is None or self.is_plain:
                return at
            on_nodes = self.floor.earliest(need.shape, need.span, at)
            if on_nodes == at:
                return at
            at = on_nodes
        return None
