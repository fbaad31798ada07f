from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabriek.compute.board import Board
from fabriek.compute.capacity import Capacity, Room
from fabriek.compute.jobs import State
from fabriek.compute.power import Contract, Limit, draw, envelope, idle_watts
from fabriek.compute.simulator.drawing import quarter_hours_above
from fabriek.compute.simulator.outcomes import Outcome, compare
from fabriek.compute.simulator.replay import Machine, Policy, replay, scaled
from fabriek.compute.simulator.traces import TraceRow, trace_of
from fabriek.compute.snapshot import Snapshot
from fabriek.compute.terms import Terms
from fabriek.funding.policy.ladders import Drain, Ladder
from fabriek.kernel.errors import InvalidInput
from tests.factories.compute import GIB, NOON, a_job, a_limit, a_row, a_table

HOUR = timedelta(hours=1)
HALVES = Policy({"shr_eu": 500_000, "shr_nl": 500_000})
MACHINE = Machine(Capacity(cpus=8, gpus=4, memory_bytes=64 * GIB), a_table())

traces = st.lists(
    st.builds(
        a_row,
        share=st.sampled_from(["shr_eu", "shr_nl"]),
        after_seconds=st.integers(0, 5_000),
        ran_seconds=st.integers(0, 5_000),
        cpus=st.integers(1, 9),
        gpus=st.sampled_from([0, 1, 2, 4]),
        seconds=st.integers(1, 5_000),
    ),
    max_size=12,
).map(lambda rows: [TraceRow(f"job_{n}", r.share, r.shape, r.submitted_at, r.ran_seconds) for n, r in enumerate(rows)])


def starts(outcome: Outcome) -> dict[str, float]:
    return {one.row.job: (one.started_at - NOON).total_seconds() for one in outcome.placed}


def test_a_job_starts_when_another_really_ends_not_when_it_might_have() -> None:
    outcome = replay([a_row("a", gpus=4, ran_seconds=600), a_row("b", gpus=4, after_seconds=60)], MACHINE, HALVES)
    assert starts(outcome) == {"a": 0, "b": 600}
    assert (outcome.wait_seconds_mean, outcome.wait_seconds_max) == (270, 540)
    assert outcome.makespan_seconds == 600 + 1800
    assert outcome.gpu_utilisation == 1


def test_a_job_never_runs_past_the_limit_it_asked_for() -> None:
    assert replay([a_row(seconds=100, ran_seconds=10**9)], MACHINE, HALVES).makespan_seconds == 100


def test_energy_goes_by_the_kind_of_work_and_who_starts_when_does_not() -> None:
    machine = replace(MACHINE, parts={"half": Decimal("0.5")}, contract=Contract(500))
    rows = [a_row(name, gpus=4, seconds=100, ran_seconds=100) for name in ("a", "b")]
    plain, said = (replay(some, machine, HALVES) for some in (rows, [replace(one, work="half") for one in rows]))
    assert starts(plain) == starts(said) == {"a": 0, "b": 100}
    assert (plain.energy_joules, said.energy_joules) == (200 * 410, 200 * 210)
    unknown = replay([replace(one, work="gone") for one in rows], machine, HALVES)
    assert unknown.energy_joules == plain.energy_joules
    assert trace_of([a_job(state=State.SUCCEEDED, started_at=NOON, terms=Terms(work="half"))])[0].work == "half"


def test_the_replay_waits_for_a_limit_to_end() -> None:
    machine = Machine(MACHINE.capacity, a_table(), Contract(500), (a_limit(40, hours=2),))
    assert starts(replay([a_row(cpus=6)], machine, HALVES)) == {"job_1": 7200}


def test_what_the_machine_can_never_run_is_named() -> None:
    outcome = replay([a_row("huge", gpus=5), a_row("small")], MACHINE, HALVES)
    assert (outcome.jobs, outcome.unstarted) == (1, ("huge",))


def test_use_is_counted_in_hours_of_the_whole_machine() -> None:
    outcome = replay([a_row("a", share="shr_eu", gpus=2, cpus=1, ran_seconds=3600)], MACHINE, HALVES)
    assert outcome.used_by_share == {"shr_eu": 0.5}
    assert outcome.energy_joules == 210 * 3600


