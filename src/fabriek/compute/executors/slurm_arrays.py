"""Attempts that went to Slurm together: a roster says which task of the array runs which attempt."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fabriek.kernel.wiping import wipe
from fabriek.schemas.node import ROSTER_FILE

ARRAYS = "arrays"


@dataclass(frozen=True, slots=True)
class Roster:
    """Task number n runs the attempt whose folder bears the n-th name. `folder` has the name of the batch job."""

    folder: Path
    members: tuple[str, ...]

    @property
    def name(self) -> str:
        """The idempotency key: the same attempts make the same name."""
        return self.folder.name

    @property
    def file(self) -> Path:
        return self.folder / ROSTER_FILE

    @property
    def text(self) -> str:
        return "".join(f"{member}\n" for member in self.members)

    @property
    def output(self) -> Path:
        """What Slurm itself has to say of all its tasks."""
        return self.folder / "slurm.out"


@dataclass(frozen=True, slots=True)
class Rosters:
    """All of them, below the folder of the attempts."""

    root: Path

    def of(self, members: Sequence[str]) -> Roster:
        """Of these attempts, not kept yet; its folder is there."""
        key = hashlib.sha256("\n".join(members).encode()).hexdigest()[:20]
        roster = Roster(self.root / ARRAYS / f"fabriek-array-{key}", tuple(members))
        roster.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return roster

    def named(self, name: str) -> Roster | None:
        return _read(self.root / ARRAYS / name)

    def holding(self, member: str) -> Iterator[Roster]:
        """Those that an attempt stands in: more than one only where an array was refused, or its answer lost."""
        for folder in sorted((self.root / ARRAYS).glob("fabriek-array-*")):
            roster = _read(folder)
            if roster is not None and member in roster.members:
                yield roster

    def drop(self, roster: Roster) -> None:
        """A task that comes late finds nothing to run."""
        wipe(roster.folder)


def _read(folder: Path) -> Roster | None:
    try:
        return Roster(folder, tuple((folder / ROSTER_FILE).read_text("utf-8").split()))
    except FileNotFoundError:
        return None
