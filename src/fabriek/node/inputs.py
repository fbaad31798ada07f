"""The one door through which inputs come: a grant is opened where the job will see it, as files that are read when the job reads them, or
copied into its memory-backed room.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

from fabriek.kernel.errors import Damaged, Unavailable
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


@dataclass(frozen=True, slots=True)
class Wrong:
    """What went wrong with inputs. `reason` is kept in plain with the job and names no file; `log` names them, since logs are sealed."""

    reason: str = ""
    log: str = ""


class DamagedInput(Damaged):
    """An input could not be copied. What it says names no file; `wrong` does."""

    def __init__(self, wrong: Wrong) -> None:
        super().__init__(wrong.reason, fix="fabriek data verify NAME")
        self.wrong = wrong


@dataclass
class Opened:
    """What a job reads. `mounts`: (folder outside the walls, where the job sees it); `specs`: what lies there."""

    mounts: list[tuple[Path, str]] = field(default_factory=list)
    shown: Mounts | None = None
    specs: Sequence[InputSpec] = ()

    def end(self) -> Wrong:
        """Takes away what was mounted. What went wrong while the job read it; empty where nothing did."""
        if self.shown is None:
            return Wrong()
        told, self.shown = self.shown.end(), None
        said, named = [], []
        for spec, one in zip(self.specs, told, strict=False):
            if one.damaged:
                said.append(_damaged(spec))
                named.append(f"the input {spec.mount} is damaged: {_named(one.damaged)}")
            if one.refused:
                said.append(f"access to the input {spec.mount} ended while the job read it")
        return Wrong("; ".join(said), "\n".join(named))


def open_inputs(job: JobSpec, inputs: Inputs, room: Room, uid: int | None) -> Opened:
    """The code in the job's home, and each input in a folder of its own, with the mount point where the job sees it. Raises DamagedInput."""
    opened = Opened(specs=job.inputs)
    for number, spec in enumerate(job.inputs):
        into = room.inputs / str(number)
        into.mkdir()
        into.chmod(0o755)
        opened.mounts.append((into, spec.mount))
    opened.shown = _shown(job, inputs, [into for into, _ in opened.mounts])
    try:
        if opened.shown is None:
            for spec, (into, _) in zip(job.inputs, opened.mounts, strict=True):
                _copy(spec, inputs, into)
                let_read(into)
        if job.code is not None:
            _copy(job.code, inputs, room.work)
            give(room.work, uid)
    except BaseException:
        opened.end()
        raise
    return opened


def _copy(spec: InputSpec, inputs: Inputs, into: Path) -> None:
    try:
        inputs.open(spec, into)
    except Damaged as error:
        named = f"the input {spec.mount} is damaged: {_named([error.detail])}"
        raise DamagedInput(Wrong(_damaged(spec), named)) from error


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


def _damaged(spec: InputSpec) -> str:
    return f"the input {spec.mount} is damaged ({spec.dataset}@{spec.version}): the log of the job names the files"


def _named(paths: Sequence[str]) -> str:
    """The first few, as Python writes names: one may hold anything."""
    first = ", ".join(path if path.isprintable() else ascii(path) for path in paths[:NAMED_MAX])
    return first if len(paths) <= NAMED_MAX else f"{first} and {len(paths) - NAMED_MAX} more"
