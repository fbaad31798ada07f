"""`job.yaml`: a job as people write it down. Every field may be left out, the command only where the line brings one.

docs/reference/job.schema.json is made from this.
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Wire, written
from fabriek.schemas.shapes import GpusAsked, PriorityAsked, SignalAsked

Duration = Annotated[
    str, written(r"^[0-9]+(\.[0-9]+)?\s*[smhd]?$", "a duration such as 30m or 2h"), Field(examples=["30m", "2h"])
]
Size = Annotated[
    str, written(r"^[0-9]+(\.[0-9]+)?\s*[A-Za-z]*$", "a size such as 512MiB or 4GB"), Field(examples=["512MiB", "4GB"])
]
Plain = str | int | float | bool
"""A value as YAML reads it; a job sees it as text."""


class JobFile(Wire):
    """A job, written down once and run as often as wanted: `fabriek run -f job.yaml`."""

    command: list[str] | str = Field(
        default_factory=list,
        description="Words, or a line that is cut at its blanks. Left out only where `fabriek run -f job.yaml -- COMMAND` brings one.",
    )
    name: str = Field("", max_length=100, description="What to call it; else the command.")
    data: dict[str, str] = Field(default_factory=dict, description="Dataset, `name@3`, to the folder where it is seen.")
    code: str = Field("", description="Folder sent along; else that of the script. `none` sends nothing.")
    image: str = Field(
        "",
        max_length=1_200,
        description="SIF or squashfs file to run in: `NAME@3:FILE` of the vault, or the operator's name for one.",
    )
    requirements: str = Field("", description="File of packages; else requirements.txt beside the script.")
    env: dict[str, Plain] = Field(default_factory=dict, description="Variables of the job.")
    experiment: str = Field("", max_length=100, description="Where its run belongs; else `Default`.")
    work: str = Field("", max_length=100, description="Kind of work, for its estimate of energy: `language-training`.")
    purpose: str = Field("", description="civilian, dual_use or exclusively_military; else the project's.")
    nodes: int = Field(1, ge=1, le=10_000, description="Nodes; the command runs on each, and what follows is for each.")
    gpus: GpusAsked = Field("0", description="GPUs: `2`, `a100:2`, or a part of one, `0.25`, `h100:0.5`.")
    cpus: int = Field(1, ge=1, description="CPU cores.")
    memory: Size = Field("2GiB", description="Memory; the job is stopped above it.")
    time: Duration = Field("1h", description="Longest time an attempt may run, up to 120h.")
    priority: PriorityAsked = Field("normal", description="urgent before normal, eco after all others.")
    array: str = Field("", description="One job for each number: `0-99%4`, four at a time. With a sweep only `%4`.")
    sweep: dict[str, list[Plain]] = Field(
        default_factory=dict, description="One job for each combination; `{name}` in the command is its value."
    )
    after: list[str] = Field(
        default_factory=list, description="`JOB`, `afterany:JOB`, `afternotok:JOB` or `after:JOB`."
    )
    begin: datetime | None = Field(None, description="Not before this instant.")
    deadline: datetime | None = Field(None, description="Cancelled when it could no longer have ended by then.")
    requeue: int = Field(0, ge=0, le=1_000, description="How often it may ask to run again, with exit code 75.")
    signal: SignalAsked = Field("", description="`USR1@60`: a word 60 s before its time is over.")
    grace: Duration | None = Field(None, description="Between being asked to stop and being killed; up to 1h.")
    preemptible: bool = Field(default=False, description="May be put back into the queue for others.")
    network: str = Field(
        "none",
        description="Hosts to reach, `pypi.example,github.example:8443`, or `host`, where the operator allows it.",
    )
    folder: str = Field("", description="Folder in the project's workspace, where the job begins and writes in plain.")
    port: int = Field(0, ge=0, le=65_535, description="Where it serves; opened with `fabriek session open`.")
    secrets: list[str] = Field(
        default_factory=list,
        description="Of the project: `NAME`, `NAME=VARIABLE`, or `NAME=file:FILE` below /run/secrets.",
    )
    notify: list[str] = Field(
        default_factory=list,
        description="`mail`, `https://…` or `secret:NAME` when it has ended; `begin,fail:mail` on these occasions.",
    )
    tasks: int = Field(1, ge=1, le=1_024, description="How many processes `srun` starts inside, on each node.")
    batch: bool = Field(default=False, description="The command runs once, on the first node, and `srun` in it on all.")
