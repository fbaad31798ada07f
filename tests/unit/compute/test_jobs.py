from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.compute.jobs import (
    ENDED,
    TRANSITIONS,
    Job,
    State,
    move,
    ran_seconds,
    reserved_end,
    state_after,
)
from fabriek.kernel.errors import InvalidInput, WrongState
from tests.factories.compute import NOON, a_job

WAY = (State.QUEUED, State.ADMITTED, State.STARTING, State.RUNNING)


def walked(*steps: State, job: Job | None = None, every_seconds: float = 10) -> Job:
    job, at = job or a_job(), NOON
    for to in steps:
        at += timedelta(seconds=every_seconds)
        job = move(job, to, at=at, exit_code=0 if to is State.SUCCEEDED else None)
    return job


def test_the_table_is_the_one_of_the_design() -> None:
    before_an_end = set(State) - ENDED
    assert {state.value for state in ENDED} == {"succeeded", "failed", "cancelled", "lost"}
    assert all(State.CANCELLED in TRANSITIONS[state] for state in before_an_end)
    onward = {state.value: sorted(to.value for to in TRANSITIONS[state] - {State.CANCELLED}) for state in before_an_end}
    assert onward == {
        "submitted": ["queued"],
        "queued": ["admitted"],
        "admitted": ["queued", "starting"],
        "starting": ["failed", "lost", "queued", "running"],
        "running": ["failed", "lost", "succeeded", "suspended"],
        "suspended": ["failed", "lost", "queued"],
    }


@given(st.lists(st.sampled_from(State), max_size=30))
def test_nothing_leads_out_of_an_end_and_a_lost_job_never_succeeds(steps: list[State]) -> None:
    job, ended = a_job(), None
    for to in steps:
        try:
            job = move(job, to, at=NOON, exit_code=0 if to is State.SUCCEEDED else None)
        except WrongState:
            continue
        assert ended is None
        ended = job.state if job.has_ended() else None
    assert ended is None or job.state is ended


@pytest.mark.parametrize(("state", "to"), [(s, t) for s in State for t in State if t not in TRANSITIONS[s]])
def test_a_step_that_the_table_lacks_is_refused(state: State, to: State) -> None:
    with pytest.raises(WrongState):
        move(a_job(state=state, started_at=NOON), to, at=NOON, exit_code=0)


def test_success_needs_an_exit_code_of_zero() -> None:
    running = walked(*WAY)
    with pytest.raises(AssertionError):
        move(running, State.SUCCEEDED, at=NOON)
    with pytest.raises(AssertionError):
        move(running, State.SUCCEEDED, at=NOON, exit_code=3)


def test_who_left_no_exit_code_is_lost() -> None:
    assert [state_after(code) for code in (0, 3, -9, None)] == [State.SUCCEEDED, State.FAILED, State.FAILED, State.LOST]


def test_a_job_knows_when_it_started_ended_and_how_often_it_was_tried() -> None:
    job = walked(*WAY, State.SUCCEEDED)
    assert (job.started_at, job.ended_at) == (NOON + timedelta(seconds=40), NOON + timedelta(seconds=50))
    assert (job.ran_seconds, job.attempts, job.exit_code) == (10, 1, 0)


def test_a_suspended_job_keeps_what_it_ran_and_does_not_get_its_hours_twice() -> None:
    again = walked(*WAY, State.SUSPENDED, *WAY, State.SUCCEEDED, job=a_job(wall_seconds_max=60))
    assert (again.ran_seconds, again.attempts) == (20, 2)
    assert walked(*WAY, State.SUSPENDED, job=a_job(wall_seconds_max=60)).shape.wall_seconds_max == 50


def test_a_clock_that_jumps_back_takes_nothing_away() -> None:
    running = walked(*WAY)
    assert ran_seconds(running, NOON - timedelta(days=2)) == 0


def test_the_time_of_a_job_counts_from_when_it_runs() -> None:
    now = NOON + timedelta(hours=5)
    assert reserved_end(walked(State.QUEUED, State.ADMITTED), now) == now + timedelta(hours=1)
    assert reserved_end(walked(*WAY), now) == NOON + timedelta(seconds=40, hours=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"nodes": 0},
        {"cpus": 0},
        {"cpus": -4},
        {"memory_bytes": 0},
        {"wall_seconds_max": 0},
        {"wall_seconds_max": 10**12},
    ],
)
def test_a_shape_below_zero_or_without_end_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        a_job(**wrong)
