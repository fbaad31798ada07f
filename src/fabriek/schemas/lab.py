"""Runs and models on the wire."""

from datetime import datetime

from fabriek.schemas.base import Wire


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
