"""Runs and models on the wire."""

import math
from datetime import datetime
from typing import Annotated

from pydantic import Field, PlainSerializer, StringConstraints

from fabriek.schemas.base import Wire, written


def words_of(value: float) -> float | str:
    """A number, or MLflow's word for what JSON cannot say."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


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


Number = Annotated[float, PlainSerializer(words_of, return_type=float | str, when_used="json")]
"""A value to the bit. JSON has no NaN and no infinity: they are the words NaN, Infinity and -Infinity, as in MLflow."""


class RunOut(Wire):
    """`metrics`: the newest value of each; `metrics_withheld`: they are kept back from whoever asked."""

    id: str
    name: str
    experiment: str
    status: str
    label: str
    job: str
    person: str = ""
    started_at: datetime
    ended_at: datetime | None
    is_deleted: bool = False
    metrics: dict[str, Number]
    metrics_withheld: bool = False
    params: dict[str, str]
    tags: dict[str, str]
    experiment_name: str = ""


class PointOut(Wire):
    step: int
    at_ms: int
    value: Number


class SeriesOut(Wire):
    """One metric of a run: how many points it has, and the newest."""

    key: str
    count: int
    last: PointOut


class ModelVersionOut(Wire):
    """`sha256` is over the paths and contents of its files; `label` is its run's."""

    name: str
    version: int
    run: str
    label: str
    sha256: str
    created_at: datetime