def test_an_empty_trace_comes_to_nothing() -> None:
    outcome = replay([], MACHINE, HALVES)
    assert (outcome.jobs, outcome.makespan_seconds, outcome.wait_seconds_mean) == (0, 0, 0)


def test_a_job_named_twice_is_refused() -> None:
    with pytest.raises(InvalidInput):
        replay([a_row(), a_row()], MACHINE, HALVES)


def test_a_doubled_share_takes_its_part_from_all_others_and_the_parts_still_sum_to_one() -> None:
    doubled = scaled(Policy({"a": 333_334, "b": 333_333, "c": 333_333}), {"a": 2.0})
    assert sum(doubled.shares.values()) == 1_000_000
    assert doubled.shares == {"a": 500_001, "b": 250_000, "c": 249_999}


def test_an_unknown_share_or_a_factor_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput):
        scaled(HALVES, {"shr_none": 2.0})
    with pytest.raises(InvalidInput):
        scaled(HALVES, {"shr_eu": 0.0, "shr_nl": 0.0})
    with pytest.raises(InvalidInput):
        scaled(HALVES, {"shr_eu": -1.0})


def test_doubling_a_share_shortens_its_wait_and_comparing_shows_who_pays_for_that() -> None:
    trace = [
        a_row("eu_standing", share="shr_eu", gpus=1, seconds=9000, ran_seconds=9000),
        a_row("nl_standing", share="shr_nl", gpus=3, seconds=600, ran_seconds=600),
        a_row("eu_next", share="shr_eu", gpus=3, after_seconds=5),
        a_row("nl_next", share="shr_nl", gpus=3, after_seconds=10),
    ]
    policy = Policy({"shr_eu": 250_000, "shr_nl": 750_000})
    before, after = replay(trace, MACHINE, policy), replay(trace, MACHINE, scaled(policy, {"shr_eu": 2.0}))
    assert (starts(before)["nl_next"], starts(before)["eu_next"]) == (600, 2400)
    assert (starts(after)["nl_next"], starts(after)["eu_next"]) == (2400, 600)
    eu, nl = compare(before, after)
    assert (eu.wait_seconds_before, eu.wait_seconds_after) == ((2400 - 5) / 2, (600 - 5) / 2)
    assert nl.wait_seconds_after > nl.wait_seconds_before
    assert (eu.used_after, nl.used_after) == (eu.used_before, nl.used_before)


def test_only_jobs_that_ran_to_an_end_of_their_own_become_a_trace() -> None:
    ended = [
        a_job(f"job_{state}", state=state, started_at=NOON, ran_seconds=90.0, submitted_at=NOON - n * HOUR)
        for n, state in enumerate((State.SUCCEEDED, State.FAILED, State.CANCELLED, State.LOST, State.RUNNING))
    ]
    rows = trace_of(ended)
    assert [row.job for row in rows] == ["job_failed", "job_succeeded"]
    assert rows[0].ran_seconds == 90


@settings(max_examples=60)
@given(traces)
def test_a_replay_stays_within_machine_and_power_and_loses_no_job(trace: list[TraceRow]) -> None:
    machine = Machine(MACHINE.capacity, a_table(), Contract(450), (a_limit(150, starts=NOON + HOUR / 2, hours=1),))
    outcome = replay(trace, machine, HALVES)
    assert outcome.jobs + len(outcome.unstarted) == len(trace)
    assert all(one.wait_seconds >= 0 for one in outcome.placed)
    moments = {one.started_at for one in outcome.placed} | {NOON + HOUR / 2}
    for at in moments:
        stand = [one.row.shape for one in outcome.placed if one.started_at <= at < one.ended_at]
        assert sum(shape.cpus for shape in stand) <= 8
        assert sum(shape.gpus_milli_in_all for shape in stand) <= 4_000
        allowed = envelope(machine.contract, machine.limits, at)
        assert allowed is not None
        assert not stand or sum(draw(shape, machine.table) for shape in stand) + idle_watts(machine.table, 1) <= allowed


@settings(max_examples=30)
@given(traces)
def test_a_replay_is_the_same_every_time(trace: list[TraceRow]) -> None:
    assert replay(trace, MACHINE, HALVES) == replay(list(reversed(trace)), MACHINE, HALVES)


LADDER = Ladder(3600, 900, 0, 300, Drain.NORMAL, 120, date(2026, 1, 1), "made up for tests")


