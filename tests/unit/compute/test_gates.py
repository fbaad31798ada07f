"""What keeps a job from its turn, and when it will never have one."""

from collections.abc import Sequence
from datetime import UTC, timedelta

import pytest

from fabriek.compute.decisions import Because
from fabriek.compute.gates import gate_of, hopeless
from fabriek.compute.jobs import Job, State
from fabriek.compute.terms import After, Once, Terms
from tests.factories.compute import NOON, a_job

OPEN, SHUT, NEVER = "open", "shut", "never"


def waiting(**terms: object) -> Job:
    return a_job(state=State.QUEUED, terms=Terms(**terms))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("once", "states", "outcome"),
    [
        (Once.SUCCEEDED, [State.RUNNING], SHUT),
        (Once.SUCCEEDED, [State.SUCCEEDED], OPEN),
        (Once.SUCCEEDED, [State.SUCCEEDED, State.RUNNING], SHUT),
        (Once.SUCCEEDED, [State.SUCCEEDED, State.FAILED], NEVER),
        (Once.SUCCEEDED, [State.LOST], NEVER),
        (Once.SUCCEEDED, [], NEVER),
        (Once.ENDED, [State.CANCELLED], OPEN),
        (Once.ENDED, [State.SUSPENDED], SHUT),
        (Once.FAILED, [State.FAILED], OPEN),
        (Once.FAILED, [State.SUCCEEDED], NEVER),
        (Once.FAILED, [State.FAILED, State.RUNNING], SHUT),
        (Once.BEGUN, [State.STARTING], SHUT),
        (Once.BEGUN, [State.RUNNING, State.SUCCEEDED], OPEN),
    ],
)
def test_a_job_waits_for_what_was_said_of_another(once: Once, states: Sequence[State], outcome: str) -> None:
    job = waiting(after=(After("job_0", once),))
    known = {"job_0": states} if states else {}
    gate, never = gate_of(job.terms, known, NOON, UTC), hopeless(job.terms, 3_600, known, NOON)
    assert (gate is None) == (outcome == OPEN)
    assert bool(never) == (outcome == NEVER)
    assert gate is None or gate.code is Because.DEPENDENCY


def test_a_job_may_wait_for_an_instant() -> None:
    job = waiting(not_before=NOON + timedelta(hours=1))
    gate = gate_of(job.terms, {}, NOON, UTC)
    assert gate is not None
    assert (gate.code, gate.reason) == (Because.NOT_BEFORE, "Waits until 13:00, as asked.")
    assert gate_of(job.terms, {}, NOON + timedelta(hours=1), UTC) is None


def test_past_the_last_instant_to_start_a_deadline_cannot_be_kept() -> None:
    job = waiting(deadline=NOON + timedelta(hours=2))
    assert hopeless(job.terms, 3_600, {}, NOON + timedelta(hours=1)) == ""
    assert "deadline" in hopeless(job.terms, 3_600, {}, NOON + timedelta(hours=1, seconds=1))
