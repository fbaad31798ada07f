"""What is told of a job that has ended."""

from datetime import timedelta

from fabriek.compute.progress import facts_of
from fabriek.funding.reporting.uses import Facts
from tests.factories.compute import NOON, a_job


def test_a_job_waited_from_being_handed_in_to_its_start() -> None:
    start, end = NOON + timedelta(minutes=5), NOON + timedelta(minutes=65)
    job = a_job(started_at=start, ended_at=end, ran_seconds=3600.0)
    assert facts_of(job, 7200.4) == Facts(300, 7200, end)


def test_what_it_ran_before_its_latest_attempt_it_did_not_wait() -> None:
    start, end = NOON + timedelta(minutes=60), NOON + timedelta(minutes=70)
    job = a_job(started_at=start, ended_at=end, ran_seconds=600.0 + 1200.0)
    assert facts_of(job, 0) == Facts(3600 - 1200, 0, end)


def test_a_job_that_never_began_has_no_wait_and_a_clock_that_jumped_none_below_zero() -> None:
    assert facts_of(a_job(ended_at=NOON), 0) is None
    early = a_job(started_at=NOON - timedelta(minutes=1), ended_at=NOON, ran_seconds=60.0)
    assert facts_of(early, 0) == Facts(0, 0, NOON)
