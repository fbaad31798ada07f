"""How a query is put to an index: for each word all that may stand for it."""

import itertools
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from fabriek.knowledge.search.query import Query
from fabriek.knowledge.search.vocabulary import Vocabulary

TYPED_MIN = 3
"""A shorter beginning stands for itself alone: too much goes on from it."""


MANY = 2_000
"""Of more than this what has the words in its title or keywords goes first, and then what is newest."""


class Form(NamedTuple):
    """Words of which all must occur; `adjacent`: one after another, where they are several."""

    words: tuple[str, ...]
    adjacent: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """Of each group one form must occur, of `without` none may; with `any_of`, one of all groups is enough. `begins`: the word of the last group that
    also stands for all that begin so, where the vocabulary knows none. `meant`: word → what was looked for too, since nothing has it. `counts`: of
    each group, how many entries have one of its forms, as far as the vocabulary knows.
    """

    groups: tuple[tuple[Form, ...], ...]
    without: tuple[Form, ...] = ()
    begins: str = ""
    meant: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    any_of: bool = False
    counts: tuple[int, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to occur."""
        return not self.groups

    @property
    def finds_many(self) -> bool:
        """Whether so much would be found that its order by every word would take long."""
        return bool(self.counts) and (sum(self.counts) if self.any_of else min(self.counts)) > MANY

    def words(self) -> tuple[str, ...]:
        """Every word that may be what was found, for marking it."""
        return tuple(dict.fromkeys(word for group in self.groups for form in group for word in form.words))


def planned(query: Query, vocabulary: Vocabulary) -> Plan:
    """Each word stands for its whole family, Dutch and English, and two for their compound; one that is nowhere for those that begin so, where it was
    the last, or for the parts of which it is made, or else for what is nearest. Words that say nothing are asked for where there are no others.
    """
    words = tuple(word for word in query.words if not vocabulary.says_nothing(word)) or query.words
    compounds, meant, begins = _compounds(words, vocabulary), dict[str, tuple[str, ...]](), ""
    groups, counts = list[tuple[Form, ...]](), list[int]()
    for at, word in enumerate(words):
        others, last = [*vocabulary.family(word), *compounds[at]], ""
        if word not in vocabulary and at == len(words) - 1 and len(word) >= TYPED_MIN:
            others += vocabulary.completions(word)
            last = word
        forms = [Form((word,)), *(Form((one,)) for one in others)]
        if word not in vocabulary and not others:
            if parts := vocabulary.parts(word):
                forms.append(Form(parts, adjacent=False))
            elif near := vocabulary.near(word):
                meant[word] = near
                forms += [Form((one,)) for one in near]
            begins = last
        groups.append(tuple(dict.fromkeys(forms)))
        counts.append(sum(vocabulary.count(one.words) for one in forms))
    for phrase in query.phrases:
        groups.append((Form(phrase),))
        counts.append(vocabulary.count(phrase))
    return Plan(tuple(groups), tuple(Form(one) for one in query.without), begins, meant, counts=tuple(counts))


def loosened(plan: Plan) -> Plan:
    """The same where one of all groups is enough: of those that few have, where there are any, since what many have tells little."""
    few = [at for at, count in enumerate(plan.counts) if 0 < count <= MANY] or range(len(plan.groups))
    begins = plan.begins if any(plan.groups[at][0].words == (plan.begins,) for at in few) else ""
    return replace(
        plan, any_of=True, groups=tuple(plan.groups[at] for at in few), counts=tuple(plan.counts[at] for at in few), begins=begins
    )  # fmt: skip


def _compounds(words: tuple[str, ...], vocabulary: Vocabulary) -> Mapping[int, list[str]]:
    """The place of a word → compounds that stand for it and its neighbour."""
    found = defaultdict[int, list[str]](list)
    for at, pair in enumerate(itertools.pairwise(words)):
        for one in vocabulary.joined(*pair):
            found[at].append(one)
            found[at + 1].append(one)
    return found
