"""A package by its name and version, and which names are mistaken for each other. Source: PyPA, name normalization; PEP 440."""

from dataclasses import dataclass

from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

from fabriek.kernel.errors import InvalidInput

NAME_CHARACTERS_MAX = 100
VERSION_CHARACTERS_MAX = 64
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
    try:
        if len(name) <= NAME_CHARACTERS_MAX:
            return canonicalize_name(name, validate=True)
    except InvalidName:
        pass
    raise InvalidInput(f"{name[:80]!r} is not the name of a package", fix="write it as its index does")


def read_pinned(text: str) -> Pinned:
    """From `NAME==VERSION`. Raises InvalidInput."""
    name, _, version = (part.strip() for part in text.partition("=="))
    if len(version) > VERSION_CHARACTERS_MAX or version_of(version) is None:
        raise InvalidInput(
            f"{text[:120]!r} names no version of a package", fix="ask for NAME==VERSION, such as polars==1.9.0"
        )
    return Pinned(normalised(name), version)


def version_of(text: str) -> Version | None:
    """None where it is no version that can be compared."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def same_version(one: str, other: str) -> bool:
    """Whether two spellings mean one version: `1.0`, `v1.0.0` and `1` do. What cannot be compared is the same as nothing else."""
    version = version_of(one)
    return one == other if version is None else version == version_of(other)


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
