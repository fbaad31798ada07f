"""Files that are not what they should be: each is refused with what would do, or its jobs are left out and counted."""

import contextlib
import gzip
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabriek.compute.capacity import Capacity
from fabriek.compute.power import Limit
from fabriek.compute.simulator.checking import check_names, warnings_of
from fabriek.compute.simulator.machines import limits_from, machine_from
from fabriek.compute.simulator.policies import policy_named
from fabriek.compute.simulator.recorded import BEGIN, DAMAGED_AMOUNT, NOT_RUN, WIDER, Reading, Recorded, pool, rows_on
from fabriek.compute.simulator.trace_files import read_trace
from fabriek.kernel.errors import InvalidInput
from tests.factories.replays import a_report

SWF = "{number} {submitted} 0 {ran} 4 -1 -1 {asked} {wanted} -1 1 7 8 -1 2 -1 -1 -1\n"
PLAIN = "submitted_seconds,ran_seconds,processors,gpus,wanted_seconds,nodes,memory_gib,name\n"


def swf(number: object = 1, *, submitted: object = 10, ran: object = 60, asked: object = 4, wanted: object = 90) -> str:
    return SWF.format(number=number, submitted=submitted, ran=ran, asked=asked, wanted=wanted)


def read(folder: Path, text: str | bytes) -> Reading:
    file = folder / "trace"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_trace(file)


HUGE = ["1e999", "-1e999", "nan", "NaN", "1e308", "-1e308", "1e30", "-1", "0", "1e-300", "9" * 400, "x", "", "0.5"]


@pytest.mark.parametrize("column", ["number", "submitted", "ran", "asked", "wanted"])
@pytest.mark.parametrize("value", HUGE, ids=lambda value: value[:8] or "empty")
def test_whatever_a_column_holds_the_other_jobs_are_replayed_and_this_one_is_counted(
    tmp_path: Path, column: str, value: str
) -> None:
    found = read(
        tmp_path,
        swf() + SWF.format(**{"number": 2, "submitted": 11, "ran": 60, "asked": 4, "wanted": 90} | {column: value}),
    )
    rows = rows_on(found, pool(8), {})
    assert rows
    assert len(rows) + found.skipped.total() == 2


@pytest.mark.parametrize("column", range(8))
@pytest.mark.parametrize("value", HUGE, ids=lambda value: value[:8] or "empty")
def test_the_same_of_a_table(tmp_path: Path, column: int, value: str) -> None:
    cells = ["11", "60", "4", "1", "90", "1", "2", "b"]
    cells[column] = value
    found = read(tmp_path, f"{PLAIN}10,60,4,1,90,1,2,a\n{','.join(cells)}\n")
    for capacity in (pool(8), Capacity(64, 8, 2**40, 2)):
        reading = Reading(list(found.jobs), found.skipped.copy())
        rows = rows_on(reading, capacity, {})
        assert rows
        assert len(rows) + reading.skipped.total() == 2


def test_why_a_job_is_left_out_is_said(tmp_path: Path) -> None:
    rows = [
        "10,60,4,1,90,1,2,a",
        "10,-60,4,,,,,b",
        "10,60,4,-1,,,,c",
        "10,60,4,,1e999,,,d",
        "nan,60,4,,,,,e",
        "10,60,9,,,,,f",
        "10,60,0,,,,,g",
    ]
    found = read(tmp_path, PLAIN + "\n".join(rows))
    assert len(rows_on(found, pool(8), {})) == 1
    assert dict(found.skipped) == {NOT_RUN: 2, DAMAGED_AMOUNT: 3, WIDER: 1}
    assert found.first == {NOT_RUN: 3, DAMAGED_AMOUNT: 4, WIDER: 0}


def test_parts_of_gpus_stay_parts(tmp_path: Path) -> None:
    found = read(tmp_path, PLAIN + "10,60,4,0.25,,,,a\n10,60,4,1.5,,,,b\n10,60,4,0.0004,,,,c\n")
    rows = rows_on(found, Capacity(64, 8, 2**40, 2), {})
    assert [row.shape.gpus.milli for row in rows] == [250, 2_000, 0]


def test_jobs_of_one_name_stay_two_and_times_that_are_not_in_order_are_put_in_order(tmp_path: Path) -> None:
    found = read(tmp_path, PLAIN + "500,60,1,,,,,same\n10,60,2,,,,,same\n")
    assert [one.name for one in found.jobs] == ["same:2", "same:3"]
    assert [row.shape.cpus for row in rows_on(found, pool(8), {})] == [2, 1]
    found = read(tmp_path, swf(7, submitted=500) + swf(7, submitted=10))
    assert [row.submitted_at - BEGIN for row in rows_on(found, pool(8), {})] == [
        timedelta(seconds=10),
        timedelta(seconds=500),
    ]
    assert len({one.name for one in found.jobs}) == 2


def test_an_interval_that_is_no_number_takes_nobody_along(tmp_path: Path) -> None:
    head = "u_id,user,gpu_num,cpu_num,node_num,interval,run_time,wall_time,new_status\n"
    found = read(
        tmp_path,
        head + "0,1,1,0,1,5,100,0,Pass\n1,2,1,0,1,nan,100,0,Pass\n2,2,1,0,1,1e999,100,0,Pass\n3,2,1,0,1,5,100,0,Pass\n",
    )
    assert [one.submitted_seconds for one in found.jobs] == [5, 10]
    assert found.skipped.total() == 2


