"""An auditor's link: a secret that opens a read-only view of the ledger until a day, and what it opened in one browser."""

from dataclasses import dataclass
from datetime import datetime, timedelta

VISIT_FOR = timedelta(hours=8)
"""A day's work; then the link is opened again."""

OPEN_FOR_MAX = timedelta(days=366)
OPEN_MAX = 50
"""Of one organisation."""

LOOKS_MAX = 60
"""In a minute: a person leafs through pages, and a program has the export."""

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class AuditorLink:
    """`hash`: of the secret, which is shown once. `quarter`: the only one that it opens; empty is all. `organisation`: of whoever made it."""

    id: str
    hash: str
    name: str
    email: str
    organisation: str
    quarter: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """A browser in which the link was opened. `hash`: of its cookie."""

    hash: str
    link: str
    expires_at: datetime
    minute_at: datetime
    looks: int = 0


def is_open(link: AuditorLink, now: datetime) -> bool:
    """The last instant does not count."""
    return link.ended_at is None and now < link.expires_at


def state_at(link: AuditorLink, now: datetime) -> str:
    return "open" if is_open(link, now) else "ended" if link.ended_at is not None else "expired"
