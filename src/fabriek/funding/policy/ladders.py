"""The power ladder: what is done, and when, where more stands than a limit on power will allow. A row of the policy."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from fabriek.kernel.dated import in_force, read_rows
from fabriek.kernel.units import MICRO, micro, shown

SECONDS_MAX = 7 * 86_400
"""No step begins more than a week before its limit."""


class Drain(StrEnum):
    """Up to which priority jobs that cannot be put back may be ended."""

    NONE = "none"
    ECO = "eco"
    NORMAL = "normal"
    URGENT = "urgent"


@dataclass(frozen=True, slots=True)
class Ladder:
    """hold_seconds, cap_seconds, suspend_seconds, drain_seconds: how long before the limit begins each step is to be done, beside the time that a
    job needs to leave. cap_part: millionths of its full draw to which the GPUs of an eco job are bounded; 0 for no such step. drain: up to
    which priority jobs that cannot be put back are ended, at last.
    """

    hold_seconds: int
    cap_seconds: int
    cap_part: int
    suspend_seconds: int
    drain: Drain
    drain_seconds: int
    valid_from: date
    source: str

    def said(self) -> str:
        """What it says, as a person reads it."""
        capped = f", eco jobs at {shown(self.cap_part * 100)} % {self.cap_seconds} s" if self.cap_part else ""
        drained = (
            "nothing is ended"
            if self.drain is Drain.NONE
            else f"jobs up to {self.drain} are ended {self.drain_seconds} s before"
        )
        return f"starts are held {self.hold_seconds} s{capped}, jobs are put back {self.suspend_seconds} s before a limit; {drained}"


def ladders_of(text: str) -> tuple[Ladder, ...]:
    """The rows of a TOML text such as data/ladder.toml. Raises InvalidInput."""
    return read_rows(text, "ladder", _ladder)


def ladder_on(rows: tuple[Ladder, ...], on: date) -> Ladder | None:
    """That in force; None before the first: then starts are held by the envelope, and what stands is left alone."""
    return in_force(rows, on)


def _ladder(row: dict[str, Any]) -> Ladder:
    part = micro(row["cap_part"])
    if not 0 <= part < MICRO:
        raise ValueError(f"cap_part is from 0 until below 1, and not {row['cap_part']}")
    times = {name: int(row[name]) for name in ("hold_seconds", "cap_seconds", "suspend_seconds", "drain_seconds")}
    if not 0 <= min(times.values()) <= max(times.values()) <= SECONDS_MAX:
        raise ValueError(f"each step begins from 0 to {SECONDS_MAX} s before a limit")
    if times["hold_seconds"] < max(times["cap_seconds"], times["suspend_seconds"], times["drain_seconds"]):
        raise ValueError("starts are held before anything else is done: hold_seconds is the longest")
    if times["drain_seconds"] > times["suspend_seconds"]:
        raise ValueError("jobs are put back before others are ended: drain_seconds is at most suspend_seconds")
    return Ladder(cap_part=part, drain=Drain(row["drain"]), valid_from=row["valid_from"], source=row["source"], **times)
