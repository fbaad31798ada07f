"""A rotation: everything under an old key wrapped anew, until nothing is left under it and it is destroyed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MASTER = "master"

SETTLES_AFTER = timedelta(minutes=10)
"""How long an old master key stays after the new one wraps: a request that was under way in any server has ended by then."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """`what` is `master` or a dataset; `target` the name of the new master key, or the number of the new epoch. Progress is not counted
    here: what is left is what is not under the target.
    """

    id: str
    what: str
    target: str
    begun_by: str
    begun_at: datetime
    rewrapped_at: datetime | None = None
    destroyed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """Something that is wrapped under the master key: where it is kept, what it is bound to, and the wrapped key itself."""

    place: tuple[str, ...]
    context: bytes
    wrapped: bytes
