"""How much of the machine each share uses now, beside what it is entitled to."""

from collections.abc import Mapping
from datetime import datetime

from fabriek.compute.capacity import Capacity
from fabriek.compute.gpus import MILLI
from fabriek.compute.jobs import Shape
from fabriek.compute.sharing.recent import RecentUse
from fabriek.compute.sharing.rules import PLAIN, ShareRules
from fabriek.kernel.units import MICRO

NOTHING = (0, 0, 0)

Turn = tuple[bool, ...]
"""From the share at the top to this one, whether it has its own; the least goes first."""


class ShareUse:
    """Both in millionths of the machine. `noted`: what an order worked out of a job that waits, and need not work out in the next round again;
    `costs`: the same of a shape. `budget`: what each share used lately; None where that is not remembered. `recent`: the same of each owner.
    `fell`: how often something was taken away.
    """

    def __init__(
        self, capacity: Capacity, entitled: Mapping[str, int], rules: ShareRules = PLAIN, *, budget: RecentUse | None = None,
        recent: RecentUse | None = None,
    ) -> None:  # fmt: skip
        self._capacity, self._entitled, self.rules = capacity, entitled, rules
        self.budget, self.recent = budget, recent
        self._used: dict[str, tuple[int, int, int]] = {}
        self._parts: dict[Shape, int] = {}
        self._takes: dict[Shape, tuple[int, int, int, float]] = {}
        self._borrows: dict[str, bool] = {}
        self._turns: dict[str, Turn] = {}
        self._second: float | None = None
        self._lent: float | None = None
        self._tops = [share for share in entitled if share not in rules.parents]
        self.noted: dict[str, tuple[float, float]] = {}
        self.costs: dict[Shape, float] = {}
        self.fell = 0
        self._standing = self._waited = 0.0

    def begin(self, now: datetime) -> None:
        """A round begins: until the next, what each is entitled to is as it is now."""
        if self.budget is not None:
            self._second, self._lent = now.timestamp(), None
            self._borrows.clear()
            self._turns.clear()

    def add(self, share: str, shape: Shape, now: datetime, owner: str = "") -> None:
        self._count(share, shape, 1, now, owner)

    def take_away(self, share: str, shape: Shape, now: datetime, owner: str = "") -> None:
        self.fell += 1
        self._count(share, shape, -1, now, owner)

    def wait(self, shape: Shape, seconds: float, *, gone: bool = False) -> None:
        """Counts how long one that stands had waited; gone: no more."""
        part = -self.part(shape) if gone else self.part(shape)
        self._waited += part * seconds
        self._standing += part

    @property
    def wait_seconds_mean(self) -> float:
        """How long those that stand had waited, each counted by its part of the machine; 0 where nothing stands."""
        return self._waited / self._standing if self._standing > 0.5 else 0.0

    def part(self, shape: Shape) -> int:
        """Of the machine, in millionths: the largest of its parts of CPUs, GPUs and memory. At least one."""
        part = self._parts.get(shape)
        if part is None:
            taken = (shape.cpus_in_all, shape.gpus_milli_in_all, shape.memory_bytes_in_all)
            part = self._parts[shape] = max(1, self._part(taken))
        return part

    def used(self, share: str) -> int:
        """The largest of its parts of CPUs, GPUs and memory, with all shares within it: who has all GPUs has the machine, whatever CPUs are idle."""
        return self._part(self._used.get(share, (0, 0, 0)))

    def part_of(self, share: str) -> int:
        """What it is entitled to by its part alone."""
        return self._entitled.get(share, 0)

    def entitled(self, share: str) -> int:
        """What it may use now before it borrows: its part, with what others borrowed of it, or without what it borrowed itself. A debt takes half of
        a part at most, and a claim doubles it at most: nobody is shut out for what nobody else wanted.
        """
        part = self._entitled.get(share, 0)
        if self.budget is None or self._second is None:
            return part
        if self._lent is None:
            self._lent = self.budget.total(self._tops, self._second)
        weight = self.budget.remembered_seconds / self.rules.pay_back_seconds
        owed = (part * self._lent - self.budget.mean(share, self._second) * MICRO) * weight
        return min(MICRO, max(part // 2, min(2 * part, part + round(owed))))

    def borrows(self, share: str) -> bool:
        """Whether what this share takes next is beyond what is its own."""
        found = self._borrows.get(share)
        if found is None:
            found = self._borrows[share] = self.used(share) >= self.entitled(share)
        return found

    def turn(self, share: str) -> Turn:
        """A share that has less than its own goes first; of those that borrow, one that lies within a share that does not."""
        found = self._turns.get(share)
        if found is None:
            flags = tuple(self.borrows(one) for one in self.rules.path(share))
            found = self._turns[share] = flags + (False,) * (self.rules.depth - len(flags))
        return found

    def _part(self, taken: tuple[int, int, int]) -> int:
        whole = self._capacity
        return max(
            taken[0] * MICRO // max(1, whole.cpus),
            taken[1] * MICRO // max(1, whole.gpus * MILLI),
            taken[2] * MICRO // max(1, whole.memory_bytes),
        )

    def _count(self, share: str, shape: Shape, sign: int, now: datetime, owner: str) -> None:
        takes = self._takes.get(shape)
        if takes is None:
            takes = self._takes[shape] = (
                shape.cpus_in_all, shape.gpus_milli_in_all, shape.memory_bytes_in_all, self.part(shape) / MICRO,
            )  # fmt: skip
        path = self.rules.path(share) if self.rules.parents else (share,)
        for one in path:
            self._borrows.pop(one, None)
            cpus, gpus, memory = self._used.get(one, NOTHING)
            self._used[one] = (cpus + sign * takes[0], gpus + sign * takes[1], memory + sign * takes[2])
        second = now.timestamp()
        if self.budget is not None:
            self.budget.change(path, sign * takes[3], second)
        if self.rules.parents:
            self._turns.clear()
        else:
            self._turns.pop(share, None)
        if self.recent is not None and owner:
            self.recent.change((owner,), sign * takes[3], second)
