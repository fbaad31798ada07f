"""Forecasts of starts on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Wire, written
from fabriek.schemas.shapes import GpusAsked, PriorityAsked


class ForecastIn(Wire):
    """A job that nobody submits: what it would take, in the words of JobIn. `language` of the sentences: en or nl."""

    gpus: GpusAsked = "0"
    cpus: Annotated[int, Field(ge=1, le=100_000)] = 1
    nodes: Annotated[int, Field(ge=1, le=10_000)] = 1
    memory_bytes: Annotated[int, Field(ge=16 * 2**20, le=2**50)] = 2 * 2**30
    wall_seconds_max: Annotated[int, Field(ge=1, le=120 * 3600)] = 3600
    priority: PriorityAsked = "normal"
    purpose: str = ""
    language: Annotated[str, written("^(en|nl)$", "en or nl")] = "en"


class StartOut(Wire):
    """When a job will probably start. `basis`: `now`, `calibrated` (the interval is meant to hold four times out of five), `played` (not set right by
    earlier forecasts yet), `asked` (from the times asked for: `latest` alone, and no history yet) or `unknown`. `says`: the same in words.
    """

    basis: str
    earliest: datetime | None = None
    median: datetime | None = None
    latest: datetime | None = None
    made_at: datetime
    says: str


class SoonerOut(Wire):
    """A variant of what was asked that would start notably earlier. `asks`: what differs, in words."""

    gpus: str
    cpus: int
    nodes: int
    wall_seconds_max: int
    asks: str
    start: StartOut


class ForecastOut(Wire):
    """What was asked in words, when it would start, and what would start sooner."""

    asks: str
    start: StartOut
    sooner: list[SoonerOut] = Field(default_factory=list)


class ForecastScoreOut(Wire):
    """How often the intervals held, of jobs that had to wait. `held`, `early` and `late` are counts; `held_part` and `meant_part` 0..1; `hours_wide`
    is the middle of their widths.
    """

    forecasts: int
    held: int
    early: int
    late: int
    held_part: float
    meant_part: float
    hours_wide: float
    since: datetime | None = None
