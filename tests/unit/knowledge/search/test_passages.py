"""The passage that is shown is a piece of the text, with marks and nothing else."""

import re

from hypothesis import given
from hypothesis import strategies as st

from fabriek.knowledge.search.passages import passage
from fabriek.knowledge.search.query import folded, words_of


@given(st.text(max_size=300), st.lists(st.text(alphabet="abcé1", min_size=2, max_size=5), max_size=3))
def test_a_passage_is_the_text_with_marks(text: str, words: list[str]) -> None:
    said = passage(text, words_of(" ".join(words)))
    assert said.count("\x02") == said.count("\x03")
    assert all(char.isprintable() or char in "\x02\x03" or not char.isascii() for char in said)


@given(
    st.text(alphabet="ab1_é -", max_size=80),
    st.lists(st.text(alphabet="ab1", min_size=1, max_size=3), min_size=1, max_size=4),
    st.text(alphabet="ab", max_size=2),
)
def test_whole_words_are_marked_as_a_pattern_finds_them(text: str, words: list[str], begins: str) -> None:
    either = [*map(re.escape, words), *([rf"{begins}[^\W_]*"] if begins else [])]
    pattern = re.compile(rf"(?<![^\W_])(?:{'|'.join(either)})(?![^\W_])")
    low = folded(text)
    marked = pattern.sub(lambda hit: f"\x02{text[hit.start() : hit.end()]}\x03", low) if pattern.search(low) else ""
    assert folded(passage(text, words, begins=begins)) == folded(marked)


def test_every_hit_near_the_first_is_marked_as_it_is_written() -> None:
    text = "Een " * 100 + "PATIËNT en patiënten, nog een patient."
    said = passage(text, {"patient", "patienten"})
    assert said.startswith("…")
    assert "\x02PATIËNT\x03 en \x02patiënten\x03, nog een \x02patient\x03." in said


def test_a_part_of_a_word_is_no_hit_but_where_it_was_being_typed() -> None:
    assert passage("Turbines of the wind.", {"turb"}) == ""
    assert passage("Turbines of the wind.", {"turb"}, begins="turb") == "\x02Turbines\x03 of the wind."


def test_marks_that_somebody_wrote_are_taken_away() -> None:
    assert passage("a \x02bad\x03 word", {"word"}) == "a bad \x02word\x03"
