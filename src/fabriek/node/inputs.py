"""The one door through which inputs come: a grant is opened where the job will see it, as files that are read when the job reads them, or
copied into its memory-backed room.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

from fabriek.kernel.errors import Unavailable
from fabriek.node.mounts.mounting import Mounts, why_not
from fabriek.node.room import Room, give
from fabriek.schemas.node import COPY, MOUNT, InputSpec, JobSpec
from fabriek.sdk.reading import Reading

NAMED_MAX = 3
"""Damaged files that are named in a sentence."""


class Inputs(Protocol):
    """Opens what a job reads."""

    def open(self, spec: InputSpec, into: Path) -> None:
        """The version's files in `into`, which exists and is empty. Raises a FabriekError when it may not or cannot be opened."""


@runtime_checkable
class Lazily(Protocol):
    """Inputs that can also be opened without a copy."""

    def reading(self, spec: InputSpec) -> Reading:
        """Called in the process that serves it. Raises a FabriekError when it may not or cannot be opened."""


@dataclass
class Opened:
    """What a job reads. `mounts`: (folder outside the walls, where the job sees it)."""

    mounts: list[tuple[Path, str]] = field(default_factory=list)
    shown: Mounts | None = None

    def end(self) -> str:
        """Takes away what was mounted. A sentence on what went wrong while the job read it; empty where nothing did."""
        if self.shown is None:
            return ""
        told, self.shown = self.shown.end(), None
        said = []
        for (_, inside), one in zip(self.mounts, told, strict=False):
            if one.damaged:
                said.append(f"the input {inside} is damaged: {_named(one.damaged)}")
            if one.refused:
                said.append(f"access to the input {inside} ended while the job read it")
        return "; ".join(said)


def open_inputs(job: JobSpec, inputs: Inputs, room: Room, uid: int | None) -> Opened:
    """The code in the job's home, and each input in a folder of its own, with the mount point where the job sees it."""
    opened = Opened()
    for number, spec in enumerate(job.inputs):
        into = room.inputs / str(number)
        into.mkdir()
        into.chmod(0o755)
        opened.mounts.append((into, spec.mount))
    opened.shown = _shown(job, inputs, [into for into, _ in opened.mounts])
    try:
        if opened.shown is None:
            for spec, (into, _) in zip(job.inputs, opened.mounts, strict=True):
                inputs.open(spec, into)
                let_read(into)
        if job.code is not None:
            inputs.open(job.code, room.work)
            give(room.work, uid)
    except BaseException:
        opened.end()
        raise
    return opened


def _shown(job: JobSpec, inputs: Inputs, places: Sequence[Path]) -> Mounts | None:
    """The inputs as file systems; None where they are to be copied. Raises Unavailable where they must be mounted and cannot be."""
    if not places or job.inputs_by == COPY:
        return None
    lacks = "jobs without walls read copies" if job.unsandboxed else why_not()
    if not lacks and isinstance(inputs, Lazily):
        wanted: dict[Path, Callable[[], Reading]] = {
            place: partial(inputs.reading, spec) for place, spec in zip(places, job.inputs, strict=True)
        }
        try:
            return Mounts(wanted)
        except OSError as error:
            lacks = f"the machine refused to mount them: {error.strerror or error}"
    if job.inputs_by == MOUNT:
        raise Unavailable(f"inputs cannot be mounted here: {lacks}", fix="set job_inputs to auto or copy")
    return None


def let_read(folder: Path) -> None:
    """The job runs under another uid: what is opened for it is readable to it, and only it gets past the door of its room."""
    folder.chmod(0o755)
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            place = Path(parent, name)
            if not place.is_symlink():
                place.chmod(0o755 if place.is_dir() else place.stat().st_mode & 0o777 | 0o444)


def _named(paths: Sequence[str]) -> str:
    """The first few, as Python writes names: one may hold anything."""
    first = ", ".join(path if path.isprintable() else ascii(path) for path in paths[:NAMED_MAX])
    return first if len(paths) <= NAMED_MAX else f"{first} and {len(paths) - NAMED_MAX} more"
