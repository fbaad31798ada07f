"""A metric: points over steps and time. A value is kept as its 64 bits, so that it comes back as it was sent."""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from fabriek.lab.names import check_key, invalid

_WHOLE = struct.Struct("<q")
_REAL = struct.Struct("<d")
_SIGN = 0x7FFF_FFFF_FFFF_FFFF
RANK_OF_NAN: int = _WHOLE.unpack(_REAL.pack(math.nan))[0] & _SIGN
"""Every NaN is kept as this one, which is above all numbers."""

INTEGER_MAX = 2**63 - 1

Place = tuple[int, int, int]
"""Where a point stands in its series: its instant, its step, and its value as `rank`."""


class Metric(NamedTuple):
    """One point. `value` may be NaN or infinite; `at_ms` is the client's own clock, in milliseconds since 1970."""

    key: str
    value: float
    at_ms: int
    step: int = 0

    @property
    def place(self) -> Place:
        return (self.at_ms, self.step, rank(self.value))


@dataclass(frozen=True, slots=True)
class ModelMetric:
    """The newest value of a metric that a run measured of one model, on the data it names."""

    model: str
    run: str
    metric: Metric
    dataset_name: str = ""
    dataset_digest: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """All points of one metric of a run. `last`: what is shown as its newest value; `end`: the place of its last point in order of time."""

    id: int
    run: str
    key: str
    count: int
    last: Metric
    end: Place


def rank(value: float) -> int:
    """A whole number of 64 bits that stands for the value, to the bit, and sorts as the values do; NaN comes last."""
    bits: int = RANK_OF_NAN if math.isnan(value) else _WHOLE.unpack(_REAL.pack(value))[0]
    return bits if bits >= 0 else bits ^ _SIGN


def value_of(ranked: int) -> float:
    """The value that `rank` made the number of."""
    bits = ranked if ranked >= 0 else ranked ^ _SIGN
    value: float = _REAL.unpack(_WHOLE.pack(bits))[0]
    return value


def values_of(ranked: Sequence[int]) -> Sequence[float]:
    """The same of many at once, which takes a fifth of the time."""
    bits = [one if one >= 0 else one ^ _SIGN for one in ranked]
    return struct.unpack(f"<{len(bits)}d", struct.pack(f"<{len(bits)}q", *bits))


def newest_first(place: Place) -> tuple[int, int, int]:
    """What decides which point is shown as the newest value: the higher step, then the later clock, then the larger value."""
    at_ms, step, ranked = place
    return (step, at_ms, ranked)


@lru_cache(maxsize=4096)
def checked_key(key: str) -> str:
    """A metric's name; a training loop sends the same one a million times. Raises InvalidInput."""
    return check_key(key, "name")


def check_metrics(points: Sequence[Metric]) -> None:
    """Raises InvalidInput on a name that cannot be one, and on numbers beyond 64 bits."""
    for key, _, at_ms, step in points:
        checked_key(key)
        if not 0 <= at_ms <= INTEGER_MAX:
            raise invalid("timestamp", at_ms, f"metric '{key}'. Timestamp must be a nonnegative long (64-bit integer)")
        if not -INTEGER_MAX - 1 <= step <= INTEGER_MAX:
            raise invalid("step", step, f"metric '{key}'. Step must be a valid long (64-bit integer).")
