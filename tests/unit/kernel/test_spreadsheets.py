"""No cell that a person wrote becomes a formula."""

import pytest

from fabriek.kernel.spreadsheets import shown_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\xa0=1", "\n=1"])
def test_a_formula_is_shown_and_not_computed(text: str) -> None:
    assert shown_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", "1-1", "p.jansen@hospital.example", " words "])
def test_words_stay_as_they_are(text: str) -> None:
    assert shown_cell(text) == text