PACKED = gzip.compress(swf().encode() * 500, mtime=0)


@pytest.mark.parametrize(("content", "says"), [
    (b"", "is empty"),
    (b"\x00\x01\x02\x03" * 500, "is no text"),
    ("1 2 3".encode("utf-16"), "is no text"),
    (b"\x7fELF\x02\x01\x01\x00" + bytes(range(256)), "is no text"),
    (gzip.compress(b"\x00\x01" * 99, mtime=0), "is no text"),
    (gzip.compress(b"", mtime=0), "no kind that is known"),
    (PACKED[:-20], "cannot be read"),
    (PACKED[: len(PACKED) // 2], "cannot be read"),
    (PACKED[:15] + b"\xff" * 30 + PACKED[45:], "cannot be read"),
    (b"\x1f\x8b", "cannot be read"),
    (b"submitted_seconds,ran_seconds,processors\n" + b"9" * 200_000 + b",1,1\n", "cannot be read"),
    (b"submitted_seconds,ran_seconds,processors,processors\n1,1,1,1\n", "two columns of the trace are called 'processors'"),
    (b"submitted_seconds,ran_seconds\n1,1\n", "as plain it lacks processors"),
    (b"user,gpu_num,cpu_num,interval,run_time,wall_time,new_status\n", "as philly it lacks node_num"),
    (b"cpu_milli,memory_mib,num_gpu,qos,creation_time,deletion_time,scheduled_time\n", "as alibaba-gpu it lacks gpu_milli"),
    (b"submitted_seconds,ran_seconds,processors\n", "no job that could be replayed"),
    (b"a" * 100_000, "no kind that is known"),
], ids=lambda one: one if isinstance(one, str) else "")  # fmt: skip
def test_a_file_that_is_no_trace_is_refused_shortly(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(tmp_path, content)
    assert says in refused.value.detail
    assert refused.value.fix
    assert len(refused.value.detail) < 700


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=300), st.text(alphabet="0123456789 .-;\n,eEnaN\"'", max_size=300).map(str.encode)))
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any-bytes"
    file.write_bytes(content)
    found = Reading()
    with contextlib.suppress(InvalidInput):
        found = read_trace(file)
    assert all(row.ran_seconds > 0 for row in rows_on(found, pool(8), {}))


@pytest.mark.parametrize("text", [
    b"from,to,kw\n5,5,4\n", b"from,to,kw\n1,2,nan\n", b"from,to,kw\n1,2,1e999\n", b"from,to,kw\n1,2,inf\n", b"from,to,kw\nnan,2,4\n",
    b"from,to,kw\n1,1e999,4\n", b"\xff\xfe\x00", b"from,to,kw\n" + b"9" * 200_000 + b",1,1\n", b"from,to,kw\n2026-01-05T17:00Z,2026-01-04T17:00Z,4\n",
])  # fmt: skip
def test_limits_that_cannot_be_are_refused(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "limits.csv"
    file.write_bytes(text)
    with pytest.raises(InvalidInput) as refused:
        limits_from(file)
    assert "limits.csv" in refused.value.detail


def test_limits_that_overlap_or_lie_where_no_job_is_are_said() -> None:
    def limit(first: float, last: float) -> Limit:
        return Limit(BEGIN + timedelta(hours=first), BEGIN + timedelta(hours=last), 1_000)

    placed = a_report([Recorded("a", 7_200, 7_200, 1)]).results[0].outcome.placed
    assert list(warnings_of([limit(0, 1), limit(2, 3)], placed)) == [
        "1 of 2 limits lie before the trace begins or after its last job ends: it goes from 2026-01-01 02:00 to 2026-01-01 04:00 UTC"
    ]
    assert list(warnings_of([limit(2, 4), limit(3, 5), limit(2.5, 2.75)], placed)) == [
        "2 limits begin before another has ended: where limits overlap, the lowest holds"
    ]
    assert list(warnings_of([limit(2, 3), limit(3, 4)], placed)) == []
    assert list(warnings_of([limit(0, 1)], [])) == []


def test_two_policies_of_one_name_are_refused() -> None:
    check_names(["easy", "mine"])
    with pytest.raises(InvalidInput, match="two policies are called easy"):
        check_names(["easy", "mine", "easy"])


@pytest.mark.parametrize(
    "text",
    [
        'colour = "red"\n',
        "[order]\ncolour = 1\n",
        '[[share]]\nname = "a"\npart = 0.4\n',
        "\x00",
        '[[share]]\nname = "a"\npart = nan\n',
    ],
)
def test_a_policy_file_that_does_not_add_up_or_says_what_nobody_knows_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(InvalidInput) as refused:
        policy_named(str(tmp_path / "mine.toml"))
    assert refused.value.fix


def test_a_machine_file_that_is_binary_is_refused(tmp_path: Path) -> None:
    (tmp_path / "machine.toml").write_bytes(b"\xff\x00\x01")
    with pytest.raises(InvalidInput):
        machine_from(tmp_path / "machine.toml")
