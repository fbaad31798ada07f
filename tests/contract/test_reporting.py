"""Reports, on both databases: every figure is the sum of the lines behind it, a past one never changes, and nobody is singled out."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.funding import ledger
from fabriek.funding.giving.quarters import Quarter
from fabriek.funding.ledger import Entry
from fabriek.funding.reporting.report import Report
from fabriek.funding.reporting.rows import OTHER, Dimension, Place, Row
from fabriek.funding.reporting.service import Opened
from fabriek.funding.reporting.uses import Facts
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted
from fabriek.kernel.units import MICRO
from tests.factories.bookkeeper import GPU, Bookkeeper
from tests.factories.services import a_town

Q4, Q1 = Quarter(2026, 4), Quarter(2027, 1)


@pytest.fixture
def keeper(database: Database, tmp_path: Path) -> Bookkeeper:
    return Bookkeeper(a_town(database, tmp_path / "home"))


def report(keeper: Bookkeeper, quarter: Quarter = Q4, by: Caller | None = None) -> Report:
    return keeper.services.reporting.of_share("nation", quarter, by=by or keeper.town.operator)


def hours(of: Report, row: Row, resource: Resource = GPU) -> Decimal:
    line = of.line(resource)
    return Decimal(line.rows[row] if line else 0) / MICRO


def opened(keeper: Bookkeeper, place: Place, quarter: Quarter = Q4, by: Caller | None = None) -> Opened:
    """All lines of a figure, page by page."""
    lines: list[tuple[Entry, int]] = []
    after = ""
    while True:
        page = keeper.services.reporting.open(
            "nation", quarter, place, after=after, limit=3, by=by or keeper.town.operator
        )
        lines += page.lines
        if not page.after:
            return Opened(place, page.total, lines, page.folded, page.folded_lines, "")
        after = page.after


def a_quarter(keeper: Bookkeeper) -> None:
    """Three organisations in health, one in energy; a hold that stands, and something in experts' hours."""
    for number, (name, sector) in enumerate((("a", "health"), ("b", "health"), ("c", "health"), ("d", "energy"))):
        made = keeper.award(name, 50, sector=sector, size="large" if name == "c" else "small")
        keeper.use(made, 10 + number, waited=100 * (number + 1), held=20)
    experts = keeper.award("a", 30, resource=Resource.EXPERT_HOUR)
    keeper.use(experts, 4, resource=Resource.EXPERT_HOUR, joules=0)


def test_the_figures_of_a_quarter(keeper: Bookkeeper) -> None:
    a_quarter(keeper)
    held = keeper.award("e", 20, sector="energy")
    project = keeper.services.access.project(held.project)
    keeper.services.funding.hold(project.id, project.purpose, GPU, 5 * MICRO, "job_h")
    found = report(keeper)
    assert [hours(found, row) for row in (Row.ENTITLED, Row.AWARDED, Row.USED, Row.HELD)] == [1000, 220, 46, 5]
    assert (hours(found, Row.UNAWARDED), hours(found, Row.UNSPENT)) == (780, 220 - 46 - 5)
    line = found.line(GPU)
    assert line is not None
    assert line.waited is not None
    assert (line.waited.jobs, line.waited.mean_seconds, line.waited.p95_seconds) == (4, 250, 400)
    assert line.energy_kwh == 4
    assert (found.organisations, found.smes, found.projects) == (4, 3, 5)
    assert hours(found, Row.USED, Resource.EXPERT_HOUR) == 4
    assert line.value is not None
    assert "Of this installation" in line.value.source
    assert found.value_euro == 46 * line.value.euro + 4 * 110


def test_every_figure_is_the_sum_of_the_lines_behind_it(keeper: Bookkeeper) -> None:
    a_quarter(keeper)
    late = keeper.award("f", 40)
    keeper.use(late, 3, ended_at=keeper.now() - timedelta(days=90))
    first = keeper.use(late, 7)
    keeper.to(date(2027, 1, 20))
    keeper.counter(first)
    keeper.use(late, 2, ended_at=keeper.now() - timedelta(days=40))
    keeper.use(keeper.award("a", 30), 5)
    for quarter in (Q4, Q1):
        found = report(keeper, quarter)
        for line in found.lines:
            for row, amount in line.rows.items():
                seen = opened(keeper, Place(row, line.resource), quarter)
                assert (seen.total, sum(counts for _, counts in seen.lines), seen.folded) == (amount, amount, 0), row
            for dimension, groups in line.groups.items():
                for group in groups:
                    seen = opened(keeper, Place(Row.USED, line.resource, dimension, group.word), quarter)
                    assert seen.total == sum(counts for _, counts in seen.lines) == group.amount, (dimension, group)
                assert sum(group.amount for group in groups) == line.rows[Row.USED]
    assert [hours(report(keeper), row) for row in (Row.LATE, Row.CORRECTED_USE)] == [3, 0]
    now = report(keeper, Q1)
    assert [hours(now, row) for row in (Row.USED, Row.LATE, Row.CORRECTED_USE)] == [7, 2, -7]


