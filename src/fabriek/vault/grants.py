"""A grant: one version's manifest key, handed to one caller for a short time. Grants are kept: they are the log of who opened what."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fabriek.vault.agreeing.agreements import DataRight

LASTS = timedelta(hours=12)
"""For a person: long enough to pull a large version, short enough to forget."""

LASTS_FOR_JOB = timedelta(days=7)
"""For a job: longer than any may run. It ends with the job."""


@dataclass(frozen=True, slots=True)
class Grant:
    """`person` holds it, or the node of the `job` that this person submitted. `project` is the one that was acted in, empty when none
    was needed, and `purpose` what for.
    """

    id: str
    version: str
    dataset: str
    project: str
    person: str
    job: str
    right: DataRight
    opened_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    purpose: str = ""


def is_alive(grant: Grant, now: datetime) -> bool:
    return grant.ended_at is None and now < grant.expires_at
