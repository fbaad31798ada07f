"""A listing: what an organisation needs, or has to offer. A match: one of each that share skills, and what either side said to it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput, WrongState
from fabriek.knowledge.search.query import words_of
from fabriek.knowledge.skills.skills import stems

TEXT_CHARACTERS_MAX = 2_000
WORDS_MAX = 20
WORD_CHARACTERS_MAX = 40
REGION_CHARACTERS_MAX = 60
OPEN_MAX = 20
"""Of one organisation at a time: who posted every word there is would learn what all others look for."""


class ListingKind(StrEnum):
    NEED = "need"
    OFFER = "offer"


class Said(StrEnum):
    """What one side said to a match."""

    NOTHING = ""
    YES = "yes"
    NO = "no"


class Seen(StrEnum):
    """How a match stands for one side: the other's yes alone shows nowhere."""

    PROPOSED = "proposed"
    WAITING = "waiting"
    MET = "met"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Listing:
    """`skills`: of the list. `words`: further skills in words of their own. `text` and `region` are for the other side once both said yes."""

    id: str
    kind: ListingKind
    organisation: str
    person: str
    skills: tuple[str, ...]
    words: tuple[str, ...]
    text: str
    region: str
    posted_at: datetime
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """`shared`: the skills that both name, by which neither is known."""

    id: str
    need: str
    offer: str
    shared: tuple[str, ...]
    proposed_at: datetime
    need_said: Said = Said.NOTHING
    offer_said: Said = Said.NOTHING

    @property
    def met(self) -> bool:
        return self.need_said is Said.YES and self.offer_said is Said.YES

    def said_by(self, listing: str) -> Said:
        return self.need_said if listing == self.need else self.offer_said

    def other_than(self, listing: str) -> str:
        return self.offer if listing == self.need else self.need

    def seen_from(self, listing: str) -> Seen:
        """For the side of that listing."""
        if Said.NO in {self.need_said, self.offer_said}:
            return Seen.OVER
        if self.met:
            return Seen.MET
        return Seen.WAITING if self.said_by(listing) is Said.YES else Seen.PROPOSED


def say(match: Match, listing: str, said: Said) -> Match:
    """What that side said. A no stands; a yes can be taken back by a no. Raises WrongState once either said no."""
    if match.seen_from(listing) is Seen.OVER:
        raise WrongState(f"match {match.id} is over", fix="wait for another: fabriek match ls")
    return replace(match, need_said=said) if listing == match.need else replace(match, offer_said=said)


def shared_by(one: Listing, other: Listing, *, names: Collection[str]) -> tuple[str, ...]:
    """The skills that both name: those of the list, and single words in their dictionary form, never the phrase in which one side has them.
    names: what organisations are called, by which somebody could be asked for; their words count for nothing.
    """
    listed = [skill for skill in one.skills if skill in other.skills]
    called = {word for name in names for word in (*words_of(name), *stems(name))}
    free = stems(" ".join(one.words)) & stems(" ".join(other.words))
    return tuple(dict.fromkeys([*listed, *sorted(free - called)]))


def words_from(said: Sequence[str]) -> tuple[str, ...]:
    """Each once, in small letters. Raises InvalidInput on too many, one that is too long, or one in which nothing is said."""
    found = tuple(dict.fromkeys(" ".join(one.lower().split()) for one in said if one.strip()))
    if len(found) > WORDS_MAX:
        raise InvalidInput(f"more than {WORDS_MAX} skill words", fix="name those that matter most")
    for one in found:
        if len(one) > WORD_CHARACTERS_MAX or not stems(one):
            raise InvalidInput(
                f"{one[:WORD_CHARACTERS_MAX]!r} is no skill word",
                fix=f"a word or two of at most {WORD_CHARACTERS_MAX} characters",
            )
    return found
