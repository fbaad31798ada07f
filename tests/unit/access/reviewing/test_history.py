"""What is exported, and to whom."""

from datetime import UTC, datetime

import pytest

from fabriek.access.reviewing.history import Reader, Shown, Step, as_csv, readable

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


def step(act: str, person: str, part: str, shown: Shown, words: str = "") -> Step:
    return Step("stp_1", "app_1", AT, act, person, part, "experts", words, shown)


STEPS = [
    step("submitted", "ann", "applicant", Shown.ALL),
    step("assigned", "rev", "reviewer", Shown.STAFF, "ex1"),
    step("assigned", "rev", "reviewer", Shown.STAFF, "ex2"),
    step("assessed", "ex1", "expert", Shown.AUTHOR),
    step("asked", "rev", "reviewer", Shown.ALL, "Why?"),
]
NAMES = {"ann": "Ann", "rev": "Rev", "ex1": "Ex One", "ex2": "Ex Two"}


@pytest.mark.parametrize(
    ("person", "staff", "expert", "all_in", "acts"),
    [
        ("ann", False, False, True, ["submitted", "asked"]),
        ("rev", True, False, False, ["submitted", "assigned", "assigned", "asked"]),
        ("ex1", True, True, False, ["submitted", "assessed", "asked"]),
        ("ex2", True, True, False, ["submitted", "asked"]),
        ("ex2", True, True, True, ["submitted", "assigned", "assigned", "assessed", "asked"]),
    ],
)
def test_each_reader_sees_their_part(person: str, *, staff: bool, expert: bool, all_in: bool, acts: list[str]) -> None:
    rows = readable(STEPS, Reader(person, staff, expert, all_in, NAMES))
    assert [row["act"] for row in rows] == acts
    if not staff:
        assert [row["by"] for row in rows] == ["Ann", "a reviewer"]


@pytest.mark.parametrize("words", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =HYPERLINK(1)", "\r=1"])
def test_no_cell_is_a_formula(words: str) -> None:
    rows = readable([step("asked", "rev", "reviewer", Shown.ALL, words)], Reader("ann", False, False, False, {}))
    assert f'"\'{words}"' in as_csv(rows)
    assert as_csv([dict(rows[0], words="plain")]).count("'") == 0
