"""The ladder: what is due at which moment, in which order, and as few as suffice."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fabriek.compute.jobs import Priority
from fabriek.compute.order import RANK
from fabriek.compute.power import Contract, Limit
from fabriek.compute.powering.ladder import Climb, Standing, Step, climb
from fabriek.funding.policy.ladders import Drain, Ladder
from tests.factories.compute import NOON, a_limit

IDLE = 100
DAY = timedelta(days=1)


def a_ladder(**changes: Any) -> Ladder:
    fields: dict[str, Any] = {
        "hold_seconds": 3600, "cap_seconds": 900, "cap_part": 600_000, "suspend_seconds": 300, "drain": Drain.NORMAL,
        "drain_seconds": 120, "valid_from": date(2026, 1, 1), "source": "made up for tests",
    }  # fmt: skip
    return Ladder(**(fields | changes))


def standing(job: str, watts: int = 100, priority: Priority = Priority.NORMAL, **changes: Any) -> Standing:
    fields: dict[str, Any] = {
        "ends": NOON + DAY, "leave_seconds": 60, "full_watts": watts, "capped_watts": watts, "begun_at": NOON - DAY, "preemptible": True,
    }  # fmt: skip
    return Standing(job, priority, watts, **(fields | changes))


def climbed(*jobs: Standing, allowed: int, begins: datetime = NOON, ladder: Ladder | None = None, **more: Any) -> Climb:
    return climb(jobs, IDLE, Contract(10_000), [a_limit(allowed, starts=begins)], ladder or a_ladder(), NOON, **more)


def due(found: Climb) -> list[tuple[str, Step]]:
    return [(act.job, act.step) for act in found.acts]


def test_where_all_fits_nothing_is_done() -> None:
    found = climbed(standing("a"), allowed=200)
    assert (found.breach, found.held, found.acts, found.step) == (None, False, (), None)


def test_each_step_is_taken_at_its_time_before_the_limit_beside_what_the_job_needs_to_leave() -> None:
    job = standing("a", leave_seconds=180)
    for minutes, held, acts in ((61, False, []), (60, True, []), (9, True, []), (8, True, [("a", Step.SUSPEND)])):
        found = climbed(job, allowed=150, begins=NOON + timedelta(minutes=minutes))
        assert (found.held, due(found)) == (held, acts), minutes
    assert climbed(job, allowed=150, begins=NOON + timedelta(minutes=9)).planned[0][0] == NOON + timedelta(minutes=1)


def test_who_needs_long_to_leave_is_told_before_starts_would_be_held() -> None:
    found = climbed(standing("a", leave_seconds=7200), allowed=150, begins=NOON + timedelta(seconds=7400))
    assert (found.held, due(found)) == (True, [("a", Step.SUSPEND)])


def test_eco_jobs_draw_less_before_anybody_is_put_back_and_what_that_will_bring_is_counted_before_it_is_due() -> None:
    eco = standing("eco", 100, Priority.ECO, capped_watts=60)
    late = climbed(eco, standing("n"), allowed=270, begins=NOON + timedelta(minutes=10))
    assert due(late) == [("eco", Step.CAP)]
    early = climbed(eco, standing("n"), allowed=270, begins=NOON + timedelta(minutes=20))
    assert (due(early), [act.step for _, act in early.planned]) == ([], [Step.CAP])
    assert due(climbed(eco, standing("n"), allowed=270, ladder=a_ladder(cap_part=0))) == [("eco", Step.SUSPEND)]
    # Where nothing can cap, capped is what it draws in full.
    assert due(climbed(replace(eco, capped_watts=100), standing("n"), allowed=270)) == [("eco", Step.SUSPEND)]


def test_eco_goes_before_normal_and_urgent_last_and_of_one_priority_as_few_as_suffice() -> None:
    jobs = (
        standing("urgent", 500, Priority.URGENT), standing("n1", 100), standing("n2", 300), standing("eco", 50, Priority.ECO),
    )  # fmt: skip
    whole = 500 + 100 + 300 + 50 + IDLE
    assert due(climbed(*jobs, allowed=whole - 40)) == [("eco", Step.SUSPEND)]
    assert due(climbed(*jobs, allowed=whole - 140)) == [("eco", Step.SUSPEND), ("n1", Step.SUSPEND)]
    assert due(climbed(*jobs, allowed=whole - 290)) == [
        ("n2", Step.SUSPEND)
    ]  # eco would not be enough, and is not needed then
    assert {job for job, _ in due(climbed(*jobs, allowed=whole - 600))} >= {"urgent"}


def test_who_is_let_in_and_has_not_begun_is_put_back_too() -> None:
    fresh = standing("fresh", preemptible=False, waits=True, begun_at=None)
    assert due(climbed(fresh, standing("old", preemptible=False), allowed=250)) == [("fresh", Step.SUSPEND)]


def test_what_may_not_be_put_back_is_ended_last_the_latest_first_and_only_as_the_policy_lets() -> None:
    jobs = (
        standing("old", preemptible=False, begun_at=NOON - DAY), standing("new", preemptible=False, begun_at=NOON - timedelta(hours=1)),
        standing("urgent", preemptible=False, priority=Priority.URGENT), standing("back"),
    )  # fmt: skip
    found = climbed(*jobs, allowed=350)
    assert due(found) == [("back", Step.SUSPEND), ("new", Step.DRAIN)]
    nothing = climbed(*jobs, allowed=350, ladder=a_ladder(drain=Drain.NONE))
    assert (due(nothing), nothing.short_watts) == ([("back", Step.SUSPEND)], 50)
    assert climbed(*jobs, allowed=150).short_watts == 50  # the urgent one stays
    assert climbed(*jobs, allowed=150, ladder=a_ladder(drain=Drain.URGENT)).short_watts == 0


def test_who_is_leaving_counts_as_gone_until_it_should_be_and_is_ended_where_it_is_not() -> None:
    leaving = standing("a", gone_by=NOON + timedelta(seconds=30))
    found = climbed(leaving, standing("b"), allowed=200)
    assert (found.held, due(found)) == (True, [])
    stuck = replace(leaving, gone_by=NOON - timedelta(seconds=1))
    assert due(climbed(stuck, standing("b", priority=Priority.URGENT), allowed=200)) == [("b", Step.SUSPEND)]
    assert due(climbed(stuck, standing("b", preemptible=False, priority=Priority.URGENT), allowed=200)) == [
        ("a", Step.DRAIN)
    ]


def test_what_is_over_before_the_limit_begins_is_left_alone() -> None:
    assert (
        climbed(standing("a", ends=NOON + timedelta(hours=1)), allowed=150, begins=NOON + timedelta(hours=1)).breach
        is None
    )


def test_of_two_limits_ahead_who_goes_for_the_first_counts_as_gone_for_the_second() -> None:
    jobs = (standing("a"), standing("b"), standing("c"))
    limits = [a_limit(300, starts=NOON), a_limit(200, starts=NOON + timedelta(minutes=1))]
    found = climb(jobs, IDLE, None, limits, a_ladder(), NOON)
    assert len(found.acts) == 2
    assert len({act.job for act in found.acts}) == 2


def test_overlapping_limits_bind_by_the_lowest() -> None:
    limits = [a_limit(1_000), a_limit(150), a_limit(500)]
    found = climb([standing("a")], IDLE, Contract(10_000), limits, a_ladder(), NOON)
    assert found.breach is not None
    assert found.breach.allowed_watts == 150


def test_a_contract_that_is_lower_than_what_stands_binds_at_once() -> None:
    assert due(climb([standing("a")], IDLE, Contract(150), [], a_ladder(), NOON)) == [("a", Step.SUSPEND)]


def test_a_meter_that_says_more_than_the_plan_is_believed() -> None:
    found = climbed(standing("a"), standing("b"), allowed=350, drawn_watts=360)
    assert found.breach is not None
    assert found.breach.metered
    assert len(found.acts) == 1
    assert climbed(standing("a"), standing("b"), allowed=350, drawn_watts=20).breach is None


def test_a_cap_is_lifted_when_all_may_draw_in_full_again_and_not_before() -> None:
    capped = standing("eco", 60, Priority.ECO, full_watts=100, capped_watts=60, capped=True)
    assert climbed(capped, allowed=170).lifts == ()
    assert climbed(capped, allowed=200).lifts == ("eco",)
    assert climb([capped], IDLE, None, [], a_ladder(), NOON).lifts == ("eco",)


def test_without_a_row_of_the_policy_what_stands_is_left_alone() -> None:
    assert climb([standing("a")], IDLE, Contract(1), [], None, NOON) == Climb()


some = st.builds(
    lambda number, watts, priority, back: standing(f"job_{number}", watts, priority, preemptible=back),
    st.integers(0, 10**6), st.integers(1, 500), st.sampled_from(Priority), st.booleans(),
)  # fmt: skip


@given(st.lists(some, max_size=8, unique_by=lambda one: one.job), st.integers(0, 3_000))
def test_afterwards_it_fits_or_what_is_over_is_said_and_a_second_round_does_nothing_more(
    jobs: list[Standing], allowed: int
) -> None:
    found = climbed(*jobs, allowed=allowed)
    told = {act.job: act for act in found.acts}
    there = IDLE + sum(one.watts for one in jobs if one.job not in told)
    assert there - allowed <= found.short_watts
    assert found.short_watts == 0 or there - allowed == found.short_watts
    # As few as suffice: without any one of them it would not fit. Who is put back first may turn out needless once others must be ended too.
    if len({act.step for act in found.acts}) == 1 and not found.short_watts:
        assert all(there + act.watts > allowed for act in found.acts)
    by_job = {one.job: one for one in jobs}
    for act in found.acts:
        if act.step is Step.SUSPEND:  # nobody of a lower priority that could have gone, and draws as much, stays
            spared = [one for one in jobs if one.preemptible and one.job not in told]
            gone = by_job[act.job]
            assert not any(RANK[one.priority] > RANK[gone.priority] and one.watts >= gone.watts for one in spared)
    leaving = [replace(one, gone_by=NOON + timedelta(seconds=60), ending=one.job in told and told[one.job].step is Step.DRAIN)
               if one.job in told else one for one in jobs]  # fmt: skip
    assert climbed(*leaving, allowed=allowed).acts == ()


def test_limits_that_begin_at_one_instant_are_one_breach() -> None:
    at = NOON + timedelta(minutes=5)
    limits = [Limit(at, at + DAY, 150), Limit(at, at + DAY, 180)]
    found = climb([standing("a"), standing("b")], IDLE, None, limits, a_ladder(), NOON)
    assert found.breach is not None
    assert (found.breach.at, found.breach.allowed_watts, len(found.acts)) == (at, 150, 2)
