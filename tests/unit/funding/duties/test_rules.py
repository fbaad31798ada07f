"""The rows of duties and the texts of thanks: read whole, and every slip in them named."""

from datetime import date

import pytest

from fabriek.access.applying.answers import check_answers
from fabriek.access.applying.call_files import SHIPPED
from fabriek.funding.allocations import Allocation
from fabriek.funding.duties.acknowledgements import check_text, filled, spoken
from fabriek.funding.duties.rules import duties_of, shipped_duties
from fabriek.funding.giving.contributions import FunderKind
from fabriek.funding.giving.quarters import Quarter
from fabriek.kernel.errors import InvalidInput

ROWS = """
[[report]]
id = "r"
call = "harvest"
kind = "interim"
form = "interim"
days_after_start = 10
valid_from = 2026-01-01
source = "x"

[[extension]]
id = "e"
call = "harvest"
after = "interim"
months = 1
part = 0.5
valid_from = 2026-01-01
source = "x"

[[thanks]]
funder = "any"
nl = "x"
en = "x"
valid_from = 2026-01-01
source = "x"
"""


def an_award(
    call: str = "science", starts_on: date = date(2026, 1, 1), ends_on: date = date(2026, 6, 30)
) -> Allocation:
    return Allocation("alc_1", "prj_1", "shr_1", "app_1", starts_on, ends_on, call)


def test_science_reports_at_half_of_its_time_and_after_its_end_and_is_extended_by_a_tenth() -> None:
    rules = shipped_duties()
    assert [(one.kind, one.due_on(an_award())) for one in rules.of(an_award())] == [
        ("interim", date(2026, 4, 1)),
        ("final", date(2026, 9, 28)),
    ]
    extension = rules.extension_of(an_award())
    assert extension is not None
    assert (extension.months, extension.part) == (3, 100_000)
    assert rules.extension_of(an_award("playground")) is None
    assert rules.of(an_award(starts_on=date(2025, 1, 1))) == []


def test_every_call_asks_for_a_final_report_and_every_form_takes_its_own_examples() -> None:
    rules = shipped_duties()
    for call in SHIPPED:
        assert "final" in {one.kind for one in rules.of(an_award(call))}
    for form in rules.forms:
        check_answers(form, {one.name: one.example for one in form.fields if one.example is not None}, complete=True)


def test_the_row_of_the_first_day_holds_to_the_end() -> None:
    later = ROWS + ROWS.split("[[extension]]", maxsplit=1)[0].replace("= 10", "= 20").replace(
        "2026-01-01", "2026-02-01"
    )
    rules = duties_of(later, shipped_duties().forms)
    for starts, days in ((date(2026, 1, 15), 10), (date(2026, 2, 1), 20)):
        award = an_award("harvest", starts)
        (rule,) = rules.of(award)
        assert (rule.due_on(award) - starts).days == days


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("days_after_start = 10", "half = true\ndays_after_end = 3"),
        ("days_after_start = 10", ""),
        ("days_after_start = 10", "days_after_start = -1"),
        ("days_after_start = 10", "half = false"),
        ('kind = "interim"', 'kind = "weekly"'),
        ('form = "interim"', 'form = "other"'),
        ("months = 1", "months = 25"),
        ("months = 1\npart = 0.5", "months = 0\npart = 0"),
        ("part = 0.5", "part = 1.5"),
        ("part = 0.5", "part = -0.1"),
        ('after = "interim"', 'after = "weekly"'),
        ('funder = "any"', 'funder = "gold"'),
        ('nl = "x"', 'nl = "{all}"'),
        ("source =", "origin ="),
        ("valid_from = 2026-01-01", 'valid_from = "soon"'),
    ],
)
def test_a_slip_in_a_row_is_named(was: str, becomes: str) -> None:
    assert was in ROWS
    with pytest.raises(InvalidInput):
        duties_of(ROWS.replace(was, becomes), ())


@pytest.mark.parametrize("head", ["report", "extension", "thanks"])
def test_two_rows_that_would_hold_at_once_are_refused(head: str) -> None:
    row = next(f"[[{one}" for one in ROWS.split("[[") if one.startswith(head))
    with pytest.raises(InvalidInput, match="same day"):
        duties_of(ROWS + "\n" + row, ())


def test_thanks_fall_back_on_the_row_for_any_funder_and_fill_in_each_word_once() -> None:
    rules = shipped_duties()
    eu, other = rules.thanks_of(FunderKind.EU, date(2026, 1, 1)), rules.thanks_of(FunderKind.REGIONAL, date(2026, 1, 1))
    assert (eu.funder, other.funder) == ("eu", "any")
    assert filled("{project}: {hours}", {"project": "{hours}", "hours": "5"}) == "{hours}: 5"
    quarters = [Quarter(2026, 3), Quarter(2026, 4), Quarter(2027, 1)]
    assert [spoken(quarters[:count], "nl") for count in range(4)] == [
        "", "2026Q3", "2026Q3 en 2026Q4", "2026Q3, 2026Q4 en 2027Q1",
    ]  # fmt: skip
    check_text("{hours} in {quarters}, {project}, {funder}")
    with pytest.raises(InvalidInput):
        rules.thanks_of(FunderKind.EU, date(2024, 1, 1))
