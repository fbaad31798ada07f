"""The one door through which inputs come: a grant is opened into a folder of the job's memory-backed room."""

from pathlib import Path
from typing import Protocol

from fabriek.schemas.node import InputSpec, JobSpec
from fabriek.sdk.client import Client
from fabriek.sdk.vault import open_grant


class Inputs(Protocol):
    """Opens what a job reads."""

    def open(self, spec: InputSpec, into: Path) -> None:
        """The version's files in `into`, which exists and is empty. Raises a FabriekError when it may not or cannot be opened."""


class VaultInputs:
    """Inputs from the vault, through the node's own token."""

    def __init__(self, job: JobSpec) -> None:
        self._client = Client(job.server_url, job.node_token)

    def open(self, spec: InputSpec, into: Path) -> None:
        open_grant(self._client, spec.grant, into)


def open_inputs(job: JobSpec, inputs: Inputs, folder: Path) -> list[tuple[Path, str]]:
    """Each input in a folder of its own, with the mount point where the job sees it."""
    mounts = []
    for number, spec in enumerate(job.inputs):
        into = folder / str(number)
        into.mkdir(mode=0o755)
        inputs.open(spec, into)
        _readable(into)
        mounts.append((into, spec.mount))
    return mounts


def _readable(folder: Path) -> None:
    """The job runs under another uid: what is opened for it is readable to it, and only it gets past the door of its room."""
    for place in (folder, *folder.rglob("*")):
        if not place.is_symlink():
            place.chmod(0o755 if place.is_dir() else place.stat().st_mode | 0o444)
