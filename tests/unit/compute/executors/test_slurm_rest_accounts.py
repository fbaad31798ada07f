"""Accounts by REST, read from what a cluster of release 24.11 was seen to say."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fabriek.compute.executors.accounts import Account
from fabriek.compute.executors.slurm_rest_accounts import account_of


def a_job(**changes: Any) -> dict[str, Any]:
    return {
        "job_id": 5,
        "array": {"job_id": 1, "task_id": {"set": True, "number": 3}},
        "state": {"current": ["COMPLETED"]},
        "time": {"start": 1795786619, "end": 1795786622, "elapsed": 3},
        "tres": {"allocated": [_of("node", 1), _of("mem", 64), _of("energy", -2), _of("gres", 2, "gpu"), _of("cpu", 1)]},
        "kill_request_user": "",
        "steps": [_step(3_588_096, 2, 500_000), _step(1_249_280, 0, 250_000)],
    } | changes  # fmt: skip


def _of(kind: str, count: int, name: str = "") -> dict[str, Any]:
    return {"type": kind, "name": name, "count": count}


def _step(memory: int, seconds: int, microseconds: int) -> dict[str, Any]:
    used = [_of("cpu", 0), _of("mem", memory), _of("vmem", 832_913_408)]
    return {"time": {"total": {"seconds": seconds, "microseconds": microseconds}}, "tres": {"requested": {"max": used}}}


def test_an_account_says_what_sacct_says() -> None:
    assert account_of(a_job()) == Account(
        "1_3", "COMPLETED", datetime(2026, 11, 27, 13, 36, 59, tzinfo=UTC), datetime(2026, 11, 27, 13, 37, 2, tzinfo=UTC), 3, 2.75, 3_588_096,
        "cpu=1,gres/gpu=2,mem=64M,node=1",
    )  # fmt: skip


@pytest.mark.parametrize(("user", "who"), [("root", "uid 0 (root)"), ("gone-from-here", "gone-from-here"), ("", "")])
def test_who_cancelled_it_is_named_only_where_somebody_did(user: str, who: str) -> None:
    assert account_of(a_job(kill_request_user=user)).cancelled_by == ""
    assert account_of(a_job(kill_request_user=user, state={"current": ["CANCELLED"]})).cancelled_by == who


def test_one_that_never_began_has_no_start_and_used_nothing() -> None:
    found = account_of(a_job(time={"start": 0, "end": 1795786622, "elapsed": 0}, steps=[]))
    assert (found.started_at, found.cpu_seconds, found.memory_bytes_peak) == (None, 0.0, 0)
