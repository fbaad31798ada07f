"""The ledger as a file, on both databases: whole, balanced, safe in a spreadsheet, and equal to the ledger."""

import csv
import io
import json
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.funding import ledger
from fabriek.funding.exporting.service import Exporting
from fabriek.funding.exporting.store import SqlExports
from fabriek.funding.resources import Resource
from fabriek.funding.store import SqlLedger
from fabriek.kernel.errors import Damaged, InvalidInput, NotPermitted
from fabriek.kernel.purposes import Purpose
from fabriek.kernel.units import MICRO
from fabriek.sdk.ledger_file import check_export
from tests.factories.services import Town, a_town

GPU = Resource.GPU_HOUR
HOSTILE = '=HYPERLINK("https://evil.example","x")\r\n# {"manifest":"mine"}'


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    """With a project that ran jobs, and a correction whose words somebody wrote with intent."""
    made = a_town(database, tmp_path / "home")
    funding = made.services.funding
    project = made.services.access.project(made.project(made.person("weefsel"), gpu_hours=100)).id
    for number in range(5):
        funding.hold(project, Purpose.CIVILIAN, GPU, 2 * MICRO, f"job_{number}")
        funding.settle(f"job_{number}", MICRO)
        made.clock.sleep(60)
    books = SqlLedger(database)
    with books.transaction():
        first = next(one.transaction for one in books.entries(account="", limit=100) if one.memo == "settle")
        books.post(ledger.counter("led_z", books.posting(first), made.clock.now(), memo=HOSTILE))
    return made


def written(town: Town, database: Database, form: str, quarter: str = "") -> str:
    """In pages of three, so that postings lie across their edges."""
    exporting = Exporting(
        SqlExports(database), SqlLedger(database), town.services.audit, town.clock, zone=town.services.exporting._zone, page=3
    )  # fmt: skip
    return "".join(exporting.export(form, quarter, by=town.operator))


def rows_of(text: str, form: str) -> list[dict[str, str]]:
    *lines, _ = text.splitlines()
    if form == "jsonl":
        return [json.loads(line) for line in lines]
    return list(csv.DictReader(io.StringIO("\n".join(lines))))


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_file_gives_back_every_balance_and_is_whole(
    town: Town, database: Database, tmp_path: Path, form: str
) -> None:
    text = written(town, database, form)
    rows = rows_of(text, form)
    balances: dict[tuple[str, str], int] = defaultdict(int)
    postings: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        balances[row["account"], row["resource"]] += int(row["amount_micro"])
        postings[row["transaction"], row["resource"]] += int(row["amount_micro"])
    assert not any(postings.values())
    kept = {(name, str(resource)): amount for (name, resource), amount in SqlLedger(database).balances().items()}
    assert balances == kept
    (tmp_path / "file").write_text(text, newline="")
    manifest = check_export(tmp_path / "file")
    assert manifest["entries"] == len(rows) == len({row["id"] for row in rows})
    assert set(manifest["sum_micro"].values()) == {0}
    assert manifest["moved_micro"]["gpu_hour"] == sum(
        max(0, int(row["amount_micro"])) for row in rows if row["resource"] == "gpu_hour"
    )
    actions = [one.action for one in town.services.audit.events(by=town.operator, limit=3).items]
    assert "funding.exported" in actions


def test_no_cell_is_a_formula_nor_a_line_of_its_own(town: Town, database: Database) -> None:
    rows = rows_of(written(town, database, "csv"), "csv")
    memos = [row["memo"] for row in rows if "HYPERLINK" in row["memo"]]
    assert memos
    assert all(memo.startswith("'=") for memo in memos)
    for row in rows:
        for name, cell in row.items():
            assert name == "amount_micro" or not cell.startswith(("=", "+", "-", "@", "#"))
    assert HOSTILE in {row["memo"] for row in rows_of(written(town, database, "jsonl"), "jsonl")}


def test_a_quarter_holds_whole_postings_of_its_days_and_no_other(town: Town, database: Database) -> None:
    before = rows_of(written(town, database, "csv", "2026Q4"), "csv")
    assert before == rows_of(written(town, database, "csv"), "csv")
    town.clock.sleep(timedelta(days=60).total_seconds())
    hours = {"gpu_hour": 5}
    town.services.giving.contribute("factory", "national", 1, hours, by=town.operator)
    assert rows_of(written(town, database, "csv", "2026Q4"), "csv") == before
    assert len(rows_of(written(town, database, "csv", "2027q1"), "csv")) == 2
    assert rows_of(written(town, database, "csv", "2025Q1"), "csv") == []


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_what_was_cut_changed_or_added_to_is_told(town: Town, database: Database, tmp_path: Path, form: str) -> None:
    text = written(town, database, form)
    lines = text.splitlines(keepends=True)
    file = tmp_path / "file"
    for spoilt in (
        "".join(lines[:-1]),
        "".join(lines[:2] + lines[3:]),
        "".join(lines[:2] + lines[1:]),
        text.replace("1000000", "1000001", 1),
        text[: len(text) // 2],
        "",
        lines[-1],
        text + lines[-1],
    ):
        file.write_text(spoilt, newline="")
        with pytest.raises(Damaged, match="not whole"):
            check_export(file)
    with pytest.raises(InvalidInput):
        check_export(tmp_path / "none")


def test_only_who_sees_all_funding_takes_it_and_words_are_checked(town: Town) -> None:
    exporting = town.services.exporting
    funder = town.person("region", "funder", kind="funder")
    for by in (town.person("weefsel"), funder):
        with pytest.raises(NotPermitted):
            exporting.export(by=by)
        with pytest.raises(NotPermitted):
            exporting.page("", "", 5, by=by)
        with pytest.raises(NotPermitted):
            town.services.bridge.totals(by=by)
    assert town.services.funding.allocations(by=funder) == []
    with pytest.raises(InvalidInput):
        exporting.export("xls", by=town.operator)
    with pytest.raises(InvalidInput):
        exporting.export("csv", "../../etc", by=town.operator)
