"""What somebody looks for: words, phrases, words that may not occur, and filters. Nothing of it is ever read as an operator of an engine."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

WORDS_MAX, WORD_CHARACTERS_MAX = 12, 40
CHARACTERS_MAX = 400
"""What lies beyond is not read."""

FILTERS = ("kind", "language", "label", "organisation", "keyword")

_PIECE = re.compile(r'(-?)(?:"([^"]{0,400})"|(\S{1,400}))')
_MARKS = re.compile("[\u0300-\u036f]+")
"""The accents that are letters of their own once they are taken apart."""

_WORD = re.compile(r"[^\W_]{1,400}")


@dataclass(frozen=True, slots=True)
class Query:
    """`words` and `phrases` must all occur, none of `without` may. The last word was being typed: it may be the beginning of one. `filters`: name →
    value, each of FILTERS. All words are folded.
    """

    words: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    without: tuple[tuple[str, ...], ...] = ()
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to occur: then the newest are shown."""
        return not self.words and not self.phrases


def read_query(text: str, filters: Mapping[str, str] | None = None) -> Query:
    """Words; "a phrase"; -word; kind:model. filters: those that were chosen beside the text; they win."""
    words, phrases, without = list[str](), list[tuple[str, ...]](), list[tuple[str, ...]]()
    chosen: dict[str, str] = {}
    for minus, phrase, plain in _PIECE.findall(text[:CHARACTERS_MAX]):
        name, _, value = plain.partition(":")
        if not minus and value and name.lower() in FILTERS:
            chosen[name.lower()] = value.lower()
            continue
        found = words_of(phrase or plain)
        if minus and found:
            without.append(found)
        elif phrase and len(found) > 1:
            phrases.append(found)
        else:
            words.extend(found)
    chosen.update({name: value for name, value in (filters or {}).items() if value})
    unique = tuple(dict.fromkeys(words))[:WORDS_MAX]
    return Query(unique, tuple(phrases[:WORDS_MAX]), tuple(without[:WORDS_MAX]), chosen)


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, folded, in order; a longer one is cut."""
    return tuple(word[:WORD_CHARACTERS_MAX] for word in _WORD.findall(folded(text)))


def folded(text: str) -> str:
    """Small letters without accents: so everything is indexed, and so it is asked for."""
    if text.isascii():
        return text.lower()
    return _MARKS.sub("", unicodedata.normalize("NFD", text.lower()))
