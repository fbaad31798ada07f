from dataclasses import dataclass
from datetime import date

import pytest

from fabriek.kernel.dated import by_name, in_force, read_rows
from fabriek.kernel.errors import InvalidInput


@dataclass(frozen=True)
class Row:
    valid_from: date
    value: int


ROWS = (Row(date(2026, 1, 1), 1), Row(date(2026, 6, 1), 2), Row(date(2026, 3, 1), 3), Row(date(2026, 6, 1), 4))


def test_the_newest_row_whose_day_has_come_counts_in_whatever_order_they_stand() -> None:
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 5, 31), date(2026, 6, 1)]
    found = [in_force(ROWS, day) for day in days]
    assert [row.value if row else None for row in found] == [None, 1, 3, 4]


@dataclass(frozen=True)
class Titled:
    name: str
    valid_from: date


def test_of_each_name_the_row_in_force_counts_in_the_order_of_the_file() -> None:
    rows = [
        Titled("late", date(2027, 1, 1)), Titled("both", date(2026, 1, 1)), Titled("one", date(2026, 1, 1)), Titled("both", date(2026, 6, 1)),
    ]  # fmt: skip
    assert list(by_name(rows, date(2026, 7, 1)).items()) == [("both", rows[3]), ("one", rows[2])]
    assert by_name(rows, date(2026, 2, 1)) == {"both": rows[1], "one": rows[2]}


@pytest.mark.parametrize(
    "text",
    ["rate = [1]", "[[rate]]", '[[rate]]\nvalid_from = "2026-01-01"', "[[rate]]\nvalid_from = 2026-01-01T10:00:00"],
)
def test_a_row_without_a_day_or_a_source_is_refused_by_its_number(text: str) -> None:
    with pytest.raises(InvalidInput, match="number 1"):
        read_rows(text, "rate", dict)


def test_a_file_that_is_not_toml_is_refused_with_the_line() -> None:
    with pytest.raises(InvalidInput, match="line 1"):
        read_rows("rate = = 1\n", "rate", dict)


def test_a_file_that_holds_rows_of_two_heads_may_lack_one_and_holds_no_third() -> None:
    row = 'valid_from = 2026-01-01\nsource = "a meter"\n'
    both = f"[[rate]]\n{row}[[other]]\n{row}"
    assert [len(read_rows(both, head, dict, beside=("rate", "other"))) for head in ("rate", "other")] == [1, 1]
    assert read_rows(f"[[other]]\n{row}", "rate", dict, beside=("other",)) == ()
    for text in ("", f"[[others]]\n{row}", f"{both}[[others]]\n{row}"):
        with pytest.raises(InvalidInput):
            read_rows(text, "rate", dict, beside=("other",))
