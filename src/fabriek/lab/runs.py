"""A run: what one execution of a script logged. Limits and words are MLflow's, since its clients compare them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput

KEY_CHARACTERS_MAX = 250
PARAM_CHARACTERS_MAX = 6_000
TAG_CHARACTERS_MAX = 8_000
METRICS_MAX = 1_000
PARAMS_MAX = 100
TAGS_MAX = 100

_RUN_ID = re.compile(r"[0-9a-f]{32}")
_KEY = re.compile(r"[/\w.\- :]+")


class RunStatus(StrEnum):
    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


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
class Metric:
    """One point. `value` may be NaN or infinite; `at_ms` is the client's own clock, in milliseconds since 1970."""

    key: str
    value: float
    at_ms: int
    step: int = 0


def check_run_id(run_id: object) -> str:
    """Raises InvalidInput in the words that MLflow's own tests expect."""
    if not isinstance(run_id, str) or not re.fullmatch(r"[a-zA-Z0-9][\w\-]{0,255}", run_id):
        raise InvalidInput(f"Invalid run ID: '{run_id}'")
    return run_id


def is_run_id(text: str) -> bool:
    return _RUN_ID.fullmatch(text) is not None


def check_key(key: object, kind: str) -> str:
    """A metric's, parameter's or tag's name. Raises InvalidInput on an empty, over-long one, or one that could be a path upwards."""
    if not isinstance(key, str) or not key:
        raise InvalidInput(f"Missing value for required parameter '{kind}.key'")
    if len(key) > KEY_CHARACTERS_MAX:
        raise InvalidInput(f"'{kind} key' exceeds the maximum length of {KEY_CHARACTERS_MAX} characters")
    if not _KEY.fullmatch(key):
        raise InvalidInput(
            f"Invalid value \"{key}\" for parameter '{kind}' supplied: Names may only contain alphanumerics, underscores (_), "
            "dashes (-), periods (.), spaces ( ), colon(:) and slashes (/)."
        )
    if key.startswith(("/", ".")) or ".." in key.split("/") or key.endswith("/"):
        raise InvalidInput(
            f"Invalid value \"{key}\" for parameter '{kind}' supplied: Names may be treated as files in certain cases."
        )
    return key


def check_value(value: object, kind: str, characters_max: int) -> str:
    text = value if isinstance(value, str) else str(value if value is not None else "")
    if len(text) > characters_max:
        raise InvalidInput(f"'{kind} value' had length {len(text)}, which exceeded length limit of {characters_max}")
    return text


def check_batch(metrics: Sequence[object], params: Sequence[object], tags: Sequence[object]) -> None:
    """Raises InvalidInput on a batch that is larger than MLflow's own server takes."""
    for name, given, most in (
        ("metrics", metrics, METRICS_MAX),
        ("params", params, PARAMS_MAX),
        ("tags", tags, TAGS_MAX),
    ):
        if len(given) > most:
            raise InvalidInput(
                f"A batch logging request can contain at most {most} {name}. Got {len(given)} {name}. "
                f"Please split up {name} across multiple requests and try again."
            )


def is_newer(one: Metric, other: Metric) -> bool:
    """Whether `one` is what is shown as the latest: the higher step, then the later clock, then the larger value."""
    left, right = (one.step, one.at_ms), (other.step, other.at_ms)
    return left > right or (left == right and (other.value != other.value or one.value > other.value))  # NaN
