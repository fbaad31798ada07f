"""A report by commands, over jobs that ran: its figures, the lines behind them, on paper, for a spreadsheet, and the page for all."""

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from fabriek.kernel.clock import SystemClock
from tests.servers.factory import Running, quickstarted, why_no_jobs


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[Running]:
    if reason := why_no_jobs():
        pytest.skip(reason)

    with quickstarted(tmp_path / "home") as running:
        yield running


def test_a_job_that_ran_is_in_the_report_with_its_wait_and_its_lines(factory: Running, tmp_path: Path) -> None:
    assert factory.run("run", "--wait", "--", "sleep", "1").returncode == 0
    share = json.loads(factory.run("funding", "shares", "--json").stdout)[0]["name"]
    today = SystemClock().today()
    quarter = f"{today.year}Q{(today.month + 2) // 3}"
    told = factory.run("report", "funder", share, "--quarter", quarter, "--json")
    assert told.returncode == 0, told.stderr
    report = json.loads(told.stdout)
    line = next(one for one in report["lines"] if one["resource"] == "cpu_hour")
    assert Decimal(line["rows"]["used"]) > 0
    assert line["jobs"] == 1
    assert line["waited_mean_seconds"] is not None
    # The quickstart has one organisation: no group of it is named.
    assert {group["word"] for groups in line["groups"].values() for group in groups} == {"other"}
    opened = ("report", "funder", share, "--quarter", quarter, "--entries", "used", "--resource", "cpu_hour")
    lines = json.loads(factory.run(*opened, "--json").stdout)
    assert (
        sum(Decimal(one["amount"]) for one in lines["items"])
        == Decimal(lines["total"])
        == Decimal(line["rows"]["used"])
    )
    assert "cpu_hour in all" in factory.run(*opened).stdout
    sheet, paper, page = tmp_path / "r.csv", tmp_path / "r.pdf", tmp_path / "p.pdf"
    made = factory.run("report", "funder", share, "--quarter", quarter, "--csv", str(sheet), "--pdf", str(paper))
    assert made.returncode == 0, made.stderr
    rows = list(csv.DictReader(io.StringIO(sheet.read_text())))
    assert [one["amount"] for one in rows if (one["resource"], one["figure"]) == ("cpu_hour", "used")] == [
        line["rows"]["used"]
    ]
    assert paper.read_bytes().startswith(b"%PDF")
    assert factory.run("report", "public", "--year", str(today.year), "--pdf", str(page)).returncode == 0
    assert page.read_bytes().startswith(b"%PDF")
    assert "Er deed 1 organisatie mee." in factory.run("report", "public", "--year", str(today.year)).stdout
    assert "no forecast yet" in factory.run("project", "burndown").stdout
    assert "cpu_hour" in factory.run("funding", "capacity").stdout
    for words, code in (
        (("report", "funder", share, "--quarter", "2026Q5"), 2),
        (("report", "funder", share, "--quarter", "9998Q1"), 2),
        (("report", "funder", "nobody", "--quarter", quarter), 3),
        (("report", "funder", share, "--quarter", quarter, "--entries", "gold"), 2),
        (("report", "funder", share, "--quarter", quarter, "--pdf", "/nowhere/r.pdf"), 2),
    ):
        assert factory.run(*words).returncode == code, words
