"""Served models and their keys on the wire. A key's secret comes out once, when it is made."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from fabriek.schemas.base import Wire, written
from fabriek.schemas.compute import InputIn, Line, Name, Word
from fabriek.schemas.shapes import GpusAsked

ServedName = Annotated[
    str, written(r"^([a-z0-9][a-z0-9._-]{0,62})?$", "lower-case letters, digits, . _ and -, 63 at most")
]


class ServeIn(Wire):
    """`model` is `NAME@alias` or `NAME@3`. Without a command the model's files say what starts: GGUF speaks OpenAI's interface, a model of
    MLflow's that of its scoring server. A command of one's own says with `kind` what it speaks, `openai` or `scoring`, and listens at
    127.0.0.1:8000; `{model}`, `{file}` and `{port}` in it are the folder of the files, its first GGUF file, and the port.
    """

    model: Annotated[str, StringConstraints(min_length=3, max_length=400)]
    name: ServedName = ""
    kind: Annotated[str, written(r"^(openai|scoring)?$", "openai or scoring")] = ""
    command: Annotated[list[Word], Field(max_length=200)] = Field(default_factory=list)
    code: Annotated[str, Field(max_length=200)] = ""
    inputs: Annotated[list[InputIn], Field(max_length=32)] = Field(default_factory=list)
    environment: Annotated[dict[Name, Annotated[str, Field(max_length=8_192)]], Field(max_length=100)] = Field(
        default_factory=dict
    )
    requirements: Annotated[str, Field(max_length=64_000, pattern=r"^[^\x00]*$")] = ""
    gpus: GpusAsked = "0"
    cpus: Annotated[int, Field(ge=1, le=100_000)] = 1
    memory_bytes: Annotated[int, Field(ge=16 * 2**20, le=2**50)] = 4 * 2**30
    wall_seconds_max: Annotated[int, Field(ge=1, le=120 * 3600)] = 8 * 3600


class ServedOut(Wire):
    """A served model. `endpoint` is what programs are given: with `/v1` for OpenAI's clients, and `/invocations` below it for scoring.
    `state` is its job's, `why` one sentence about it.
    """

    name: str
    model: str
    version: int
    sha256: str
    label: str
    kind: str
    endpoint: str
    job: str
    job_number: str
    state: str
    why: str
    ends_at: datetime | None = None
    changed_at: datetime


class KeyIn(Wire):
    """`budget` is `100000 tokens`, `500 requests/day`, `2M tokens/month`. `paid_by`: another project of one's own, for which it calls and which
    pays in tokens.
    """

    budget: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    days: Annotated[int, Field(ge=1, le=90)] = 30
    name: Line = ""
    paid_by: Annotated[str, Field(max_length=63)] = ""


class KeyOut(Wire):
    """A key without its secret. `used` is of the budget in its present period; the other counts are of all its life."""

    id: str
    name: str
    hint: str
    person: str
    budget: str
    used: int
    left: int
    requests: int
    tokens_in: int
    tokens_out: int
    state: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    paid_by: str = ""


class NewKeyOut(Wire):
    """`secret` is shown here and never again."""

    key: KeyOut
    secret: Annotated[str, Field(repr=False)]
    endpoint: str
