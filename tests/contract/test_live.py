"""What is new of a run, on both databases: every point once, whatever the order in which they come and however often one asks."""

import random
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.lab import live
from fabriek.lab.live import Seen
from fabriek.lab.metrics import Metric
from tests.contract.test_lab import Bench
from tests.factories.services import a_town


@pytest.fixture
def bench(database: Database, tmp_path: Path) -> Bench:
    return Bench(a_town(database, tmp_path / "home"))


def told(bench: Bench, run: str, seen: Seen) -> tuple[list[tuple[str, int]], set[str], Seen]:
    """Everything that is new as (metric, step), the metrics that are to be read anew, and the mark behind it, by way of its text."""
    points, again = [], set()
    for new in bench.town.services.live.news(bench.project, run, seen, by=bench.person):
        points += [(new.key, one.step) for one in new.points]
        again |= {new.key} if new.again else set()
        seen = new.seen
    return points, again, Seen.of(seen.mark())


def test_points_are_told_once_in_order_across_any_number_of_looks(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "POINTS_MAX", 7)
    run, heard, seen = bench.run(), list[tuple[str, int]](), Seen()
    dice = random.Random(7)  # noqa: S311  # a test's own dice
    step = 0
    for _ in range(12):
        batch = dice.randint(0, 30)
        bench.log(
            run,
            *(Metric(key, float(one), one * 1000, one) for one in range(step, step + batch) for key in ("loss", "f1")),
        )
        step += batch
        points, again, seen = told(bench, run, seen)
        heard += points
        assert again == set()
    heard += told(bench, run, seen)[0]
    assert [at for key, at in heard if key == "loss"] == list(range(step))
    assert [at for key, at in heard if key == "f1"] == list(range(step))


def test_what_comes_in_between_is_said_to_be_read_anew_and_only_once(bench: Bench) -> None:
    run = bench.run()
    bench.log(run, Metric("loss", 1.0, 1_000, 1), Metric("loss", 0.5, 3_000, 3))
    _, seen = bench.town.services.live.now(bench.project, run, by=bench.person)
    bench.log(run, Metric("loss", 0.7, 2_000, 2))
    points, again, seen = told(bench, run, seen)
    assert (points, again) == ([], {"loss"})
    bench.log(run, Metric("loss", 0.8, 500, 0), Metric("loss", 0.4, 4_000, 4))
    points, again, seen = told(bench, run, seen)
    assert (points, again) == ([("loss", 4)], {"loss"})
    assert told(bench, run, seen)[:2] == ([], set())


def test_metrics_that_are_followed_remain_so_when_many_more_come(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SERIES_MAX", 2)
    run = bench.run()
    bench.log(run, Metric("m", 1.0, 1_000, 1), Metric("n", 1.0, 1_000, 1))
    points, _, seen = told(bench, run, Seen())
    bench.log(run, Metric("a", 1.0, 1_000, 1), Metric("m", 1.0, 2_000, 2), Metric("n", 1.0, 2_000, 2))
    assert points + told(bench, run, seen)[0] == [("m", 1), ("n", 1), ("m", 2), ("n", 2)]
    one = bench.town.services.live.news(bench.project, run, Seen(), ["a"], by=bench.person)
    assert [new.key for new in one] == ["a"]


def test_who_lost_the_right_hears_nothing_more(bench: Bench) -> None:
    run = bench.run()
    with pytest.raises(NotPermitted):
        list(bench.town.services.live.news(bench.project, run, Seen(), by=bench.town.person("elsewhere")))


@pytest.mark.parametrize(
    "mark",
    [
        "x",
        "e30",
        "W10",
        "WzEsW1sxXV1d",
        "WzEsWyJ4Il1d",
        "!" * 20,
        "W" * 20_000,
        "WzEsbnVsbF0",
        "WzFlOTksW11d",
        "WyJhIixbXV0",
    ],
)
def test_a_mark_that_is_none_of_ours_is_refused(mark: str) -> None:
    with pytest.raises(InvalidInput):
        Seen.of(mark)


def test_a_mark_comes_back_as_it_went() -> None:
    seen = Seen({7: (3, (2**62, -5, -(2**63))), 8: (0, (0, 0, 0))}, 12)
    assert Seen.of(seen.mark()) == seen
    assert len(Seen({2**40 + one: (10**7, (2**41, 10**7, -(2**62))) for one in range(64)}, 2**30).mark()) < 6_000
