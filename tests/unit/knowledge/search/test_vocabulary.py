"""What a word also stands for, how it may have been meant, and how it goes on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.knowledge.search.vocabulary import NEAR_MAX, Vocabulary

THERE = Vocabulary({
    "ziekenhuis": 9, "ziekenhuizen": 4, "meting": 3, "metingen": 8, "gegevens": 5, "gegeven": 1, "biopsy": 2, "biopsies": 3, "measured": 2,
    "measures": 1, "long": 4, "kanker": 4, "longkanker": 1, "beelden": 6, "verzekering": 1, "maatschappij": 1, "vibration": 1, "2024": 7, "2025": 1,
})  # fmt: skip


@pytest.mark.parametrize(
    ("word", "family"),
    [
        ("ziekenhuis", {"ziekenhuizen"}), ("meting", {"metingen"}), ("gegevens", {"gegeven"}), ("biopsy", {"biopsies"}),
        ("measure", {"measured", "measures"}), ("2024", set()), ("nothing", set()),
    ],
)  # fmt: skip
def test_a_word_stands_for_its_family_in_both_languages(word: str, family: set[str]) -> None:
    assert set(THERE.family(word)) == family


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("metingn", ("metingen", "meting")), ("vibraton", ("vibration",)), ("vbration", ("vibration",)), ("kankr", ("kanker",)), ("2023", ()),
        ("lon", ()), ("xyzzyq", ()), ("izekenhuis", ("ziekenhuis",)),
    ],
)  # fmt: skip
def test_what_was_mistyped_is_known_for_what_was_meant(word: str, near: tuple[str, ...]) -> None:
    assert THERE.near(word) == near


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("longbeelden", ("long", "beelden")), ("verzekeringsmaatschappij", ("verzekering", "maatschappij")), ("longs", ()), ("beeldenx", ()),
        ("kankerbeelden", ("kanker", "beelden")),
    ],
)  # fmt: skip
def test_a_compound_is_taken_apart(word: str, parts: tuple[str, ...]) -> None:
    assert THERE.parts(word) == parts


def test_two_words_are_joined_where_their_compound_is_there() -> None:
    assert THERE.joined("long", "kanker") == ("longkanker",)
    assert THERE.joined("kanker", "long") == ()


def test_the_most_frequent_go_on_first() -> None:
    assert THERE.completions("meti") == ("metingen", "meting")
    assert THERE.completions("meting") == ("metingen",)
    assert THERE.completions("q") == ()


def test_a_word_of_many_entries_says_nothing() -> None:
    many = Vocabulary({"the": 400, "turbine": 30}, 1_000)
    assert (many.says_nothing("the"), many.says_nothing("turbine"), many.says_nothing("nowhere")) == (
        True,
        False,
        False,
    )
    assert not Vocabulary({"the": 4}, 4).says_nothing("the")


@given(
    st.dictionaries(st.text("abcdeé", min_size=1, max_size=9), st.integers(1, 9), max_size=30),
    st.text("abcdeé", max_size=12),
)
def test_whatever_is_asked_only_what_is_there_is_told(counts: dict[str, int], word: str) -> None:
    vocabulary = Vocabulary(counts)
    near = vocabulary.near(word)
    told = {*near, *vocabulary.parts(word), *vocabulary.completions(word), *vocabulary.family(word)}
    assert told <= set(counts)
    assert len(near) <= NEAR_MAX
