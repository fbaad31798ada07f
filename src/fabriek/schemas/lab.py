"""Runs and models on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from fabriek.schemas.base import Wire, written

RunId = Annotated[str, written(r"^[0-9a-f]{32}$", "32 hexadecimal digits")]
Name = Annotated[str, StringConstraints(max_length=250)]


class RunIn(Wire):
    """A run that began elsewhere, under an id of its own. `started_ms`: milliseconds since 1970, 0 for now. `label`: at least."""

    id: RunId
    experiment: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}$")] = "0"
    name: Name = ""
    person: Name = ""
    started_ms: Annotated[int, Field(ge=0, lt=2**53)] = 0
    label: Annotated[str, StringConstraints(max_length=250)] = ""
    tags: Annotated[dict[str, str], Field(max_length=100, default_factory=dict)]


class RunOut(Wire):
    """`metrics`: the newest value of each; null where it is not a finite number."""

    id: str
    name: str
    experiment: str
    status: str
    label: str
    job: str
    started_at: datetime
    ended_at: datetime | None
    metrics: dict[str, float | None]
    params: dict[str, str]
    tags: dict[str, str]


class PointOut(Wire):
    step: int
    at_ms: int
    value: float | None


class ModelVersionOut(Wire):
    """`sha256` is over the paths and contents of its files; `label` is its run's."""

    name: str
    version: int
    run: str
    label: str
    sha256: str
    created_at: datetime
