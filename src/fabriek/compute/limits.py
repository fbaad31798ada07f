"""Limits on power as they were announced: who said so, from when to when, and how much may be drawn."""

from dataclasses import dataclass, replace
from datetime import datetime

from fabriek.kernel.errors import InvalidInput, WrongState


@dataclass(frozen=True, slots=True)
class AnnouncedLimit:
    """Between `starts_at` and `ends_at` the factory draws at most `watts`."""

    id: str
    starts_at: datetime
    ends_at: datetime
    watts: int
    source: str


def check(limit: AnnouncedLimit, now: datetime) -> None:
    """Raises InvalidInput on a limit that ends before it begins, or has passed."""
    if limit.ends_at <= limit.starts_at:
        raise InvalidInput("the limit ends before it begins", fix="swap --from and --to")
    if limit.ends_at <= now:
        raise InvalidInput("the limit has passed already", fix="give a --to in the future")


def ended(limit: AnnouncedLimit, now: datetime) -> AnnouncedLimit:
    """The limit taken back from now on. Raises WrongState when it is over."""
    if limit.ends_at <= now:
        raise WrongState(f"limit {limit.id} is over", fix="fabriek power limit ls")
    return replace(limit, starts_at=min(limit.starts_at, now), ends_at=now)
