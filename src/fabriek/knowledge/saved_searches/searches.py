"""A search that somebody keeps: what is new in it since they looked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fabriek.kernel.errors import InvalidInput
from fabriek.knowledge.search.query import CHARACTERS_MAX, FILTERS

NAME_CHARACTERS_MAX, SEARCHES_MAX = 100, 20


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """`filters`: name → value, of FILTERS. `looked_at`: when its owner saw it last; what was published later is new."""

    id: str
    person: str
    name: str
    text: str
    filters: Mapping[str, str]
    looked_at: datetime


def check(name: str, text: str, filters: Mapping[str, str]) -> None:
    """Raises InvalidInput on an empty or over-long name, a text that would not be read whole, or a filter that there is not."""
    if not name.strip() or len(name) > NAME_CHARACTERS_MAX or len(name.splitlines()) != 1:
        raise InvalidInput(
            f"a search that is kept has a name of 1 to {NAME_CHARACTERS_MAX} characters", fix="give it a short name"
        )
    if len(text) > CHARACTERS_MAX:
        raise InvalidInput(f"a search has at most {CHARACTERS_MAX} characters", fix="keep the words that matter")
    if unknown := sorted(set(filters) - set(FILTERS)):
        raise InvalidInput(f"a search has no filter {unknown[0][:40]!r}", fix=f"it has {', '.join(FILTERS)}")
    if not text.strip() and not any(filters.values()):
        raise InvalidInput("this search asks for nothing", fix="give it words, or a filter such as kind:model")
