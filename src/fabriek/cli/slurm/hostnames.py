"""Node lists as Slurm shortens them, `a[01-03,7],job-[0-1]`, written out."""

import re
from collections.abc import Iterator
from itertools import product

from fabriek.kernel.errors import InvalidInput

HOSTS_MAX = 64 * 1024
"""As many as Slurm writes out of one range."""

_ONE = re.compile(r"(?:[^,\[\]]|\[[^\[\]]*\])+")
_PIECE = re.compile(r"\[([^\[\]]*)\]|([^\[\]]+)")
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")


def hostnames(said: str) -> Iterator[str]:
    """The names, in their order. Raises InvalidInput on brackets that hold no numbers, or more of them than anybody has."""
    if _ONE.sub("", said).strip(","):
        raise _invalid(said)
    for one in _ONE.findall(said):
        pieces = [_numbers(inside, said) if not plain else [plain] for inside, plain in _PIECE.findall(one)]
        for words in product(*pieces):
            yield "".join(words)


def _numbers(inside: str, said: str) -> list[str]:
    """Of `01-03,7`: as many digits as each range begins with."""
    found: list[str] = []
    for part in inside.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise _invalid(said)
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last - first >= HOSTS_MAX:
            raise _invalid(said)
        found += [f"{number:0{len(match[1])}}" for number in range(first, last + 1)]
    return found


def _invalid(said: str) -> InvalidInput:
    return InvalidInput(f"Invalid hostlist: {said}", fix="a list such as a[01-03,7],b")