def test_a_past_quarter_never_changes_and_a_correction_says_that_it_is_one(keeper: Bookkeeper) -> None:
    a_quarter(keeper)
    wrong = keeper.use(keeper.award("g", 20), 6)
    keeper.to(date(2027, 1, 4))
    keeper.services.giving.keep_quarters()
    before = report(keeper)
    again = keeper.counter(wrong)
    keeper.use(keeper.award("a", 30), 5, ended_at=keeper.now() - timedelta(days=10))
    keeper.to(date(2027, 2, 1))
    after = report(keeper)
    assert [(one.rows, one.groups, one.waited, one.value_euro) for one in after.lines] == [
        (one.rows, one.groups, one.waited, one.value_euro) for one in before.lines
    ]
    assert hours(report(keeper, Q1), Row.CORRECTED_USE) == -6
    # The correction of a correction, in the quarter after.
    keeper.to(date(2027, 4, 2))
    keeper.counter(again)
    assert hours(report(keeper, Quarter(2027, 2)), Row.CORRECTED_USE) == 6
    assert keeper.services.funding.balanced()


def test_a_job_is_counted_once_however_often_it_settles(keeper: Bookkeeper) -> None:
    made = keeper.award("a", 10)
    project = keeper.services.access.project(made.project)
    held = keeper.services.funding.hold(project.id, project.purpose, GPU, 4 * MICRO, "job_1")
    for _ in range(3):
        keeper.services.funding.settle(held.job, 3 * MICRO, Facts(120, 7_200_000, keeper.now()))
    line = report(keeper).line(GPU)
    assert line is not None
    assert (line.rows[Row.USED], line.energy_kwh) == (3 * MICRO, 2)
    assert line.waited is not None
    assert line.waited.jobs == 1


def test_a_group_of_one_is_shown_with_another_so_that_nobody_subtracts(keeper: Bookkeeper) -> None:
    a_quarter(keeper)
    line = report(keeper).line(GPU)
    assert line is not None
    # Energy is one organisation's; alone in `other` the total less health would tell, so that health goes with it.
    assert [(one.word, one.amount, one.hidden) for one in line.groups[Dimension.SECTOR]] == [
        (OTHER, 46 * MICRO, ("energy", "health"))
    ]
    for name in ("e", "h"):
        keeper.use(keeper.award(name, 20, sector="energy"), 1)
    line = report(keeper).line(GPU)
    assert line is not None
    assert {one.word: one.amount for one in line.groups[Dimension.SECTOR]} == {
        "health": 33 * MICRO,
        "energy": 15 * MICRO,
    }


def test_a_funder_sees_its_own_share_and_no_line_of_a_suppressed_group(keeper: Bookkeeper) -> None:
    town = keeper.town
    europe, region = town.person("europe", "funder", kind="funder"), town.person("region", "funder", kind="funder")
    town.services.giving.contribute("europe", "eu", 10, {"gpu_hour": 2_000}, name="europe", by=town.operator)
    for name, sector, used in (("a", "health", 5), ("b", "health", 6), ("c", "energy", 3), ("d", "energy", 2), ("e", "space", 1)):  # fmt: skip
        keeper.use(keeper.award(name, 50, share="europe", sector=sector), used)
    reporting = town.services.reporting
    assert [one.name for one in reporting.shares(by=europe)] == ["europe"]
    assert reporting.shares(by=region) == []
    with pytest.raises(NotFound):
        reporting.of_share("nation", Q4, by=europe)
    with pytest.raises(NotFound):
        reporting.open("europe", Q4, Place(Row.USED, GPU), limit=10, by=region)
    with pytest.raises(NotPermitted):
        reporting.of_share("europe", Q4, by=town.person("weefsel"))
    seen = reporting.open("europe", Q4, Place(Row.USED, GPU), limit=100, by=europe)
    # Space is one organisation; energy goes with it.
    assert (seen.total, seen.folded, seen.folded_lines) == (17 * MICRO, 6 * MICRO, 3)
    assert sum(counts for _, counts in seen.lines) == 11 * MICRO
    group = reporting.open("europe", Q4, Place(Row.USED, GPU, Dimension.SECTOR, OTHER), limit=100, by=europe)
    assert (group.total, group.lines, group.folded) == (6 * MICRO, [], 6 * MICRO)
    with pytest.raises(InvalidInput, match="shows no group"):
        reporting.open("europe", Q4, Place(Row.USED, GPU, Dimension.SECTOR, "space"), limit=100, by=europe)
    whole = reporting.open("europe", Q4, Place(Row.USED, GPU), limit=100, by=town.person("auditors", "auditor"))
    assert (whole.folded, len(whole.lines)) == (0, 5)


