"""A place: the country in which something stands, and who owns it in law. What label and agreement say of places is asked here."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fabriek.kernel.errors import InvalidInput

OWNER_CHARACTERS_MAX = 100
_COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Place:
    """`country` by its two letters; `owner`, the legal owner's name, may be left out where places are only named as allowed."""

    country: str
    owner: str = ""

    def __str__(self) -> str:
        return f"{self.country}/{self.owner}" if self.owner else self.country


@dataclass(frozen=True, slots=True)
class Places:
    """Where this installation's things stand; None where nobody said."""

    store: Place | None = None
    nodes: Place | None = None
    backup: Place | None = None


NOWHERE_NAMED = Places()


def read_place(text: str) -> Place:
    """`NL`, or `NL/Ministerie van Defensie`. Raises InvalidInput."""
    country, _, owner = (part.strip() for part in text.partition("/"))
    if not _COUNTRY.fullmatch(country.upper()) or len(owner) > OWNER_CHARACTERS_MAX or not owner.isprintable():
        raise InvalidInput(
            f"{text[:80]!r} is not a place",
            fix="a country by its two letters and its owner: NL/Ministerie van Defensie",
        )
    return Place(country.upper(), owner)


def read_bound(texts: Iterable[str]) -> tuple[str, ...]:
    """Allowed places as they are kept: each once, in order. Empty means anywhere. Raises InvalidInput."""
    return tuple(sorted({str(read_place(text)) for text in texts}))


def read_places(place: str, store: str, nodes: str, backup: str) -> Places:
    """From the settings; the first stands in for each of the others that is left out."""
    store, nodes, backup = (one or place for one in (store, nodes, backup))
    return Places(*(read_place(one) if one else None for one in (store, nodes, backup)))


def is_allowed(place: Place | None, bounds: Iterable[Sequence[str]]) -> bool:
    """Whether each list of allowed places that is not empty has this one. A place that nobody named is on no list."""
    return all(any(_covers(read_place(one), place) for one in bound) for bound in bounds if bound)


def _covers(allowed: Place, place: Place | None) -> bool:
    if place is None or allowed.country != place.country:
        return False
    return not allowed.owner or allowed.owner.casefold() == place.owner.casefold()
