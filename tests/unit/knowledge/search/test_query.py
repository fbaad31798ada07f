"""What somebody types becomes words, phrases and filters, and never an operator."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.knowledge.search.query import CHARACTERS_MAX, WORDS_MAX, Query, folded, read_query, words_of


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Longscans van PATIËNTEN", Query(("longscans", "van", "patienten"))),
        ('"wind turbine" noise', Query(("noise",), (("wind", "turbine"),))),
        ('"wind" noise', Query(("wind", "noise"))),
        ("noise -wind", Query(("noise",), (), (("wind",),))),
        ('noise -"wind turbine"', Query(("noise",), (), (("wind", "turbine"),))),
        ("kind:Model language:nl x", Query(("x",), filters={"kind": "model", "language": "nl"})),
        ("http://example.org", Query(("http", "example", "org"))),
        ("-kind:model", Query((), (), (("kind", "model"),))),
        ('"open', Query(("open",))),
        ("- -- \" '", Query()),
        ("e-mail C++ v2.1", Query(("e", "mail", "c", "v2", "1"))),
    ],
)
def test_what_is_typed(text: str, query: Query) -> None:
    assert read_query(text) == query


def test_what_was_chosen_beside_the_text_wins() -> None:
    assert read_query("kind:model", {"kind": "dataset", "language": ""}).filters == {"kind": "dataset"}


@given(st.text(max_size=600))
def test_every_word_is_letters_and_digits_and_there_are_few(text: str) -> None:
    query = read_query(text)
    every = [*query.words, *(word for phrase in (*query.phrases, *query.without) for word in phrase)]
    assert all(word.isalnum() and word == word.lower() for word in every)
    assert len(query.words) <= WORDS_MAX


@pytest.mark.parametrize(
    "text", ['"' * 10**6, "-" * 10**6, "a:" * 10**6, "(a+)+" * 10**5, "a" * 10**6, "\u0301" * 10**6, " " * 10**6]
)
def test_a_bomb_is_read_at_once(text: str) -> None:
    begun = time.process_time()
    read_query(text)
    assert len(text[:CHARACTERS_MAX]) == CHARACTERS_MAX
    assert time.process_time() - begun < 5, "a bomb of this size would take hours, whatever the machine"


@given(st.text(max_size=200))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert words_of(" ".join(words_of(text))) == words_of(text)
    assert folded("Één") == "een"