def test_a_limit_that_becomes_known_puts_back_in_time_as_few_as_suffice_and_they_lose_what_they_had_not_saved() -> None:
    """Four jobs of 10 W; from 14:00 on two fit, which is known from 13:00 on."""
    rows = [
        replace(
            a_row(f"job_{n}", cpus=1, seconds=14_400, ran_seconds=14_400), preemptible=True, checkpoint_seconds=1_000
        )
        for n in range(4)
    ]
    limit = replace(a_limit(48, starts=NOON + timedelta(hours=2), hours=1), known_from=NOON + timedelta(hours=1))
    machine = Machine(MACHINE.capacity, a_table(), Contract(500), (limit,))
    outcome = replay(rows, machine, replace(HALVES, ladder=LADDER))
    stood = timedelta(hours=2) - timedelta(seconds=300)
    assert [one.ended_at for one in outcome.put_back] == [NOON + stood] * 2
    assert [one.lost_seconds for one in outcome.put_back] == [900.0] * 2
    assert quarter_hours_above(outcome.stood, machine) == 0
    again = [one for one in outcome.placed if one.before_seconds]
    assert [one.started_at for one in again] == [limit.ends] * 2
    assert [one.ran_seconds for one in again] == [14_400 - 6_000] * 2


def test_without_a_ladder_what_stands_is_left_alone_and_seen() -> None:
    limit = replace(a_limit(48, starts=NOON + timedelta(hours=2), hours=1), known_from=NOON + timedelta(hours=1))
    machine = Machine(MACHINE.capacity, a_table(), Contract(500), (limit,))
    outcome = replay([a_row(cpus=4, seconds=14_400, ran_seconds=14_400)], machine, HALVES)
    assert (outcome.put_back, quarter_hours_above(outcome.stood, machine)) == ((), 4)


def test_one_that_cannot_be_put_back_is_ended_at_last_and_begins_anew() -> None:
    limit = replace(a_limit(48, starts=NOON + timedelta(hours=2), hours=1), known_from=NOON + timedelta(hours=1))
    machine = Machine(MACHINE.capacity, a_table(), Contract(500), (limit,))
    outcome = replay([a_row(cpus=4, seconds=14_400, ran_seconds=14_400)], machine, replace(HALVES, ladder=LADDER))
    (gone,) = outcome.put_back
    assert (gone.ended_at, gone.lost_seconds) == (NOON + timedelta(seconds=7_080), 7_080.0)
    assert [(one.started_at, one.ran_seconds) for one in outcome.placed] == [(limit.ends, 14_400.0)]


@given(traces, st.lists(st.tuples(st.integers(0, 6_000), st.integers(-2_000, 4_000), st.integers(30, 480)), max_size=4))
def test_limits_that_become_known_leave_the_plan_as_if_it_had_been_made_with_them(
    trace: list[TraceRow], said: list[tuple[int, int, int]]
) -> None:
    """Whatever overlaps, comes late or has passed: once all is known, what a new board has free is what the old one has."""
    limits = tuple(
        Limit(
            NOON + timedelta(seconds=at),
            NOON + timedelta(seconds=at + 1_800),
            watts,
            NOON + timedelta(seconds=max(0, at - lead)),
        )
        for at, lead, watts in said
    )
    snapshot = Snapshot(MACHINE.capacity, a_table(), contract=Contract(500), limits=limits)
    board, now = Board(snapshot, NOON), NOON
    for limit in sorted(limits, key=lambda one: one.known_from or NOON):
        now = max(now, limit.known_from or NOON)
        board.advance(now)
        board.announce(limit, now)
    anew = Board(
        replace(snapshot, limits=tuple(replace(limit, known_from=None) for limit in limits if limit.ends > now)), now
    )
    ends = [at for limit in limits for at in (limit.starts, limit.ends) if at > now]
    for at in [now, *ends]:
        assert [board.schedule.whole.lack(Room(watts=10**9), at, at + timedelta(seconds=1))] == [
            anew.schedule.whole.lack(Room(watts=10**9), at, at + timedelta(seconds=1))
        ]
    free = Machine(MACHINE.capacity, a_table(), Contract(500))
    played = replay(trace, replace(free, limits=limits), replace(HALVES, ladder=LADDER))
    assert played.unstarted == replay(trace, free, HALVES).unstarted
    assert played.jobs + len(played.unstarted) == len(trace)
