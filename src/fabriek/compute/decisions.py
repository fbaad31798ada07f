"""What admission says of one waiting job."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fabriek.compute.placement import Placement


class Because(StrEnum):
    """Why, as a word that a program may compare."""

    FITS = "fits"
    BORROWS = "borrows"
    NO_ROOM = "no_room"
    POWER = "power"
    SHARE = "share"
    CEILING = "ceiling"
    BEHIND = "behind"
    HELD = "held"
    TOO_BIG = "too_big"
    DEPENDENCY = "dependency"
    NOT_BEFORE = "not_before"
    ARRAY = "array"


@dataclass(frozen=True, slots=True)
class Decision:
    """On one waiting job. `until`: when it is expected to start, going by the worst case of all that is known; None if not known.
    `placed`: where, for one that starts. `preempts`: the running jobs that are to be put back into the queue for it.
    """

    job: str
    starts: bool
    code: Because
    reason: str
    until: datetime | None = None
    placed: Placement | None = None
    preempts: tuple[str, ...] = ()
