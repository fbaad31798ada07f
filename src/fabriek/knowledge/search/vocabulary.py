"""The words that are there, as far as everybody may know: what a word also stands for, how it may have been meant, and how it goes on.

Words of entries that not everybody may know of are never among them: a correction or a completion would tell of them.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from heapq import nsmallest

import simplemma
from rapidfuzz.distance import DamerauLevenshtein

from fabriek.kernel.languages import LANGUAGES

COMPLETIONS_MAX, NEAR_MAX, FAMILY_MAX = 20, 4, 24
PART_CHARACTERS_MIN = 4
COMMON_MIN, COMMON_PART = 100, 10
"""A word of more than a hundred entries, and of more than a tenth of them, is one like "the" and "voor"."""

LINKS = ("", "s", "e", "en", "n")
"""What Dutch puts between the parts of a compound."""


class Vocabulary:
    """`counts`: folded word → in how many entries it occurs, of `entries` in all."""

    def __init__(self, counts: Mapping[str, int], entries: int = 0) -> None:
        self.counts, self._common = counts, max(COMMON_MIN, entries // COMMON_PART)

    def says_nothing(self, word: str) -> bool:
        """Whether so many entries have it that it tells none from another."""
        return self.counts.get(word, 0) > self._common

    def count(self, words: Sequence[str]) -> int:
        """How many entries have all of them, at most."""
        return min((self.counts.get(word, 0) for word in words), default=0)

    def __contains__(self, word: str) -> bool:
        return word in self.counts

    def __len__(self) -> int:
        return len(self.counts)

    def family(self, word: str) -> tuple[str, ...]:
        """Words of one dictionary form with this one, in Dutch or in English, the most frequent first; without the word itself."""
        found = {one for lemma in lemmas(word) for one in self._families.get(lemma, ())} - {word}
        return self._frequent(found)[:FAMILY_MAX]

    def completions(self, beginning: str) -> tuple[str, ...]:
        """The most frequent words that begin so; without the beginning itself."""
        first = bisect_left(self._sorted, beginning)
        last = bisect_left(self._sorted, beginning + "\U0010ffff", lo=first)
        found = nsmallest(COMPLETIONS_MAX + 1, self._sorted[first:last], key=self._place)
        return tuple(one for one in found if one != beginning)[:COMPLETIONS_MAX]

    def near(self, word: str) -> tuple[str, ...]:
        """How a word that is not there may have been meant: one letter wrong, two in a long one; the nearest and most frequent first. Nobody
        mistypes a number.
        """
        most = 0 if len(word) < 4 or not word.isalpha() else 1 if len(word) < 8 else 2
        if not most:
            return ()
        ranked = list[tuple[int, int, str]]()
        for length in range(len(word) - most, len(word) + most + 1):
            for first in {word[0], word[1]}:
                for one in self._by_shape.get((first, length), ()):
                    away = DamerauLevenshtein.distance(word, one, score_cutoff=most)
                    if away <= most:
                        ranked.append((away, -self.counts[one], one))
        ranked.sort()
        return tuple(one for away, _, one in ranked if away == ranked[0][0])[:NEAR_MAX]

    def parts(self, word: str) -> tuple[str, ...]:
        """The two words of which a compound is made, where both are there; empty where it is none."""
        best: tuple[int, tuple[str, ...]] = (0, ())
        for cut in range(PART_CHARACTERS_MIN, len(word) - PART_CHARACTERS_MIN + 1):
            head, tail = word[:cut], word[cut:]
            if tail not in self.counts:
                continue
            for bare in (head.removesuffix(link) for link in LINKS):
                if len(bare) >= PART_CHARACTERS_MIN and bare in self.counts:
                    best = max(best, (min(self.counts[bare], self.counts[tail]), (bare, tail)))
        return best[1]

    def joined(self, first: str, second: str) -> tuple[str, ...]:
        """The compounds of the two that are there."""
        return tuple(one for link in LINKS if (one := first + link + second) in self.counts)

    def make_ready(self) -> None:
        """Works out what the first who asks would wait for."""
        for made in (self._sorted, self._families, self._by_shape):
            len(made)

    def _frequent(self, words: set[str]) -> tuple[str, ...]:
        return tuple(sorted(words, key=self._place))

    def _place(self, word: str) -> tuple[int, str]:
        return -self.counts[word], word

    @cached_property
    def _sorted(self) -> Sequence[str]:
        return sorted(self.counts)

    @cached_property
    def _families(self) -> Mapping[str, Sequence[str]]:
        found = defaultdict[str, list[str]](list)
        for word in self.counts:
            for lemma in lemmas(word):
                found[lemma].append(word)
        return found

    @cached_property
    def _by_shape(self) -> Mapping[tuple[str, int], Sequence[str]]:
        found = defaultdict[tuple[str, int], list[str]](list)
        for word in self.counts:
            found[word[0], len(word)].append(word)
        return found


def lemmas(word: str) -> frozenset[str]:
    """Its dictionary forms in the languages of the catalogue; itself where it has none."""
    if not word.isalpha():
        return frozenset((word,))
    return frozenset(simplemma.lemmatize(word, language).lower() for language in LANGUAGES)
