"""Arrays: one request that becomes many jobs, alike but for their number or for the parameters of a sweep."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from fabriek.kernel.errors import InvalidInput

ELEMENTS_LIMIT = 5_000
INDEX_LIMIT = 1_000_000

_PART = re.compile(r"(\d{1,7})(?:-(\d{1,7})(?::(\d{1,7}))?)?")


@dataclass(frozen=True, slots=True)
class Element:
    """One job of an array: its index, and what a sweep gives it."""

    index: int
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Array:
    """`at_once`: how many elements may stand on the machine together; 0 means as many as fit."""

    elements: tuple[Element, ...]
    at_once: int = 0


def array_of(text: str, sweep: Mapping[str, Sequence[str]]) -> Array | None:
    """`0-99`, `1,3,5-9:2`, each with `%4` for four at a time; with a sweep only `%4` says anything more. None where neither is
    given. Raises InvalidInput.
    """
    if not text and not sweep:
        return None
    listed, percent, bound = text.partition("%")
    if percent and not bound.isdecimal():
        raise InvalidInput(f"{text!r} says no number after %", fix="--array 0-99%4")
    at_once = int(bound) if bound else 0
    if not sweep:
        return Array(tuple(Element(index) for index in indices_of(listed)), at_once)
    if listed:
        raise InvalidInput("a sweep numbers its own elements", fix="leave the numbers out: --array %4")
    return Array(_grid(sweep), at_once)


def indices_of(text: str) -> list[int]:
    """Each index once, in order. Raises InvalidInput."""
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise InvalidInput(f"{text!r} is not an array", fix="--array 0-99, or --array 1,3,5-9:2%4")
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if last < first or step < 1 or last > INDEX_LIMIT:
            raise InvalidInput(f"{part!r} counts nothing", fix=f"first-last:step, up to {INDEX_LIMIT}")
        if (last - first) // step >= ELEMENTS_LIMIT:
            raise _too_many()
        found.update(range(first, last + 1, step))
    if len(found) > ELEMENTS_LIMIT:
        raise _too_many()
    return sorted(found)


def filled(argv: Sequence[str], parameters: Mapping[str, str]) -> tuple[str, ...]:
    """The command with `{name}` replaced by the parameter of that name; other braces stay as they are."""
    if not parameters:
        return tuple(argv)
    names = re.compile("|".join(re.escape("{" + name + "}") for name in parameters))
    return tuple(names.sub(lambda match: parameters[match[0][1:-1]], word) for word in argv)


def _grid(sweep: Mapping[str, Sequence[str]]) -> tuple[Element, ...]:
    count = 1
    for name, values in sweep.items():
        if not values:
            raise InvalidInput(f"the sweep over {name} has no values", fix=f"--sweep {name}=1,2,3")
        count *= len(values)
        if count > ELEMENTS_LIMIT:
            raise _too_many()
    return tuple(
        Element(index, dict(zip(sweep, values, strict=True))) for index, values in enumerate(product(*sweep.values()))
    )


def _too_many() -> InvalidInput:
    return InvalidInput(f"an array has at most {ELEMENTS_LIMIT} elements", fix="submit it in parts")
