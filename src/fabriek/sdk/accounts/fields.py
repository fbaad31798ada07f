"""What is said of a job in either form of `sacct`: its name, its state, what it had. Each raises ValueError with a sentence for people."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError

from fabriek.kernel.invalid import field_of, in_words
from fabriek.schemas.foreign import ForeignJobIn, RefusedLine

WAITING = frozenset({"PENDING"})
ON_THE_WAY = frozenset({
    "RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING", "RESIZING", "STOPPED", "SIGNALING", "STAGE_OUT", "SPECIAL_EXIT",
})  # fmt: skip
OVER = frozenset({
    "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "BOOT_FAIL", "DEADLINE", "PREEMPTED", "REVOKED",
    "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "LAUNCH_FAILED", "RECONFIG_FAIL",
})  # fmt: skip
"""Source: sacct(1) and squeue(1) of Slurm 22.05 and 24.11, JOB STATE CODES."""

_NAME = re.compile(r"(?P<job>[0-9]{1,19})(?:_(?P<task>[0-9]{1,10})|(?P<part>\+[0-9]{1,6}))?")
_WAITING_ARRAY = re.compile(r"[0-9]{1,19}_\[[0-9,:%-]*(\.\.\.)?\]")
_STEP = re.compile(r"[0-9_+]{1,30}\.[A-Za-z0-9+_-]{1,60}")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that is no job's use: a step, a job that has not begun, one that took no time."""


Read = ForeignJobIn | RefusedLine | Skipped


def is_step(name: str) -> bool:
    """`17.batch`, `17_3.0`: a part of a job that is counted with it."""
    return _STEP.fullmatch(name) is not None


def name_of(text: str) -> tuple[str, str]:
    """`17`, `17_3` or `17+1` → job and task."""
    found = _NAME.fullmatch(text)
    if found is None:
        if _WAITING_ARRAY.fullmatch(text):
            raise ValueError("an array that waits cannot have begun")
        raise ValueError(f"{text[:40]!r} names no job")
    return found["job"], found["task"] or found["part"] or ""


def state_of(text: str) -> str:
    """`CANCELLED by 1000` → `CANCELLED`."""
    word = (text.split() or [""])[0].rstrip("+")
    if word not in WAITING | ON_THE_WAY | OVER:
        raise ValueError(f"{text[:40]!r} is not a state of Slurm")
    return word


def tres_of(text: str) -> dict[str, int]:
    """`cpu=4,gres/gpu=2,mem=8G` → counts of what is counted. Memory and energy are left out."""
    counts = {}
    for one in text.split(",") if text else ():
        name, equals, amount = one.partition("=")
        if not equals:
            raise ValueError(f"{one[:40]!r} in AllocTRES has no amount")
        if name == "cpu" or name.startswith("gres/gpu"):
            if not (amount.isascii() and amount.isdigit()):
                raise ValueError(f"{one[:40]!r} in AllocTRES is not a whole number")
            counts[name] = int(amount)
    return counts


def gpus_of(counts: Iterable[tuple[str, int]]) -> int:
    """Of `gres/gpu`; where only kinds are counted (`gres/gpu:a100`), their sum. Where both are, the kinds are among the whole."""
    by_name = dict(counts)
    if "gres/gpu" in by_name:
        return by_name["gres/gpu"]
    return sum(count for name, count in by_name.items() if name.startswith("gres/gpu:"))


def seconds_of(text: str) -> int:
    """`1-02:03:04`, `02:03:04` or `3723`."""
    if text.isascii() and text.isdigit():
        return int(text)
    found = re.fullmatch(r"(?:([0-9]{1,5})-)?([0-9]{1,2}):([0-9]{2}):([0-9]{2})", text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a time that a job ran")
    days, hours, minutes, seconds = (int(one or 0) for one in found.groups())
    return days * 86_400 + hours * 3_600 + minutes * 60 + seconds


def checked(line: int, **fields: object) -> Read:
    """The job, or why it is none."""
    try:
        return ForeignJobIn.model_validate({"line": line, **fields})
    except ValidationError as error:
        first = error.errors()[0]
        return RefusedLine(line=line, reason=f"{field_of(first)} {in_words(first)}"[:1_000])
