"""The one door through which inputs come: a grant is opened into a folder of the job's memory-backed room."""

import os
from pathlib import Path
from typing import Protocol

from fabriek.node.room import Room, give
from fabriek.schemas.node import InputSpec, JobSpec


class Inputs(Protocol):
    """Opens what a job reads."""

    def open(self, spec: InputSpec, into: Path) -> None:
        """The version's files in `into`, which exists and is empty. Raises a FabriekError when it may not or cannot be opened."""


def open_inputs(job: JobSpec, inputs: Inputs, room: Room, uid: int | None) -> list[tuple[Path, str]]:
    """The code in the job's home, and each input in a folder of its own, with the mount point where the job sees it."""
    mounts = []
    for number, spec in enumerate(job.inputs):
        into = room.inputs / str(number)
        into.mkdir()
        inputs.open(spec, into)
        let_read(into)
        mounts.append((into, spec.mount))
    if job.code is not None:
        inputs.open(job.code, room.work)
        give(room.work, uid)
    return mounts


def let_read(folder: Path) -> None:
    """The job runs under another uid: what is opened for it is readable to it, and only it gets past the door of its room."""
    folder.chmod(0o755)
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            place = Path(parent, name)
            if not place.is_symlink():
                place.chmod(0o755 if place.is_dir() else place.stat().st_mode & 0o777 | 0o444)
