"""Cards of base models, as people write them and as nobody should."""

import json

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.base_models.cards import FACTS_CHARACTERS_MAX, licence_of, read_card, tags_of, word_of


def a_card(head: str, text: str = "# Hello\n") -> str:
    return f"---\n{head}\n---\n{text}"


def test_a_card_is_facts_and_text() -> None:
    card = read_card(
        a_card("license: apache-2.0\nlanguage: [nl, en]\ndate: 2026-01-02\nscore: .inf\nmodel-index: [{name: x}]")
    )
    assert (card.licence, card.text) == ("apache-2.0", "# Hello\n")
    assert card.facts["date"] == "2026-01-02"
    json.dumps(card.facts, allow_nan=False)
    assert tags_of(card.facts, card.licence) == ["nl", "en", "license:apache-2.0"]
    assert word_of(card.facts, "pipeline_tag") is None


@pytest.mark.parametrize(
    ("head", "licence"),
    [
        ("license: mit", "mit"),
        ("license: [mit, apache-2.0]", "mit, apache-2.0"),
        ("license: other\nlicense_name: acme-community", "acme-community"),
        ("license: Other", "Other"),
        ("license: ''", ""),
        ("license: 5", ""),
        ("license: {a: b}", ""),
        ("title: x", ""),
        ("", ""),
    ],
)
def test_the_licence_that_a_card_names(head: str, licence: str) -> None:
    assert read_card(a_card(head)).licence == licence


@pytest.mark.parametrize(
    "text", ["", "# Hello\n", "---\nnever closed", "text\n---\nlicense: mit\n---\n", "----\nlicense: mit\n---\n"]
)
def test_a_card_without_a_head_is_text(text: str) -> None:
    card = read_card(text)
    assert (card.facts, card.licence, card.text) == ({}, "", text)
    with pytest.raises(InvalidInput, match="nobody says"):
        licence_of(card, " ")
    assert licence_of(card, " mit ") == "mit"


def test_lines_end_as_they_end_elsewhere() -> None:
    assert read_card("\ufeff---\r\nlicense: mit\r\n---\r\n# Hello\r\n").licence == "mit"


@pytest.mark.parametrize(
    "head",
    [
        "- a\n- b",
        "just words",
        "license: [",
        "license: !!python/object/apply:os.system ['true']",
        "a: &x [1]\nb: *x",
        "a: &x [b, b]\nc: &y [*x, *x, *x]\nd: [*y, *y, *y]",
        "a: " + "[" * 500 + "]" * 500,
        "a: " + "{b: " * 50 + "c" + "}" * 50,
        "x: " + "y" * FACTS_CHARACTERS_MAX,
        "x: " + "[" * 90_000,
        "x: [" + "1," * 90_000 + "]",
    ],
    ids=lambda head: head[:16],
)
def test_a_head_that_would_do_more_than_say_something_is_refused(head: str) -> None:
    with pytest.raises(InvalidInput):
        read_card(a_card(head))


def test_a_card_with_a_thousand_scores_is_read() -> None:
    scores = "\n".join(f"    - type: cos_sim\n      value: {number}.5" for number in range(2_000))
    card = read_card(a_card(f"license: mit\nmodel-index:\n- name: x\n  results:\n  - metrics:\n{scores}"))
    assert len(card.facts["model-index"][0]["results"][0]["metrics"]) == 2_000


def test_a_licence_is_a_name() -> None:
    for said in ("x" * 101, "mit\nand more", "mit\x1b[31m"):
        with pytest.raises(InvalidInput):
            licence_of(read_card(""), said)
