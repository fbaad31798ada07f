"""The secrets of one attempt: asked for when it starts, put where the job finds them, and never in its spec, its state or its log."""

import os
from collections.abc import Mapping
from typing import Protocol

from fabriek.node.room import Room, give
from fabriek.schemas.node import JobSpec


class Secrets(Protocol):
    """Gives a job its secrets."""

    def given(self) -> Mapping[str, str]:
        """Name → value. Raises NotFound when one was removed, Unavailable while the server is away."""


def in_variables(job: JobSpec, given: Mapping[str, str]) -> dict[str, str]:
    """Variable → value."""
    return {one.variable: given[one.name] for one in job.secrets if one.variable}


def in_files(job: JobSpec, given: Mapping[str, str], room: Room, uid: int | None) -> None:
    """Those that are asked for as files, each readable by the job alone."""
    files = {one.file: given[one.name] for one in job.secrets if one.file}
    if not files:
        return
    room.secrets.mkdir(exist_ok=True, mode=0o700)
    for name, value in files.items():
        with os.fdopen(os.open(room.secrets / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as out:
            out.write(value.encode())
    give(room.secrets, uid)
