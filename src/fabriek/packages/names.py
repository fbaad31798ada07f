"""A package by its name and version, and which names are mistaken for each other. Source: PyPA, name normalization; PEP 440."""

import re
from dataclasses import dataclass

from fabriek.kernel.errors import InvalidInput

NAME_CHARACTERS_MAX = 100
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"v?[0-9][A-Za-z0-9.!+_-]{0,63}")
ALIKE_CHARACTERS_MIN = 5
"""Shorter names are alike by chance."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """`name` is normalised: lower-case, with single hyphens."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def normalised(name: str) -> str:
    """Two spellings of one package are one word here. Raises InvalidInput on what cannot be a name."""
    if len(name) > NAME_CHARACTERS_MAX or not _NAME.fullmatch(name):
        raise InvalidInput(f"{name[:80]!r} is not the name of a package", fix="write it as its index does")
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pinned(text: str) -> Pinned:
    """From `NAME==VERSION`. Raises InvalidInput."""
    name, equals, version = (part.strip() for part in text.partition("=="))
    if not equals or not _VERSION.fullmatch(version):
        raise InvalidInput(
            f"{text[:120]!r} names no version of a package", fix="ask for NAME==VERSION, such as polars==1.9.0"
        )
    return Pinned(normalised(name), version)


def same_version(one: str, other: str) -> bool:
    """Whether two spellings mean one version: `1.0`, `v1.0.0` and `1` do."""
    return _plain(one) == _plain(other)


def _plain(version: str) -> str:
    public, plus, local = version.strip().lower().removeprefix("v").partition("+")
    return re.sub(r"(\.0+)+$", "", public) + plus + re.sub(r"[-_.]+", ".", local)


def alike(name: str, known: str) -> bool:
    """Whether a reader may take one for the other: a letter too many, too few, other or swapped, or the same letters but for their marks."""
    if name == known or min(len(name), len(known)) < ALIKE_CHARACTERS_MIN:
        return False
    return _bare(name) == _bare(known) or _one_slip_apart(name, known)


def _bare(name: str) -> str:
    return name.replace("-", "").replace("0", "o").replace("1", "l")


def _one_slip_apart(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    first = next((at for at, char in enumerate(shorter) if longer[at] != char), len(shorter))
    if len(longer) == len(shorter) + 1:
        return shorter[first:] == longer[first + 1 :]
    if len(longer) != len(shorter):
        return False
    swapped = longer[first : first + 2][::-1] == shorter[first : first + 2]
    return longer[first + 1 :] == shorter[first + 1 :] or (swapped and longer[first + 2 :] == shorter[first + 2 :])
