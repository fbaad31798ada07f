"""A card's head is read field by field, and whatever is none is named."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.kernel.errors import InvalidInput
from fabriek.knowledge.catalogue.cards import check_doi, read_card
from fabriek.knowledge.catalogue.entries import Face

CARD = """---
title: Biopsy measurements
summary: Thirty measurements of 569 biopsies.
license: CC-BY-4.0
tags: [biopsy, 2024]
language: en
doi: 10.24432/C5DW2B
authors: ["Wolberg, William", University of Wisconsin]
---
# What it is

Cells.
"""


def test_every_field_is_read() -> None:
    assert read_card(CARD) == Face(
        "Biopsy measurements", "Thirty measurements of 569 biopsies.", "CC-BY-4.0", "", ("biopsy", "2024"), "en", "# What it is\n\nCells.",
        "10.24432/C5DW2B", ("Wolberg, William", "University of Wisconsin"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("---\ntitle", "title", "no head"), ("title: B", "titel: B", "'titel'"), ("tags: [biopsy, 2024]", "tags: [biopsy]\nkeywords: [x]", "twice"),
        ("title: Biopsy measurements", "title: [a, b]", "one text"), ("tags: [biopsy, 2024]", "tags: [{a: b}]", "one text"),
        ("title: Biopsy measurements", "title: true", "one text"), ("title: Biopsy measurements", "title: *x", "not YAML"),
        ("title: Biopsy measurements", "title: !!python/object/apply:os.system [ls]", "not YAML"),
        ("Cells.", "x" * 20_001, "20,000"), ("Biopsy measurements", "x" * 10_001, "10,000"),
    ],
)  # fmt: skip
def test_a_slip_is_named(before: str, after: str, told: str) -> None:
    assert before in CARD
    with pytest.raises(InvalidInput, match=told):
        read_card(CARD.replace(before, after, 1))


@given(st.text(max_size=400))
def test_no_text_breaks_the_reader(text: str) -> None:
    for whole in (text, f"---\n{text}\n---\n", CARD.replace("Biopsy measurements", text)):
        with suppress(InvalidInput):
            assert isinstance(read_card(whole), Face)


@pytest.mark.parametrize(
    "said",
    [
        "10.24432/C5DW2B",
        "https://doi.org/10.24432/C5DW2B",
        "doi:10.24432/C5DW2B",
        " http://dx.doi.org/10.24432/C5DW2B ",
    ],
)
def test_a_doi_is_kept_without_its_address(said: str) -> None:
    assert check_doi(said) == "10.24432/C5DW2B"
    assert check_doi("") == ""


@pytest.mark.parametrize(
    "said", ["10.24432", "https://example.org/10.24432/C5", "10.24432/<script>", "javascript:alert(1)", "10.1/a b"]
)
def test_what_is_no_doi_is_refused(said: str) -> None:
    with pytest.raises(InvalidInput, match="no DOI"):
        check_doi(said)
