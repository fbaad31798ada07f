"""What was used lately outlives a round and a restart."""

from collections.abc import Iterable
from datetime import timedelta
from math import exp, isclose

from fabriek.compute.capacity import Capacity
from fabriek.compute.sharing.remembering import Mean, Remembering
from fabriek.compute.sharing.rules import DAY, ShareRules
from tests.factories.compute import GIB, NOON, a_running

MACHINE = Capacity(8, 0, 64 * GIB)
RULES = ShareRules(budget_seconds=DAY, owner_seconds=DAY)
HALF = a_running(share="shr_1", cpus=4)


class MemoryMeans:
    def __init__(self) -> None:
        self.kept: list[Mean] = []
        self.times = 0

    def all(self) -> Iterable[Mean]:
        return list(self.kept)

    def replace(self, means: Iterable[Mean]) -> None:
        self.kept, self.times = list(means), self.times + 1


def test_use_adds_up_from_round_to_round_however_often_one_looks() -> None:
    remembering = Remembering(MemoryMeans(), MACHINE, RULES)
    assert remembering.lately([HALF], NOON).shares == {"shr_1": 0.0}
    for hour in range(1, 25):
        found = remembering.lately([HALF], NOON + timedelta(hours=hour))
    assert isclose(found.shares["shr_1"], 0.5 * (1 - 1 / exp(1)))
    assert isclose(found.owners[""], found.shares["shr_1"])
    later = remembering.lately([], NOON + timedelta(hours=48))
    assert later.shares["shr_1"] > found.shares["shr_1"] * 0.9, "it stood until somebody looked"
    assert remembering.lately([], NOON + timedelta(days=30)).shares["shr_1"] < 1e-3


def test_a_server_that_begins_again_knows_what_was_used() -> None:
    means, day = MemoryMeans(), NOON + timedelta(days=1)
    first = Remembering(means, MACHINE, RULES)
    first.lately([HALF], NOON)
    first.lately([HALF], day)
    assert first.keep(day)
    assert not first.keep(day + timedelta(seconds=30)), "once a minute is enough"
    assert first.keep(day + timedelta(minutes=2))
    assert first.keep(day - timedelta(hours=1)), "a clock that was set back does not keep it from being written"
    assert means.times == 3
    again = Remembering(means, MACHINE, RULES).lately([HALF], day + timedelta(minutes=2))
    # What stood when it began again counts as if it had since the kept instant, which was an hour early.
    assert isclose(again.shares["shr_1"], 0.5 * (1 - 1 / exp(1)), rel_tol=0.03)


def test_rules_that_remember_nothing_keep_nothing() -> None:
    means = MemoryMeans()
    remembering = Remembering(means, MACHINE, ShareRules())
    assert remembering.lately([HALF], NOON).shares == {}
    remembering.keep(NOON)
    assert means.kept == []
