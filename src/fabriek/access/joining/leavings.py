"""Somebody left: when, why, what they held, and whether everything that they had open is closed."""

from dataclasses import dataclass
from datetime import datetime

WHY_MAX = 200


@dataclass(frozen=True, slots=True)
class Leaving:
    """`held`: project id → the role that they had there. `left_alone`: projects that were left without a lead. `closed_at`: when the last key that
    they could have known was replaced; None while that still has to be done.
    """

    id: str
    person: str
    why: str
    by: str
    left_at: datetime
    held: dict[str, str]
    left_alone: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    closed_at: datetime | None = None
