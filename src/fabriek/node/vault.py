"""What comes and goes through the node's own token: what a job reads is opened here, what it leaves is sealed here, its secrets are fetched."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from fabriek.node.outputs import Whole
from fabriek.schemas.node import ImageSpec, InputSpec, JobSpec, OutputSpec
from fabriek.sdk.client import Client
from fabriek.sdk.reading import KEPT_BYTES_MAX, Reading
from fabriek.sdk.secrets import given_to
from fabriek.sdk.vault import commit_parts, open_grant, open_granted_file, opened_grant, seal_part, seal_upload
from fabriek.sealing.pages import read_files, write_files

KEPT_BYTES_MIN = 8 * 2**20
"""Of one input in the node's memory, however many a job has; together they share what one alone would have."""


class VaultDoors:
    """Inputs from the vault, results into it, and the job's secrets."""

    def __init__(self, job: JobSpec) -> None:
        self._job = job

    @cached_property
    def _client(self) -> Client:
        """Made with its first use: a job that neither reads nor leaves anything need not wait for it."""
        return Client(self._job.server_url, self._job.node_token)

    def open(self, spec: InputSpec, into: Path) -> None:
        open_grant(self._client, spec.grant, into)

    def reading(self, spec: InputSpec) -> Reading:
        """With a connection of its own: it is used in another process, by many threads."""
        client = Client(self._job.server_url, self._job.node_token)
        kept = max(KEPT_BYTES_MAX // len(self._job.inputs), KEPT_BYTES_MIN)
        return Reading(opened_grant(client, spec.grant), kept_bytes_max=kept)

    def open_image(self, spec: ImageSpec, place: Path) -> None:
        open_granted_file(self._client, spec.grant, spec.file, place)

    def seal(self, spec: OutputSpec, folder: Path) -> str:
        return seal_upload(self._client, spec.upload, folder).id

    def part(self, spec: OutputSpec, folder: Path) -> str:
        return b64encode(write_files(seal_part(self._client, spec.upload, folder))).decode()

    def whole(self, spec: OutputSpec, parts: Mapping[int, str]) -> Whole:
        read = {member: read_files(b64decode(text)) for member, text in parts.items()}
        version, apart = commit_parts(self._client, spec.upload, read)
        return Whole(version.id, apart)

    def given(self) -> Mapping[str, str]:
        return given_to(self._client, self._job.job)
