"""`fabriek simulate --out` as a person gives it."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.servers.factory import COMMAND

TRACE = "".join(f"{n} {n * 60} 0 3600 {1 + n % 4} -1 -1 -1 7200 -1 1 7 {n % 2} -1 2 -1 -1 -1\n" for n in range(30))
MINE = 'by = "group"\n[[share]]\nname = "defence"\npart = 0.2\nof = [1]\n[[share]]\nname = "others"\npart = 0.8\n'


def simulate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "simulate", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "trace.swf").write_text(TRACE + "1 2 three\n")
    (tmp_path / "mine.toml").write_text(MINE)
    (tmp_path / "limits.csv").write_text("from,to,kw\n0,3600,1\n-7200,-3600,1\n")
    return tmp_path


def test_a_report_is_written_and_said_and_the_same_the_next_time(files: Path) -> None:
    asked = (
        "trace.swf",
        "--procs",
        "8",
        "--policy",
        "mine.toml",
        "--compare",
        "easy",
        "--power",
        "limits.csv",
        "--out",
        "report",
    )
    done = simulate(files, *asked)
    assert done.returncode == 0, done.stderr
    assert "written: report/report.html" in done.stdout
    assert "1 of 2 limits lie before the trace begins" in done.stderr
    first = {one.name: one.read_bytes() for one in (files / "report").iterdir()}
    page = first["report.html"].decode()
    assert "defence: part of the machine in use" in page
    assert "a line that is not 18 numbers" in page
    told = simulate(files, *asked, "--json")
    assert json.loads(told.stdout)["compared"][0]["policy"] == "easy"
    assert {one.name: one.read_bytes() for one in (files / "report").iterdir()} == first


def test_what_cannot_be_is_refused_before_anything_is_written(files: Path) -> None:
    (files / "mine").mkdir()
    (files / "mine" / "thesis.tex").write_text("years of work")
    done = simulate(files, "trace.swf", "--procs", "8", "--out", "mine")
    assert (done.returncode, "--force" in done.stderr) == (6, True)
    assert simulate(files, "trace.swf", "--procs", "8", "--out", "mine", "--force").returncode == 0
    assert sorted(one.name for one in (files / "mine").iterdir())[-1] == "thesis.tex"
    assert simulate(files, "--out", "new").returncode == 2
    assert simulate(files, "trace.swf", "--procs", "8", "--compare", "default", "--out", "new").returncode == 2
    assert not (files / "new").exists()
