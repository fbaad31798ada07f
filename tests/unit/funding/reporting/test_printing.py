"""Reports on paper and as a sheet: tagged, with words for every chart, and nothing that was written by others is obeyed."""

import csv
import io
from datetime import timedelta

from pypdf import PdfReader

from fabriek.funding.allocations import Allocation
from fabriek.funding.giving.quarters import Quarter
from fabriek.funding.ledger import Kind, account
from fabriek.funding.reporting.periods import of_quarter
from fabriek.funding.reporting.printing import printed, printed_page
from fabriek.funding.reporting.report import Gathered, Moved, Report, Wait, report_of
from fabriek.funding.reporting.sheets import as_csv
from fabriek.funding.reporting.telling import told
from fabriek.funding.reporting.values import shipped_values
from fabriek.funding.resources import Resource
from fabriek.kernel.units import MICRO
from tests.unit.funding.reporting.test_public import PERIOD, a_page

HOSTILE = '=cmd|x #read("/etc/passwd") *bold*'


def a_report() -> Report:
    period = of_quarter(Quarter(2026, 4), PERIOD.start.tzinfo)  # type: ignore[arg-type]  # the zone it was made with
    allocations = [
        Allocation(
            f"alc_{one}", f"prj_{one}", "shr_1", f"app_{one}", period.first, period.last, HOSTILE, "civilian", f"org_{one}",
            ("health", "energy")[one % 2], "drenthe", "small",
        )
        for one in range(6)
    ]  # fmt: skip
    moved = [Moved(account(Kind.USAGE, one.id), Resource.GPU_HOUR, "settle", 1_234 * MICRO) for one in allocations]
    moved.append(Moved(account(Kind.SHARE, "shr_1"), Resource.GPU_HOUR, "grant", 99_000 * MICRO))
    waits = [Wait("shr_1", Resource.GPU_HOUR, 600, 3, 10**9) for _ in allocations]
    gathered = Gathered(moved, (), (), {}, waits)
    return report_of("europe", {"shr_1"}, period, gathered, allocations, shipped_values(), period.end + timedelta(1))


def test_a_report_on_paper_is_tagged_and_every_chart_has_words() -> None:
    found = told(a_report())
    pdf = printed(found)
    reader = PdfReader(io.BytesIO(pdf))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"] == "en"
    text = "".join("".join(page.extract_text() for page in reader.pages).split())
    for said in (
        "Reportonshareeurope,2026Q4",
        "99,000",
        "7,404",
        "health",
        "50%",
        "Valueinkind",
        "".join(HOSTILE.split()),
    ):
        assert said in text, said
    alts = _alts(reader.trailer["/Root"]["/StructTreeRoot"])
    for line in found.lines:
        for one in line.breakdowns:
            assert one.alt in alts
    assert pdf == printed(told(a_report()))


def test_the_page_for_all_is_one_page_in_dutch() -> None:
    reader = PdfReader(io.BytesIO(printed_page(a_page(20_000))))
    assert len(reader.pages) == 1
    assert reader.trailer["/Root"]["/Lang"] == "nl"
    assert "600.000chipuren" in "".join(reader.pages[0].extract_text().split())


def test_a_sheet_has_every_figure_and_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(a_report()))))
    used = [one for one in rows if one["figure"] == "used"]
    assert [(one["resource"], one["amount"], one["unit"]) for one in used] == [("gpu_hour", "7404", "GPU-hours")]
    assert {one["group"] for one in rows if one["figure"] == "used by call"} == {f"'{HOSTILE}"}
    assert all(not cell.startswith(("=", "+", "@")) for one in rows for cell in one.values())


def _alts(node: object, depth: int = 0) -> set[str]:
    """Every text alternative in the tree of tags."""
    thing = node.get_object() if hasattr(node, "get_object") else node
    if depth > 40:
        return set()
    if isinstance(thing, list):
        return set().union(*(_alts(one, depth + 1) for one in thing)) if thing else set()
    if not isinstance(thing, dict):
        return set()
    own = {str(thing["/Alt"])} if "/Alt" in thing else set()
    return own | (_alts(thing["/K"], depth + 1) if "/K" in thing else set())
