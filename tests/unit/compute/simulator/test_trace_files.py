"""Traces as they come: whole, without a head, with lines that say nothing, packed or not, and of kinds that nobody knows."""

import gzip
from pathlib import Path

import pytest

from fabriek.compute.capacity import Capacity
from fabriek.compute.simulator.recorded import Reading, Recorded, pool, rows_on
from fabriek.compute.simulator.trace_files import read_trace, said
from fabriek.kernel.errors import InvalidInput, NotFound

GIB = 2**30
HEAD = "; Version: 2.2\n; MaxProcs: 100\n"


def swf(number: int, submitted: float, ran: float, allocated: int, asked: int = -1, wanted: float = -1) -> str:
    return f"{number} {submitted} 0 {ran} {allocated} -1 -1 {asked} {wanted} -1 1 7 8 -1 2 -1 -1 -1\n"


def read(folder: Path, text: str, name: str = "trace") -> Reading:
    file = folder / name
    file.write_text(text)
    return read_trace(file)


def test_a_line_of_swf_is_a_job_with_its_words(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + swf(1, 10, 60, 4, 8, 3600))
    assert found.procs == 100
    [job] = found.jobs
    assert (job.submitted_seconds, job.ran_seconds, job.processors, job.wanted_seconds) == (10, 60, 8, 3600)
    assert job.words == {"user": "7", "group": "8", "queue": "2"}


def test_without_a_head_and_without_requested_times_it_is_read_and_said(tmp_path: Path) -> None:
    found = read(tmp_path, swf(1, 10, 60, 4))
    assert (found.procs, len(found.jobs)) == (0, 1)
    [row] = rows_on(found, pool(8), {})
    assert (row.shape.cpus, row.shape.wall_seconds_max, found.guessed) == (4, 60, 1)


def test_what_says_nothing_about_a_schedule_is_left_out_and_counted_with_its_first_line(tmp_path: Path) -> None:
    lines = [
        swf(1, 10, 60, 4),
        swf(2, 10, -1, 4),
        swf(3, 10, 0, 4),
        swf(4, 10, 5, -1),
        "1 2 three\n",
        "nonsense\n",
        swf(5, -5, 5, 1),
    ]
    found = read(tmp_path, HEAD + "".join(lines))
    assert [job.name for job in found.jobs] == ["1:3"]
    assert said(found) == (
        "3 never ran, or for no time, first in line 4; 2 a line that is not 18 numbers, first in line 7; 1 no processors, first in line 6"
    )


def test_jobs_wider_than_the_machine_or_longer_than_a_year_are_left_out(tmp_path: Path) -> None:
    found = read(tmp_path, swf(1, 10, 60, 101) + swf(2, 10, 60, 100) + swf(3, 10, 60, 1, 1, 10**9))
    rows = rows_on(found, pool(100), {})
    assert [row.shape.cpus for row in rows] == [100]
    assert dict(found.skipped) == {"wider than the machine": 1, "longer than a year": 1}


def test_packed_or_not_it_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "packed.gz").write_bytes(gzip.compress((HEAD + swf(1, 10, 60, 4)).encode()))
    assert read_trace(tmp_path / "packed.gz").jobs == read(tmp_path, HEAD + swf(1, 10, 60, 4)).jobs


def test_what_holds_no_job_is_refused_with_what_was_in_it(tmp_path: Path) -> None:
    for text in ("", HEAD, "word word\n", swf(1, 10, -1, 4)):
        with pytest.raises(InvalidInput):
            read(tmp_path, text)
    with pytest.raises(NotFound):
        read_trace(tmp_path / "none")
    (tmp_path / "cut.gz").write_bytes(gzip.compress((HEAD + swf(1, 10, 60, 4) * 100).encode())[:-9])
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_trace(tmp_path / "cut.gz")


def test_philly_counts_time_from_row_to_row(tmp_path: Path) -> None:
    head = "u_id,user,gpu_num,cpu_num,node_num,interval,run_time,wall_time,new_status\n"
    found = read(
        tmp_path,
        head + "0,1,1,0,1,0,100,0,Killed\n1,2,8,0,4,50,200,0,Pass\n2,2,8,0,4,x,200,0,Pass\n3,2,1,0,1,5,0,0,Pass\n",
    )
    assert [(job.submitted_seconds, job.gpus_milli, job.nodes) for job in found.jobs] == [(0, 1_000, 1), (50, 8_000, 4)]
    assert found.skipped.total() == 2
    rows = rows_on(found, Capacity(64, 16, 256 * GIB, 4), {})
    assert [(row.shape.nodes, row.shape.gpus.milli) for row in rows] == [(1, 1_000), (4, 2_000)]
    assert [row.shape.cpus for row in rows_on(found, pool(8), {})] == [1, 8]


def test_alibaba_has_parts_of_gpus_and_pods_that_never_ran(tmp_path: Path) -> None:
    head = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
    found = read(tmp_path, head + "a,6000,1024,1,460,,LS,Running,5,100,10\nb,6000,1024,1,460,,LS,Pending,5,100,\n")
    [job] = found.jobs
    assert (job.ran_seconds, job.gpus_milli, job.processors, job.memory_bytes) == (90, 460, 6, GIB)


def test_a_table_of_no_known_kind_is_told_which_columns_it_needs(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(tmp_path, "start,end\n1,2\n")
    assert "processors, ran_seconds, submitted_seconds" in refused.value.fix
    found = read(tmp_path, "submitted_seconds,ran_seconds,processors,gpus,user,work\n1,2,3,0.5,me,speech-training\n")
    assert found.jobs == [Recorded("2", 1.0, 2.0, 3, gpus_milli=500, words={"user": "me", "work": "speech-training"})]
    [row] = rows_on(found, Capacity(8, 4, 2**40), {})
    assert (row.owner, row.work) == ("me", "speech-training")
