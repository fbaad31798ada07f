"""The one door through which results leave: /output sealed as a version, links not followed."""

from pathlib import Path
from typing import Protocol

from fabriek.schemas.node import JobSpec, OutputSpec
from fabriek.sdk.client import Client
from fabriek.sdk.vault import seal_upload


class Outputs(Protocol):
    """Takes what a job leaves."""

    def seal(self, spec: OutputSpec, folder: Path) -> str:
        """The id of the version that holds the folder now."""


class VaultOutputs:
    """Results into the vault, through the node's own token."""

    def __init__(self, job: JobSpec) -> None:
        self._client = Client(job.server_url, job.node_token)

    def seal(self, spec: OutputSpec, folder: Path) -> str:
        return seal_upload(self._client, spec.upload, folder).id


def drop_what_is_not_a_file(folder: Path) -> int:
    """Removes links, sockets, pipes and devices: a link that a job leaves could point at anything of ours. How many went."""
    dropped = 0
    for place in sorted(folder.rglob("*"), reverse=True):
        if place.is_symlink() or not (place.is_file() or place.is_dir()):
            place.unlink()
            dropped += 1
    return dropped
