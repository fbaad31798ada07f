"""A small trace whose truth is known: forecasts learn from what was, and from nothing that came after."""

from dataclasses import replace
from datetime import timedelta
from random import Random

from fabriek.compute.forecasting.backtesting import Judged, backtest
from fabriek.compute.forecasting.forecasts import Basis
from fabriek.compute.forecasting.past import Owner
from fabriek.compute.order import DECIDES_HERE, FirstCome
from fabriek.compute.simulator.replay import Machine, Policy, replay
from fabriek.compute.simulator.traces import TraceRow
from tests.factories.compute import NOON, a_shape, a_snapshot

WHOLE = a_snapshot()
MACHINE = Machine(WHOLE.capacity, WHOLE.table)
PEOPLE = {"per_half": 0.5, "per_tenth": 0.1, "per_all": 1.0}


def a_trace(count: int, *, seed: int = 3, part: float = 1.0) -> tuple[list[TraceRow], dict[str, Owner]]:
    """A machine that is busy for half of the time; who submits runs about the same part of what they ask for, always."""
    chance, at, rows, owners = Random(seed), 0.0, list[TraceRow](), dict[str, Owner]()  # noqa: S311  # draws, no secrets
    for number in range(count):
        at += chance.expovariate(1 / 1_500)
        person = chance.choice(list(PEOPLE))
        asked = chance.choice([1_800, 3_600, 7_200])
        ran = min(asked, asked * PEOPLE[person] * part * chance.uniform(0.8, 1.2))
        name = f"job_{number:05}"
        rows.append(
            TraceRow(
                name,
                "shr_1",
                a_shape(cpus=chance.choice([1, 2, 4, 8]), seconds=asked),
                NOON + timedelta(seconds=at),
                ran,
            )
        )
        owners[name] = Owner(person, "")
    return rows, owners


def judged(rows: list[TraceRow], owners: dict[str, Owner], policy: Policy) -> list[Judged]:
    return list(backtest(rows, owners, MACHINE, policy, asked=lambda _: True))


def pinball(one: Judged, said: tuple[float, float, float]) -> float:
    pairs = zip((0.1, 0.5, 0.9), said, strict=True)
    return sum(max(level * (one.wait_seconds - at), (level - 1) * (one.wait_seconds - at)) for level, at in pairs)


def test_the_intervals_hold_and_lose_less_than_who_does_not_forecast() -> None:
    rows, owners = a_trace(400)
    found = judged(rows, owners, Policy({}, DECIDES_HERE))
    late = [one for one in found if one.forecast.made_at > rows[200].submitted_at]
    waited = [one for one in late if one.forecast.basis is Basis.CALIBRATED]
    assert len(waited) > 50
    held = sum(one.quantiles[0] <= one.wait_seconds <= one.quantiles[2] for one in waited) / len(waited)
    assert 0.65 <= held <= 0.95
    ours = sum(pinball(one, one.quantiles) for one in late)
    assert ours < sum(pinball(one, (one.backfill_seconds,) * 3) for one in late)
    assert ours < sum(pinball(one, (one.usual_seconds,) * 3) for one in late)


def test_what_is_told_to_start_at_once_does() -> None:
    rows, owners = a_trace(160)
    at_once = [one for one in judged(rows, owners, Policy({}, FirstCome())) if one.forecast.starts_now]
    assert len(at_once) > 20
    assert all(one.wait_seconds == 0 for one in at_once)


def test_the_trace_is_played_as_the_replay_plays_it() -> None:
    rows, owners = a_trace(160)
    for order in (FirstCome(), DECIDES_HERE):
        real = {one.row.job: one.wait_seconds for one in replay(rows, MACHINE, Policy({}, order)).placed}
        assert {one.job: one.wait_seconds for one in judged(rows, owners, Policy({}, order))} == real


def test_a_forecast_knows_nothing_of_what_comes_after_it() -> None:
    rows, owners = a_trace(160)
    turn = rows[110].submitted_at
    # From there on everything is otherwise: those that came later run ten times as long.
    others = [replace(row, ran_seconds=row.ran_seconds * (10 if row.submitted_at > turn else 1)) for row in rows]
    policy = Policy({}, DECIDES_HERE)
    before = {one.job: one.forecast for one in judged(rows, owners, policy) if one.forecast.made_at <= turn}
    after = {one.job: one.forecast for one in judged(others, owners, policy) if one.forecast.made_at <= turn}
    assert len(before) == 111
    assert before == after
