"""Who borrows, who pays back, and whose turn that makes it."""

from datetime import timedelta

from fabriek.compute.capacity import Capacity
from fabriek.compute.sharing.recent import RecentUse
from fabriek.compute.sharing.rules import ShareRules
from fabriek.compute.sharing.use import ShareUse
from tests.factories.compute import GIB, NOON, a_shape

MACHINE = Capacity(10, 0, 1000 * GIB)
PARTS = {"a": 500_000, "b": 500_000}
DAYS = timedelta(days=1)


def test_what_one_borrowed_it_pays_back_with_half_of_its_part_at_most() -> None:
    budget = RecentUse(14 * 86_400, NOON)
    use = ShareUse(MACHINE, PARTS, ShareRules(pay_back_seconds=14 * 86_400), budget=budget)
    use.begin(NOON)
    assert (use.entitled("a"), use.entitled("b")) == (500_000, 500_000)
    use.add("a", a_shape(cpus=10), NOON)
    use.begin(NOON + 2 * DAYS)
    assert 400_000 < use.entitled("a") < 450_000
    assert use.entitled("a") + use.entitled("b") == 1_000_000
    use.begin(NOON + 100 * DAYS)
    assert use.entitled("a") == 250_000
    assert 999_000 < use.entitled("b") <= 1_000_000


def test_where_nobody_used_anything_nobody_owes_anything() -> None:
    use = ShareUse(MACHINE, PARTS, budget=RecentUse(14 * 86_400, NOON))
    use.begin(NOON + 1000 * DAYS)
    assert (use.entitled("a"), use.entitled("b")) == (500_000, 500_000)


def test_a_share_within_one_that_has_its_own_goes_before_strangers_that_borrow() -> None:
    rules = ShareRules({"physics": "europe", "industry": "europe"})
    use = ShareUse(MACHINE, {"europe": 600_000, "physics": 200_000, "industry": 400_000, "nation": 400_000}, rules)
    use.begin(NOON)
    use.add("physics", a_shape(cpus=3), NOON)
    use.add("nation", a_shape(cpus=4), NOON)
    assert use.used("europe") == 300_000
    assert use.turn("industry") < use.turn("physics") < use.turn("nation")
    use.add("industry", a_shape(cpus=4), NOON)
    assert use.turn("physics") == (True, True)
    use.take_away("industry", a_shape(cpus=4), NOON)
    assert use.turn("physics") == (False, True)
