"""Tables and the folder they go to: read back, the same again, whole or not there, and never over what others left."""

import csv
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fabriek.compute.power import draw
from fabriek.compute.simulator.drawing import steps_of
from fabriek.compute.simulator.reporting.folders import PAGE, check_folder, whole
from fabriek.compute.simulator.reporting.results import Report
from fabriek.compute.simulator.reporting.tables import JOBS, POWER, SHARES
from fabriek.compute.simulator.reporting.writing import write_report
from fabriek.kernel.errors import AlreadyExists, InvalidInput
from tests.factories.replays import GPU_NODES, a_report, recorded


def written(report: Report, folder: Path, *, force: bool = False) -> Path:
    with whole(folder, force=force) as aside:
        assert write_report(report, aside)
    return folder


def test_parquet_holds_each_job_each_step_of_power_and_of_each_share(tmp_path: Path) -> None:
    report = a_report(recorded(gpus_milli=2_000), capacity=GPU_NODES, contract=900)
    written(report, tmp_path / "out")
    jobs, power, shares = (pq.read_table(tmp_path / "out" / f"{name}.parquet") for name in ("jobs", "power", "shares"))
    assert [list(JOBS), list(POWER), list(SHARES)] == [jobs.column_names, power.column_names, shares.column_names]
    rows = [row for row in jobs.to_pylist() if row["policy"] == "mine"]
    placed = {report.name_of(one.row.job): one for one in report.results[0].outcome.placed}
    assert len(rows) == len(placed) == 20
    for row in rows:
        one = placed[row["job"]]
        assert (row["share"], row["started"], row["ended"], row["nodes"]) == (
            one.row.share,
            one.started_at,
            one.ended_at,
            one.row.shape.nodes,
        )
        assert (row["cpus"], row["gpus"]) == (one.row.shape.cpus_in_all, one.row.shape.gpus_milli_in_all / 1_000)
        assert row["watts"] == draw(one.row.shape, report.machine.table)
        assert row["wait_seconds"] == (row["started"] - row["submitted"]).total_seconds()
        assert row["slowdown"] >= 1
        assert bool(":" in row["placement"]) == bool(row["gpus"])
    steps = [(row["start"], row["watts"], row["allowed_watts"]) for row in power.to_pylist() if row["policy"] == "easy"]
    assert steps == [
        (one.start, one.watts, one.allowed) for one in steps_of(report.results[1].outcome.placed, report.machine)
    ]
    used: dict[str, float] = {}
    for row in shares.to_pylist():
        if row["policy"] == "mine":
            assert row["part"] == 0.5
            hours = (row["end"] - row["start"]).total_seconds() / 3_600
            used[row["share"]] = used.get(row["share"], 0) + row["used"] * hours
    assert used == pytest.approx(report.results[0].outcome.used_by_share)


def test_the_same_replay_is_the_same_bytes_and_takes_the_place_of_the_earlier_one(tmp_path: Path) -> None:
    first = {file.name: file.read_bytes() for file in written(a_report(), tmp_path / "out").iterdir()}
    assert sorted(first) == ["figures.csv", "jobs.parquet", "power.parquet", PAGE, "shares.parquet"]
    again = {file.name: file.read_bytes() for file in written(a_report(), tmp_path / "out").iterdir()}
    assert again == first
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_without_pyarrow_the_tables_are_csv_and_words_of_others_are_not_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert not write_report(a_report(recorded(name="=1+1")), tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "figures.csv",
        "jobs.csv",
        "power.csv",
        PAGE,
        "shares.csv",
    ]
    with (tmp_path / "jobs.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 40
    assert all(row["job"].startswith("'=1+1") for row in rows)


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    target = written(a_report(), tmp_path / "out")
    before = (target / PAGE).read_bytes()
    with pytest.raises(RuntimeError), whole(target, force=False) as aside:
        (aside / PAGE).write_text("half")
        raise RuntimeError
    with pytest.raises(RuntimeError), whole(tmp_path / "new", force=False) as aside:
        (aside / PAGE).write_text("half")
        raise RuntimeError
    assert (target / PAGE).read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_what_others_left_is_refused_and_kept_also_when_forced(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    check_folder(target, force=False)
    (target / "thesis.tex").write_text("years of work")
    with pytest.raises(AlreadyExists):
        check_folder(target, force=False)
    written(a_report(), target, force=True)
    assert (target / "thesis.tex").read_text() == "years of work"
    assert (target / PAGE).is_file()
    # A report with something of others beside it is theirs too.
    with pytest.raises(AlreadyExists):
        check_folder(target, force=False)


def test_a_page_that_is_not_ours_and_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / PAGE).write_text("<title>a report of another kind</title>")
    with pytest.raises(AlreadyExists):
        check_folder(tmp_path / "theirs", force=False)
    with pytest.raises(InvalidInput):
        check_folder(tmp_path / "theirs" / PAGE, force=True)
