"""What is charged where the supervisor and the machine's accounts speak of the same attempt."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.compute.bills import accounted
from fabriek.compute.executors.accounts import Account
from fabriek.compute.jobs import Job, State
from fabriek.compute.uses import Use
from tests.factories.compute import NOON, a_job


def ended(ran: float, state: State = State.SUCCEEDED, *, before: float = 0.0, **use: Any) -> Job:
    """A job whose latest attempt began at noon and ran so long by its supervisor, after others that ran `before`."""
    end = NOON + timedelta(seconds=ran)
    return a_job(
        state=state, started_at=NOON, ended_at=end, changed_at=end, ran_seconds=before + ran, use=Use(ran_seconds=ran, **use)
    )  # fmt: skip


def said(elapsed: int, *, until: float | None = None, **changes: Any) -> Account:
    """Accounts of a batch job that took so long, or that ended so long after noon."""
    end = NOON + timedelta(seconds=elapsed if until is None else until)
    return Account("17", "COMPLETED", end - timedelta(seconds=elapsed), end, elapsed, **changes)


def test_inputs_and_sealing_are_not_charged() -> None:
    assert accounted(ended(60.5), said(90)).ran_seconds == 60.5


def test_a_supervisor_that_says_more_than_the_accounts_is_bounded_by_them() -> None:
    assert accounted(ended(3600.0), said(60)).ran_seconds == 61


def test_accounts_that_count_whole_seconds_take_none_away() -> None:
    assert accounted(ended(1.98), said(1)).ran_seconds == 1.98
    assert accounted(ended(0.4), said(0)).ran_seconds == 0.4


def test_attempts_before_are_left_as_they_were() -> None:
    assert accounted(ended(3600.0, before=100.0), said(60)).ran_seconds == 161


def test_what_was_lost_ran_until_the_accounts_say_and_not_until_it_was_missed() -> None:
    """The server was down for the night."""
    job = accounted(ended(36_000.0, State.LOST), said(130, until=120, cpu_seconds=99.0, memory_bytes_peak=7))
    assert job.ran_seconds == 121
    assert job.ended_at == NOON + timedelta(seconds=120)
    assert (job.use.cpu_seconds, job.use.memory_bytes_peak) == (99.0, 7)


def test_what_was_lost_before_its_command_began_is_free() -> None:
    job = a_job(state=State.LOST, ended_at=NOON, changed_at=NOON)
    assert accounted(job, said(130)).ran_seconds == 0


def test_who_cancelled_it_past_us_is_named() -> None:
    job = accounted(ended(60.0, State.LOST), said(60, cancelled_by="uid 1000 (alice)"))
    assert job.reason == "its batch job 17 was cancelled by uid 1000 (alice)"
    assert job.state is State.LOST


def test_what_the_supervisor_measured_stays() -> None:
    job = accounted(ended(60.0, cpu_seconds=50.0, memory_bytes_peak=5), said(60, cpu_seconds=70.0, memory_bytes_peak=9))
    assert (job.use.cpu_seconds, job.use.memory_bytes_peak) == (50.0, 5)
    assert job.use.account is not None
    assert job.use.account.cpu_seconds == 70.0


@given(
    ran=st.floats(0, 1e6), before=st.floats(0, 1e6), elapsed=st.integers(0, 10**6), until=st.floats(-1e6, 1e6),
    state=st.sampled_from([State.SUCCEEDED, State.FAILED, State.CANCELLED, State.LOST]),
)  # fmt: skip
def test_accounts_never_make_a_job_dearer_nor_pay_for_it(
    ran: float, before: float, elapsed: int, until: float, state: State
) -> None:
    job = ended(ran, state, before=before)
    charged = accounted(job, said(elapsed, until=until)).ran_seconds
    assert before - 1e-3 <= charged <= job.ran_seconds
    assert charged <= before + elapsed + 1 + 1e-3


@pytest.mark.parametrize("use", [Use(), Use(1.5, 2**30, 3.0, said(4, cancelled_by="uid 1"))], ids=["none", "all"])
def test_a_use_reads_as_it_was_written(use: Use) -> None:
    assert Use.from_json(use.as_json()) == use
