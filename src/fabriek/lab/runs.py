"""A run: what one execution of a script logged. Limits and words are MLflow's, since its clients compare them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.names import invalid, missing

METRICS_MAX = 1_000
PARAMS_MAX = 100
TAGS_MAX = 100
ENTITIES_MAX = 1_000

_RUN_ID = re.compile(r"[0-9a-f]{32}")


class RunStatus(StrEnum):
    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class View(StrEnum):
    """Which runs or experiments are meant: those that are there, those that were deleted, or both."""

    ACTIVE = "ACTIVE_ONLY"
    DELETED = "DELETED_ONLY"
    ALL = "ALL"


@dataclass(frozen=True, slots=True)
class Run:
    """`label` is the highest of what its job read; `job` is empty for one that came from outside. Instants in UTC."""

    id: str
    project: str
    experiment: str
    name: str
    person: str
    status: RunStatus
    started_at: datetime
    label: str
    ended_at: datetime | None = None
    job: str = ""
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class DataInput:
    """Data that a script says it read; what its job truly read stands in the job's statement. `tags`: such as its context."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str = ""
    profile: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelLink:
    """A logged model that a run took in (`input`) or gave out, and at which step."""

    model: str
    step: int = 0


@dataclass(frozen=True, slots=True)
class Links:
    """What a run says it took in and gave out."""

    data: Sequence[DataInput] = ()
    models_in: Sequence[ModelLink] = ()
    models_out: Sequence[ModelLink] = ()


def check_run_id(run_id: object) -> str:
    """Raises InvalidInput in the words that MLflow's own tests expect."""
    if run_id is None or run_id == "":
        raise missing("run_id")
    if not isinstance(run_id, str) or not re.fullmatch(r"[a-zA-Z0-9][\w\-]{0,255}", run_id):
        raise invalid("run_id", run_id)
    return run_id


def is_run_id(text: str) -> bool:
    return _RUN_ID.fullmatch(text) is not None


def check_batch(metrics: Sequence[object], params: Sequence[object], tags: Sequence[object]) -> None:
    """Raises InvalidInput on a batch that is larger than MLflow's own server takes."""
    for name, given, most in (
        ("metrics", len(metrics), METRICS_MAX),
        ("params", len(params), PARAMS_MAX),
        ("tags", len(tags), TAGS_MAX),
        ("metrics, params, and tags", len(metrics) + len(params) + len(tags), ENTITIES_MAX),
    ):
        if given > most:
            raise InvalidInput(
                f"A batch logging request can contain at most {most} {name}. Got {given} {name}. "
                f"Please split up {name} across multiple requests and try again."
            )
