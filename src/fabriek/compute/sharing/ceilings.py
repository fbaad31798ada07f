"""What a share may use at most at one moment, with all shares within it: planned ahead like the machine itself, as a smaller one of its own."""

from datetime import datetime

from fabriek.compute.capacity import UNLIMITED_WATTS, Capacity, Room, Timeline
from fabriek.compute.schedule import Need
from fabriek.compute.sharing.rules import ShareRules
from fabriek.kernel.units import MICRO


class Ceilings:
    """Of every share that has one. Changed by whoever owns it; a round that promises something works on copies of single ones."""

    __slots__ = ("_over", "_rules", "under")

    def __init__(self, capacity: Capacity, rules: ShareRules, start: datetime) -> None:
        self._rules, self._over = rules, dict[str, tuple[str, ...]]()
        self.under: dict[str, Timeline] = {
            share: Timeline([(start, _room(capacity, part))]) for share, part in rules.ceilings.items()
        }

    def over(self, share: str) -> tuple[str, ...]:
        """Those that hold for this share, from the top down."""
        if not self.under:
            return ()
        found = self._over.get(share)
        if found is None:
            found = self._over[share] = tuple(one for one in self._rules.path(share) if one in self.under)
        return found

    def occupy(self, share: str, need: Need, start: datetime, end: datetime) -> None:
        for one in self.over(share):
            self.under[one].occupy(need.whole, start, end)

    def vacate(self, share: str, need: Need, start: datetime, end: datetime) -> None:
        for one in self.over(share):
            self.under[one].vacate(need.whole, start, end)

    def advance(self, now: datetime) -> None:
        for one in self.under.values():
            one.advance(now)

    def copy(self) -> "Ceilings":
        other = object.__new__(Ceilings)
        other._rules, other._over = self._rules, self._over
        other.under = {share: timeline.copy() for share, timeline in self.under.items()}
        return other

    def fits(self, share: str, need: Need, start: datetime, end: datetime) -> bool:
        """Whether it fits under all of them throughout."""
        return all(self.under[one].fits(need.whole, start, end) for one in self.over(share))

    def leave_room(self, share: str, whole: Room) -> bool:
        """Whether so much fits under all of them at this moment."""
        for one in self.over(share):
            cpus, gpus, memory, _ = self.under[one].now
            if whole[0] > cpus or whole[1] > gpus or whole[2] > memory:
                return False
        return True


class Promises:
    """The ceilings as one round plans under them: the first that one of them keeps waiting has a reserved start there, which nobody may delay."""

    def __init__(self, ceilings: Ceilings) -> None:
        self._ceilings = ceilings
        self._promised: dict[str, Timeline] = {}

    def stops(self, share: str, need: Need, now: datetime) -> str:
        """The share whose ceiling keeps it waiting; empty where none does."""
        for one in self._ceilings.over(share):
            timeline = self._promised.get(one) or self._ceilings.under[one]
            if not timeline.fits(need.whole, now, now + need.span):
                return one
        return ""

    def reserve(self, ceiling: str, need: Need, now: datetime) -> None:
        """It has its turn under this ceiling; nothing is promised to a second."""
        if ceiling in self._promised:
            return
        under = self._ceilings.under[ceiling]
        until = under.earliest(need.whole, need.span, now)
        if until is not None:
            self._promised[ceiling] = then = under.copy()
            then.occupy(need.whole, until, until + need.span)

    def until(self, ceiling: str, need: Need, now: datetime) -> datetime | None:
        """When there is room under it; None where there never is."""
        timeline = self._promised.get(ceiling) or self._ceilings.under[ceiling]
        return timeline.earliest(need.whole, need.span, now)

    def start(self, share: str, need: Need, now: datetime) -> None:
        """The board has it already; so do the promises."""
        for one in self._ceilings.over(share):
            if one in self._promised:
                self._promised[one].occupy(need.whole, now, now + need.span)


def _room(capacity: Capacity, part: int) -> Room:
    cpus, gpus, memory, _ = capacity.room()
    return Room(cpus * part // MICRO, gpus * part // MICRO, memory * part // MICRO, UNLIMITED_WATTS)
