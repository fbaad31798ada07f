"""A site's document in the shapes of Slurm 22.05 and 24.11, and what is broken in it."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.foreign import ForeignJobIn, RefusedLine
from fabriek.sdk.accounts.fields import Skipped
from fabriek.sdk.accounts.slurm_json import READ_BYTES, read

START = 1795780800


def a_number(value: int | None) -> dict[str, Any]:
    return {"set": value is not None, "infinite": False, "number": value or 0}


def of_22(job: int = 17, **changes: Any) -> dict[str, Any]:
    return {
        "account": "astro", "cluster": "lisa", "job_id": job, "array": {"job_id": 0, "task_id": None}, "het": {"job_id": 0, "job_offset": None},
        "state": {"current": "COMPLETED", "reason": "None"}, "time": {"start": START, "elapsed": 3600, "end": START + 3600},
        "tres": {"allocated": [
            {"type": "cpu", "name": None, "id": 1, "count": 8}, {"type": "energy", "name": None, "id": 3, "count": None},
            {"type": "gres", "name": "gpu", "id": 1001, "count": 2}, {"type": "gres", "name": "gpu:a100", "id": 1002, "count": 2},
        ]},
    } | changes  # fmt: skip


def of_24(job: int = 17, **changes: Any) -> dict[str, Any]:
    shape = {
        "array": {"job_id": 0, "task_id": a_number(None)}, "het": {"job_id": 0, "job_offset": a_number(None)},
        "state": {"current": ["COMPLETED"], "reason": "None"},
    }  # fmt: skip
    return of_22(job) | shape | changes


def document(*jobs: Any) -> io.BytesIO:
    return io.BytesIO(
        json.dumps(
            {"meta": {"plugin": {"name": '"jobs": [ in a string'}}, "jobs": list(jobs), "errors": []}, indent=1
        ).encode()
    )


@pytest.mark.parametrize("shape", [of_22, of_24])
def test_both_shapes_say_the_same(shape: Any) -> None:
    (job,) = read(document(shape()))
    assert isinstance(job, ForeignJobIn)
    assert (job.job, job.gpus, job.cpus, job.elapsed_seconds, job.is_over) == ("17", 2, 8, 3600, True)
    assert job.started_at == datetime.fromtimestamp(START, UTC)


def test_tasks_and_parts_are_named_as_in_the_table() -> None:
    jobs = [
        of_22(21, array={"job_id": 20, "task_id": 3}), of_24(21, array={"job_id": 20, "task_id": a_number(0)}),
        of_22(31, het={"job_id": 30, "job_offset": 1}), of_24(31, het={"job_id": 30, "job_offset": a_number(1)}),
    ]  # fmt: skip
    named = [(one.job, one.task) for one in read(document(*jobs)) if isinstance(one, ForeignJobIn)]
    assert named == [("20", "3"), ("20", "0"), ("30", "+1"), ("30", "+1")]


def test_a_flag_beside_the_state_is_not_the_state() -> None:
    (job,) = read(document(of_24(state={"current": ["RUNNING", "COMPLETING"]})))
    assert isinstance(job, ForeignJobIn)
    assert (job.state, job.is_over) == ("RUNNING", False)


def test_what_has_not_begun_is_no_use() -> None:
    waiting = of_24(state={"current": ["PENDING"]}, time={"start": a_number(None), "elapsed": 0})
    assert [*read(document(waiting, of_22(time={"start": START, "elapsed": 0})))] == [Skipped(), Skipped()]


def test_what_is_no_job_is_refused_by_its_number_and_the_next_one_is_read() -> None:
    wrong = [
        3,
        {},
        of_22(state={"current": "DREAMING"}),
        of_22(time={"start": 10**18, "elapsed": 5}),
        of_22(cluster="a b"),
        of_22(tres={"allocated": None}),
    ]
    found = [*read(document(*wrong, of_22()))]
    assert [one.line for one in found if isinstance(one, RefusedLine)] == [1, 2, 3, 4, 5, 6]
    assert isinstance(found[-1], ForeignJobIn)


def test_a_document_larger_than_what_is_read_at_once_is_read_to_its_end() -> None:
    jobs = [of_22(number, comment="x" * 3_000) for number in range(1, 400)]
    source = document(*jobs)
    assert len(source.getbuffer()) > 4 * READ_BYTES
    assert [one.job for one in read(source) if isinstance(one, ForeignJobIn)] == [
        str(number) for number in range(1, 400)
    ]
    assert source.read() == b""


def test_what_breaks_off_is_refused_after_what_was_whole() -> None:
    whole = document(of_22(1), of_22(2)).getvalue()
    found = []
    with pytest.raises(InvalidInput, match="breaks off"):
        for one in read(io.BytesIO(whole[: whole.rindex(b'"tres"')])):
            found.append(one)  # noqa: PERF402  # up to where it raises
    assert len(found) == 1


@pytest.mark.parametrize("raw", [b"{}", b'{"jobs": 3}', b"", b"[1, 2]"])
def test_a_document_without_jobs_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput, match="no list of jobs"):
        list(read(io.BytesIO(raw)))
