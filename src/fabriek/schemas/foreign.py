"""The accounts of other sites on the wire. Amounts are decimal text in whole units of a resource."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from fabriek.schemas.base import Slug, Wire, written

Account = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Cluster = Annotated[str, written(r"^[A-Za-z0-9._-]{1,64}$", "letters, digits, dots, _ and -, 64 at most")]
Sha256 = Annotated[str, written("^[0-9a-f]{64}$", "a SHA-256 in hexadecimal")]
Line = Annotated[int, Field(ge=0, le=10**12)]
Count = Annotated[int, Field(ge=0, le=10**6)]


Began = Annotated[AwareDatetime, Field(ge=datetime(1990, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]
"""Within what calendars and time zones can reckon with."""

LINES_MAX = 250
"""Of one batch: at some milliseconds each, its transaction stays below what others would notice."""


class MappedIn(Wire):
    """Whose work an account of the site is. No cluster: every cluster of the site; no purpose: the project's."""

    account: Account
    project: Slug
    cluster: Annotated[str, Field(max_length=64)] = ""
    purpose: Annotated[str, Field(max_length=40)] = ""


class DumpIn(Wire):
    """`sha256`: of the whole file, as it is kept in the audit log."""

    site: Slug
    file: Annotated[str, Field(max_length=500)] = ""
    sha256: Sha256
    accounts: Annotated[list[MappedIn], Field(min_length=1, max_length=5_000)]


class ForeignJobIn(Wire):
    """One execution at another site. `line`: where it stands in the file; `task`: of an array `4`, of a heterogeneous job `+1`."""

    line: Line = 0
    cluster: Cluster
    job: Annotated[str, written("^[0-9]{1,19}$", "a number")]
    task: Annotated[str, written(r"^([0-9]{1,10}|\+[0-9]{1,6})?$", "the number of a task")] = ""
    started_at: Began
    account: Account
    state: Annotated[str, written("^[A-Z_]{1,30}$", "a state in capitals")]
    elapsed_seconds: Annotated[int, Field(ge=1, le=10**9)]
    gpus: Count = 0
    cpus: Count = 0
    is_over: bool


class RefusedLine(Wire):
    """A line that is not in the books, and why."""

    line: Line
    reason: Annotated[str, Field(min_length=1, max_length=1_000)]


class BatchIn(Wire):
    """`refused` and `skipped`: what the reader could not read, and how many lines are no job's use (steps, jobs that never ran)."""

    jobs: Annotated[list[ForeignJobIn], Field(max_length=LINES_MAX)] = Field(default_factory=list)
    refused: Annotated[list[RefusedLine], Field(max_length=LINES_MAX)] = Field(default_factory=list)
    skipped: Annotated[int, Field(ge=0, le=10**9)] = 0


class PreviewIn(Wire):
    """A batch that is only looked at."""

    site: Slug
    accounts: Annotated[list[MappedIn], Field(min_length=1, max_length=5_000)]
    jobs: Annotated[list[ForeignJobIn], Field(max_length=LINES_MAX)]


class ForeignTotalOut(Wire):
    """`used` is what ran; `over` the part of it that no allocation covered, which is shown and not charged."""

    project: str
    site: str
    resource: str
    jobs: int
    used: str
    over: str


class PreviewOut(Wire):
    """What a batch would come to, by itself."""

    booked: int
    corrected: int
    known: int
    refused: list[RefusedLine]
    totals: list[ForeignTotalOut]


class DumpOut(Wire):
    """lines_in = booked + known + skipped + quarantined, at every moment; `corrected` are among the booked."""

    id: str
    site: str
    file: str
    sha256: str
    opened_at: datetime
    closed_at: datetime | None = None
    lines_in: int
    booked: int
    corrected: int
    known: int
    skipped: int
    quarantined: int