def test_a_funder_reads_the_lines_of_its_own_share_and_no_others(keeper: Bookkeeper) -> None:
    town = keeper.town
    europe = town.person("europe", "funder", kind="funder")
    with pytest.raises(NotFound):
        town.services.funding.entries(account_name="", limit=9, by=europe)
    _, share = town.services.giving.contribute("europe", "eu", 10, {"gpu_hour": 200}, name="europe", by=town.operator)
    made = keeper.award("a", 50, share="europe")
    keeper.use(made, 5)
    found = town.services.funding.entries(account_name="", limit=9, by=europe)
    assert {one.account for one in found} == {f"share:{share.id}"}
    for other in (f"usage:{made.id}", f"allocation:{made.id}", "share:shr_x"):
        with pytest.raises(NotFound):
            town.services.funding.entries(account_name=other, limit=9, by=europe)
    assert town.services.funding.entries(account_name=f"usage:{made.id}", limit=9, by=town.operator)


def test_a_quarter_that_has_not_begun_has_no_report(keeper: Bookkeeper) -> None:
    with pytest.raises(InvalidInput, match="has not begun"):
        report(keeper, Q1)
    with pytest.raises(InvalidInput, match="has not begun"):
        keeper.services.reporting.of_year(2027, by=keeper.town.operator)
    with pytest.raises(InvalidInput, match="not a year"):
        keeper.services.reporting.of_year(0, by=keeper.town.operator)


def test_debts_and_what_comes_back_have_their_rows(keeper: Bookkeeper) -> None:
    made = keeper.award("a", 10)
    with keeper.services.database.transaction():
        keeper.books.post(ledger.owe("led_o", "owe:1", made.id, GPU, 2 * MICRO, keeper.now(), memo="went on"))
        keeper.books.post(
            ledger.take_back("led_t", "cut:1", made.share, made.id, {GPU: 4 * MICRO}, keeper.now(), memo="cut")
        )
    found = report(keeper)
    assert [hours(found, row) for row in (Row.OWED, Row.USED, Row.AWARDED, Row.RETURNED)] == [2, 2, 10, 4]
    for row in Row:
        seen = opened(keeper, Place(row, GPU))
        assert sum(counts for _, counts in seen.lines) == seen.total == int(hours(found, row) * MICRO), row


def test_a_project_sees_when_it_runs_out(keeper: Bookkeeper) -> None:
    made = keeper.award("a", 200, months=12)
    start = keeper.town.clock.today()
    for day in range(28):
        keeper.to(start + timedelta(days=day))
        keeper.use(made, 2)
    keeper.to(start + timedelta(days=28))
    [one] = keeper.services.reporting.burndown(made.project, by=SYSTEM)
    assert (one.left, one.forecast.weeks, one.forecast.each_week) == (144 * MICRO, 4, 14 * MICRO)
    assert one.forecast.on == start + timedelta(days=28 + 72)
    assert one.remaining[-1][1] == 144 * MICRO
    assert sum(used for _, used in one.daily) == 56 * MICRO


def test_what_was_sold_is_held_against_what_the_machine_gives(keeper: Bookkeeper) -> None:
    keeper.award("a", 800, months=1)
    [gpu] = [one for one in keeper.services.reporting.capacity(by=keeper.town.operator) if one.resource is GPU]
    assert not gpu.is_known
    assert gpu.dues[0].sold == 800 * MICRO
    keeper.award("b", 1000, resource=Resource.CPU_HOUR, months=1)
    found = {one.resource: one for one in keeper.services.reporting.capacity(by=keeper.town.operator)}
    cpu = found[Resource.CPU_HOUR].tightest
    assert cpu is not None
    assert (cpu.there, cpu.is_over) == (4 * 24 * 32 * MICRO, False)  # four CPUs, today and 31 days more
    funder = keeper.town.person("europe", "funder", kind="funder")
    with pytest.raises(NotFound):
        keeper.services.reporting.capacity(by=funder)
