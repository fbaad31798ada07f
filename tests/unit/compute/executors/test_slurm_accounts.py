"""Lines of sacct, read."""

from datetime import UTC, datetime

import pytest

from fabriek.compute.executors.slurm_accounts import cpu_seconds_of, read_accounts, size_of

TOLD = """\
17|fabriek-job_1-1|COMPLETED|1795783907|1795783909|2|00:00.429||billing=1,cpu=1,mem=5000M,node=1
17.batch|batch|COMPLETED|1795783907|1795783909|2|00:00.429|51200K|cpu=1,mem=5000M,node=1
18_3|fabriek-array-9|CANCELLED by 4000000|1795783907|1795783917|10|01:00:00.5||cpu=1,gres/gpu=1
18_3.batch|batch|CANCELLED|1795783907|1795783917|10|01:00:00.5|1.5G|cpu=1
18_4|fabriek-array-9|RUNNING|1795783907|Unknown|2|00:00:00||cpu=1
19|somebody|COMPLETED|1795783907|1795783909|2|00:00.429||cpu=1
20|fabriek-job_3-1|CANCELLED by 0|Unknown|1795783909|0|00:00:00||
"""
NAMES = {
    "17": "fabriek-job_1-1",
    "18_3": "fabriek-array-9",
    "18_4": "fabriek-array-9",
    "19": "fabriek-job_2-1",
    "20": "fabriek-job_3-1",
}


def test_a_job_is_read_with_the_memory_of_its_steps() -> None:
    account = read_accounts(TOLD, NAMES)["17"]
    assert (account.elapsed_seconds, account.cpu_seconds, account.memory_bytes_peak) == (2, 0.429, 50 * 2**20)
    assert account.ended_at == datetime.fromtimestamp(1795783909, UTC)
    assert (account.state, account.cancelled_by) == ("COMPLETED", "")


def test_who_cancelled_it_is_read_by_uid_and_by_name_where_it_has_one() -> None:
    found = read_accounts(TOLD, NAMES)
    assert (found["18_3"].state, found["18_3"].cancelled_by) == ("CANCELLED", "uid 4000000")
    assert found["20"].cancelled_by == "uid 0 (root)"
    assert found["20"].started_at is None


def test_what_runs_still_and_what_bears_another_name_is_left_out() -> None:
    assert set(read_accounts(TOLD, NAMES)) == {"17", "18_3", "20"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1-02:03:04", 93_784), ("02:03:04", 7_384), ("03:04.500", 184.5), ("", 0), ("INVALID", 0), ("-1:00", 0)],
)
def test_a_time_of_sacct_is_read_or_is_nothing(text: str, seconds: float) -> None:
    assert cpu_seconds_of(text) == seconds


@pytest.mark.parametrize(("text", "size"), [("1024", 1024), ("2K", 2048), ("1.5M", 3 * 2**19), ("", 0), ("16E", 0)])
def test_a_size_of_sacct_is_read_or_is_nothing(text: str, size: int) -> None:
    assert size_of(text) == size
