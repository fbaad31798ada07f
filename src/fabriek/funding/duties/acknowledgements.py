"""The text that thanks a funder where a project publishes: the funder's own words, with what its share really paid."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fabriek.funding.giving.quarters import Quarter
from fabriek.funding.resources import Resource
from fabriek.kernel.errors import InvalidInput

WORDS = ("hours", "quarters", "project", "funder")
"""What may stand between braces."""
TEXT_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A funder's own text, in both languages."""

    share: str
    nl: str
    en: str


@dataclass(frozen=True, slots=True)
class Paid:
    """What one share really paid for a project: micro-units used of each resource, and the quarters in which."""

    share: str
    amounts: Mapping[Resource, int]
    quarters: Sequence[Quarter]

    @property
    def hours(self) -> str:
        """`1,200.5 GPU-hours and 30 CPU-hours`: whole, as bills say it."""
        said = [resource.counted(amount) for resource, amount in sorted(self.amounts.items()) if amount]
        return " and ".join(said)


@dataclass(frozen=True, slots=True)
class Thanks:
    """One funder's text, filled in."""

    share: str
    funder: str
    text: str
    paid: Paid


def check_text(text: str) -> None:
    """Raises InvalidInput on one that is empty, too long, or names what cannot be filled in."""
    if not text.strip() or len(text) > TEXT_MAX:
        raise InvalidInput(f"a text of thanks has 1 to {TEXT_MAX} characters", fix="write it in a sentence or two")
    if unknown := [one for one in re.findall(r"\{([^{}]*)\}", text) if one not in WORDS]:
        raise InvalidInput(
            f"{{{unknown[0]}}} cannot be filled in",
            fix=f"between braces stands one of {', '.join(WORDS)}",
        )
    if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", text)):
        raise InvalidInput("a brace is not closed", fix=f"between braces stands one of {', '.join(WORDS)}")


def filled(text: str, words: Mapping[str, str]) -> str:
    """Each word once, and nothing in what is filled in is read again."""
    return re.sub(r"\{([a-z]+)\}", lambda found: words.get(found[1], found[0]), text)


def spoken(quarters: Sequence[Quarter], language: str) -> str:
    """`2026Q3`, `2026Q3 and 2026Q4`, `2026Q3, 2026Q4 and 2027Q1`."""
    names = [str(one) for one in quarters]
    joint = " en " if language == "nl" else " and "
    return joint.join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
