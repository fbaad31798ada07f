"""GPUs as they are asked for and as they are there: a kind, and an amount in thousandths of a device, so that nothing is ever rounded."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fabriek.kernel.errors import InvalidInput

MILLI = 1_000
"""Thousandths in one device."""

UNNAMED = "gpu"
"""The kind of GPUs that the operator only counted."""

_ASKED = re.compile(r"(?:([A-Za-z][A-Za-z0-9._-]{0,31}):)?(\d{1,6}(?:\.\d{1,3})?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Gpus:
    """What a job takes on each of its nodes: whole devices, or a part of one. `kind`: empty takes any, all of one kind.

    Raises InvalidInput on an amount that would be a part of one device and of another too.
    """

    milli: int = 0
    kind: str = ""

    def __post_init__(self) -> None:
        if self.milli < 0 or (self.milli > MILLI and self.milli % MILLI):
            above = -(-self.milli // MILLI)
            raise InvalidInput(
                f"a job takes whole GPUs or a part of one, not {amount(self.milli)}",
                fix=f"ask for --gpus {Gpus(max(above, 0) * MILLI, self.kind)}",
            )

    def __bool__(self) -> bool:
        return self.milli > 0

    def __str__(self) -> str:
        """As it is asked for: `a100:2`, `0.25`."""
        return f"{self.kind}:{amount(self.milli)}" if self.kind else amount(self.milli)

    @property
    def devices(self) -> int:
        """On how many devices of a node it stands."""
        return -(-self.milli // MILLI)

    @property
    def part_milli(self) -> int:
        """Of the one device that is shared with others; 0 where whole ones are asked for."""
        return self.milli % MILLI


@dataclass(frozen=True, slots=True)
class Kind:
    """GPUs that are alike. `slice_milli`: the smallest part of one that may be asked for; a whole one where they are not shared."""

    name: str
    count: int
    slice_milli: int = MILLI

    @property
    def shared(self) -> bool:
        return self.slice_milli < MILLI


def amount(milli: int) -> str:
    """2000 → `2`, 250 → `0.25`."""
    return f"{Decimal(milli) / MILLI:f}".rstrip("0").rstrip(".") if milli % MILLI else str(milli // MILLI)


def gpus_of(said: str | float) -> Gpus:
    """`2`, `0.25`, `a100:2` or `h100:0.5`. Raises InvalidInput."""
    found = _ASKED.fullmatch(str(said).strip())
    if found is None:
        raise InvalidInput(f"{str(said)[:40]!r} is no number of GPUs", fix="--gpus 2, --gpus a100:2 or --gpus 0.25")
    return Gpus(int(Decimal(found[2]) * MILLI), (found[1] or "").lower())


def kinds_of(named: str, shared: str, count: int) -> tuple[Kind, ...]:
    """The kinds that an operator's settings name. named: `a100:4,h100:2`; shared: `a100:0.25` for each kind that may be shared, with its
    smallest part; count: how many there are where none is named. Raises InvalidInput, naming the setting.
    """
    counts = {one.kind: one for one in _listed(named, "job_gpus")}
    if any(one.part_milli or not one.kind for one in counts.values()):
        raise InvalidInput(f"job_gpus = {named!r} does not name kinds and counts", fix="job_gpus = 'a100:4,h100:2'")
    if counts and count not in {0, sum(one.devices for one in counts.values())}:
        raise InvalidInput(f"job_gpus = {named!r} and job_gpus_max = {count} differ", fix="leave job_gpus_max out")
    if not counts and count:
        counts = {UNNAMED: Gpus(count * MILLI, UNNAMED)}
    slices = {one.kind or UNNAMED: one.milli for one in _listed(shared, "job_gpus_shared")}
    for kind, milli in slices.items():
        if kind not in counts or not 0 < milli <= MILLI or MILLI % milli:
            raise InvalidInput(
                f"job_gpus_shared = {shared!r}: {kind} is no kind of job_gpus, or cannot be cut so",
                fix="job_gpus_shared = 'a100:0.25': a kind that is there, and a part that goes into one evenly",
            )
    return tuple(Kind(kind, one.devices, slices.get(kind, MILLI)) for kind, one in counts.items())


def may_be(gpus: Gpus, kinds: Sequence[Kind]) -> tuple[Kind, ...]:
    """The kinds, in the operator's order, that can be given for what is asked."""
    alike = [kind for kind in kinds if gpus.kind in {"", kind.name}]
    return tuple(kind for kind in alike if gpus.part_milli % kind.slice_milli == 0)


def _listed(text: str, setting: str) -> Iterator[Gpus]:
    for one in filter(None, (part.strip() for part in text.split(","))):
        try:
            yield gpus_of(one)
        except InvalidInput as error:
            raise InvalidInput(f"{setting}: {error.detail}", fix=f"{setting} = 'a100:4,h100:2'") from None
