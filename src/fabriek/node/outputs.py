"""The one door through which results leave: /output sealed as a version, no link followed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import shown_bytes
from fabriek.schemas.node import OutputSpec

READ_PER_BYTE_HELD_MAX = 2


@dataclass(frozen=True, slots=True)
class Whole:
    """A version of several members' parts. `apart`: paths where they left different things."""

    version: str
    apart: tuple[str, ...] = ()


class Outputs(Protocol):
    """Takes what a job leaves."""

    def seal(self, spec: OutputSpec, folder: Path) -> str:
        """The id of the version that holds the folder now."""

    def part(self, spec: OutputSpec, folder: Path) -> str:
        """Of a member on its own host: the folder kept, and what makes it a part of the version, for `whole`."""

    def whole(self, spec: OutputSpec, parts: Mapping[int, str]) -> "Whole":
        """The version that holds the parts of all members, by their numbers."""


def keep_what_may_leave(folder: Path) -> int:
    """Removes what is neither a file nor a folder nor a link that stays inside: a link that a job leaves could point at anything
    of ours, and whoever collects runs with our rights. Call it when no process of the job lives any more. How many went.
    """
    removed = 0
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            place = Path(parent, name)
            if place.is_symlink():
                if not _stays_inside(place, folder):
                    place.unlink()
                    removed += 1
            elif place.is_dir():
                place.chmod(0o755)  # before the walk enters: the job may have closed it
            elif place.is_file():
                place.chmod(place.stat().st_mode & 0o777 | 0o600)
            else:
                place.unlink()
                removed += 1
    return removed


def check_size(folder: Path, memory_bytes: int) -> None:
    """Raises InvalidInput on results that would be read as much more than they take: a hole of a terabyte, or one file under a thousand
    names, costs the job nothing and whoever seals it all of its length. What would have fitted into the job's memory passes.
    """
    would_read, held = 0, {}
    for parent, _, names in os.walk(folder):
        for name in names:
            found = os.lstat(os.path.join(parent, name))  # noqa: PTH118  # a walk over many files
            would_read += found.st_size
            held[found.st_ino] = found.st_blocks * 512
    if would_read > max(memory_bytes, READ_PER_BYTE_HELD_MAX * sum(held.values())):
        raise InvalidInput(
            f"/output takes {shown_bytes(sum(held.values()))} and would be read as {shown_bytes(would_read)}",
            fix="leave no files with holes, nor one file under many names; or ask for more memory",
        )


def _stays_inside(link: Path, folder: Path) -> bool:
    """Whether a link is relative, resolves to something below the folder, and passes nothing outside on its way."""
    target = str(link.readlink())
    if target.startswith("/"):
        return False
    depth = len(link.parent.relative_to(folder).parts)
    for name in target.split("/"):
        depth += -1 if name == ".." else 0 if name in {"", "."} else 1
        if depth < 0:
            return False
    try:
        return link.resolve(strict=True).is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # it hangs in the air, or goes round
        return False
