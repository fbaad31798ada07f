"""A site's table, line by line: what is a job's use, what is none, and what is not to be read."""

import io
import tracemalloc
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.foreign import ForeignJobIn, RefusedLine
from fabriek.sdk.accounts.fields import Read, Skipped
from fabriek.sdk.accounts.parsable import LINE_BYTES_MAX, read

HEADER = "JobID|Cluster|Account|State|Start|ElapsedRaw|AllocTRES"
GOOD = "17|lisa|astro|COMPLETED|2026-11-20T10:00:00|3600|billing=8,cpu=8,gres/gpu=2,gres/gpu:a100=2,mem=16G,node=1"


def reads(*lines: str, header: str = HEADER, zone: str = "UTC") -> list[Read]:
    return [*read(io.BytesIO("\n".join((header, *lines)).encode() + b"\n"), ZoneInfo(zone))]


def reason(line: str) -> str:
    (found,) = reads(line)
    assert isinstance(found, RefusedLine)
    assert found.line == 2
    return found.reason


def test_a_job_is_read_with_its_gpus_and_its_instant_in_the_zone_of_the_site() -> None:
    (job,) = reads(GOOD, zone="Europe/Amsterdam")
    assert isinstance(job, ForeignJobIn)
    assert (job.cluster, job.job, job.task, job.account, job.gpus, job.cpus) == ("lisa", "17", "", "astro", 2, 8)
    assert job.started_at == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    assert (job.line, job.elapsed_seconds, job.is_over) == (2, 3600, True)


def test_kinds_of_gpu_are_summed_where_nothing_counts_the_whole() -> None:
    (job,) = reads(GOOD.replace("gres/gpu=2,gres/gpu:a100=2", "gres/gpu:a100=2,gres/gpu:h100=1"))
    assert isinstance(job, ForeignJobIn)
    assert job.gpus == 3


def test_array_tasks_and_parts_of_heterogeneous_jobs_are_jobs_of_their_own() -> None:
    found = reads(GOOD.replace("17|", "17_4|", 1), GOOD.replace("17|", "17+1|", 1))
    assert [(one.job, one.task) for one in found if isinstance(one, ForeignJobIn)] == [("17", "4"), ("17", "+1")]


def test_steps_and_jobs_that_have_not_begun_are_no_use() -> None:
    lines = (
        GOOD.replace("17|", "17.batch|", 1), GOOD.replace("17|", "17_3.0|", 1),
        "18|lisa|astro|PENDING|Unknown|0|", "19_[4-9%2]|lisa|astro|PENDING|Unknown|0|", "20|lisa|astro|CANCELLED by 1000|Unknown|0|",
    )  # fmt: skip
    assert reads(*lines) == [Skipped()] * 5


def test_a_running_job_is_not_over_and_a_cancelled_one_is() -> None:
    found = reads(GOOD.replace("COMPLETED", "RUNNING"), GOOD.replace("COMPLETED", "CANCELLED by 1000"))
    assert [(one.state, one.is_over) for one in found if isinstance(one, ForeignJobIn)] == [
        ("RUNNING", False),
        ("CANCELLED", True),
    ]


def test_elapsed_and_epoch_seconds_are_read_too() -> None:
    header = "JobID|Account|State|Start|Elapsed|AllocTRES"
    (job,) = read(io.BytesIO(f"{header}\n17|a|TIMEOUT|1795780800|1-00:00:01|cpu=1\n".encode()), UTC, "lisa")
    assert isinstance(job, ForeignJobIn)
    assert (job.elapsed_seconds, job.started_at, job.cluster) == (
        86_401,
        datetime(2026, 11, 27, 12, tzinfo=UTC),
        "lisa",
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (GOOD + "|more", "8 fields"),
        (GOOD.replace("COMPLETED", "DREAMING"), "not a state"),
        (GOOD.replace("3600", "-1"), "not a time"),
        (GOOD.replace("17|", "seventeen|", 1), "names no job"),
        (GOOD.replace("2026-11-20T10:00:00", "yesterday"), "not an instant"),
        (GOOD.replace("gres/gpu=2", "gres/gpu=two"), "not a whole number"),
        (GOOD.replace("gres/gpu=2", "gres/gpu=-2"), "not a whole number"),
        (GOOD.replace("gres/gpu=2", "gres/gpu=99999999999"), "gpus"),
        (GOOD.replace("cpu=8", "cpu"), "no amount"),
        (GOOD.replace("|lisa|", "|li sa|"), "cluster"),
        (GOOD.replace("|astro|", "||"), "account"),
        ("", "1 fields"),
    ],
)  # fmt: skip
def test_a_line_that_is_not_right_says_why_and_stops_nothing(line: str, why: str) -> None:
    assert why in reason(line)
    assert isinstance(reads(line, GOOD)[1], ForeignJobIn)


def test_a_line_without_end_and_bytes_that_are_no_text_are_passed_over() -> None:
    raw = HEADER.encode() + b"\n" + b"x" * (3 * LINE_BYTES_MAX) + b"\n\xff\xfe|\n" + GOOD.encode()
    found = [*read(io.BytesIO(raw), UTC)]
    assert [type(one).__name__ for one in found] == ["RefusedLine", "RefusedLine", "ForeignJobIn"]
    assert isinstance(found[2], ForeignJobIn)
    assert found[2].line == 4


@pytest.mark.parametrize(
    "header", ["", "JobID|State", HEADER.replace("Cluster|", ""), HEADER.replace("ElapsedRaw", "x")]
)
def test_a_dump_without_a_column_is_refused_with_the_command_that_makes_one(header: str) -> None:
    with pytest.raises(InvalidInput, match="no column") as refused:
        reads(GOOD, header=header)
    assert refused.value.fix.startswith("TZ=UTC sacct")


class _Endless(io.RawIOBase):
    """So many lines, made as they are read."""

    def __init__(self, count: int) -> None:
        self._left, self._rest = count, f"{HEADER}\n".encode()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while len(self._rest) < len(buffer) and self._left:
            self._left -= 1
            self._rest += GOOD.replace("17|", f"{self._left + 1}|", 1).encode() + b"\n"
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def test_memory_does_not_grow_with_the_dump() -> None:
    tracemalloc.start()
    count = sum(isinstance(one, ForeignJobIn) for one in read(io.BufferedReader(_Endless(20_000)), UTC))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 2**20, "twenty thousand lines are more than two megabytes"
