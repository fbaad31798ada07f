"""A job that ran at a site we do not run, as that site's accounts tell it, and what becomes of it when it is told again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fabriek.funding.resources import Resource

AHEAD_MAX = timedelta(hours=1)
"""How far a site's clock may be ahead of ours. What would end later than that is told in the wrong unit or zone."""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """One execution: a job that the site put back into its queue has another start. `task`: of an array `4`, of a heterogeneous job `+1`."""

    site: str
    cluster: str
    job: str
    task: str
    started_at: datetime

    def __str__(self) -> str:
        task = f"_{self.task}" if self.task else ""
        return f"{self.site}/{self.cluster}/{self.job}{task}@{self.started_at:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the accounts. `line`: where it stands in the dump; `account`: the site's word, not ours."""

    line: int
    key: ForeignKey
    account: str
    state: str
    elapsed_seconds: int
    gpus: int
    cpus: int
    is_over: bool


@dataclass(frozen=True, slots=True)
class Mapped:
    """Whose work an account of the site is. An empty cluster means every cluster of the site, an empty purpose the project's."""

    account: str
    project: str
    cluster: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class ForeignJob:
    """As it stands in our books. `transaction`: the posting that charges it now; `used_micro` = charged + over, in millionths of `resource`.

    `over_micro` is what no allocation covered: it was computed all the same, so it is shown, and never booked below zero.
    `is_claimed`: a member said so of their own job; the site's own accounts put it right. `at`: when it was last written.
    """

    key: ForeignKey
    project: str
    purpose: str
    account: str
    state: str
    elapsed_seconds: int
    gpus: int
    cpus: int
    is_over: bool
    is_claimed: bool
    resource: Resource
    used_micro: int
    over_micro: int
    transaction: str
    dump: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that could not be booked, and why: for people to read, kept apart until they mend the map or the dump."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Dump:
    """One import of one file. lines_in = booked + known + skipped + quarantined, at every moment; `corrected` are among the booked."""

    id: str
    site: str
    file: str
    sha256: str
    person: str
    opened_at: datetime
    accounts: tuple[Mapped, ...]
    closed_at: datetime | None = None
    lines_in: int = 0
    booked: int = 0
    corrected: int = 0
    known: int = 0
    skipped: int = 0
    quarantined: int = 0


class Again(StrEnum):
    """What a line is to a job that we know."""

    KNOWN = "known"
    CORRECTED = "corrected"
    DISPUTED = "disputed"


def whose(accounts: tuple[Mapped, ...], account: str, cluster: str) -> Mapped | None:
    """The row for this account; one that names the cluster goes before one that does not. None: nobody said, and nobody guesses."""
    fitting = [one for one in accounts if one.account == account and one.cluster in {"", cluster}]
    return max(fitting, key=lambda one: bool(one.cluster), default=None)


def compare(known: ForeignJob, told: Told, *, is_claimed: bool) -> Again:
    """A job only grows until it has ended: an older dump changes nothing, and neither does the same one. Of one that ended another figure
    is a dispute, except that the site's own accounts go before what a member claimed.
    """
    same = (known.elapsed_seconds, known.gpus, known.cpus) == (told.elapsed_seconds, told.gpus, told.cpus)
    if known.is_claimed and not is_claimed:
        return Again.CORRECTED
    if is_claimed and not known.is_claimed:
        return Again.KNOWN
    if not known.is_over:
        grown = told.is_over or told.elapsed_seconds > known.elapsed_seconds
        return Again.CORRECTED if grown else Again.KNOWN
    return Again.KNOWN if same or not told.is_over else Again.DISPUTED


def is_ahead(told: Told, now: datetime) -> bool:
    """Whether it would have run in the future."""
    return told.key.started_at + timedelta(seconds=told.elapsed_seconds) > now + AHEAD_MAX
