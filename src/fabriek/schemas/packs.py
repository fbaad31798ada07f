"""Packs on the wire: jobs for machines that we do not run."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from fabriek.schemas.base import Slug, Wire
from fabriek.schemas.compute import JobIn
from fabriek.schemas.foreign import ForeignJobIn, Sha256
from fabriek.schemas.vault import UploadOut

VersionId = Annotated[str, StringConstraints(pattern="^ver_[0-9a-z]{1,26}$")]


class PackIn(Wire):
    """Either what `fabriek run` would submit, or a job of ours by its id or number. `data`: null lets the inputs go along where they may,
    false packs their list alone, true refuses to pack where they may not go.
    """

    job: JobIn | None = None
    of_job: Annotated[str, Field(max_length=64)] = ""
    data: bool | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "PackIn":
        if (self.job is None) is not bool(self.of_job):
            raise ValueError("name a job, or what one would run")
        return self


class PackedInputOut(Wire):
    """`content_hash` is over path, mode, size and content of every file, as the version's signed record says it."""

    dataset: str
    version: int
    version_id: str
    label: str
    content_hash: str
    mount: str


class PackOut(Wire):
    """`stays`: why the inputs' data does not go along; empty where it does. `site` is what was claimed on return."""

    id: str
    project: str
    name: str
    state: str
    purpose: str
    label: str
    command: list[str]
    cpus: int
    gpus: int
    memory_bytes: int
    wall_seconds_max: int
    packed_at: datetime
    inputs: list[PackedInputOut]
    code: str
    environment: dict[str, str]
    requirements: str
    job: str = ""
    stays: str = ""
    checksums: str = ""
    site: str = ""
    exit_code: int | None = None
    output: str = ""


class SealIn(Wire):
    """`checksums`: SHA-256 of the list of hashes of everything in the folder."""

    checksums: Sha256


class ResultsIn(Wire):
    """`content_hash` of what is to come, as a version would have it."""

    content_hash: Sha256


class ResultsOut(Wire):
    """Where to seal them; or the version that holds them already."""

    upload: UploadOut | None = None
    version: str = ""


class ReturnIn(Wire):
    """`results`: SHA-256 of the list of hashes that job.sh wrote. `usage`: what that site's sacct says of the job, where it is at hand."""

    site: Slug
    exit_code: Annotated[int, Field(ge=0, le=255)]
    results: Sha256
    version: VersionId
    usage: ForeignJobIn | None = None
