"""Reports on the wire. Amounts are in whole units of a resource, as decimal text, since the ledger is exact."""

from datetime import date, datetime

from fabriek.schemas.base import Wire
from fabriek.schemas.funding import EntryOut


class GroupOut(Wire):
    """`word` is `other` for groups that would tell of one organisation, together."""

    word: str
    used: str
    organisations: int


class ReportLineOut(Wire):
    """One resource. Waits are of jobs that began; energy and CO2 are estimated; `value_source` says whose rate it is."""

    resource: str
    rows: dict[str, str]
    jobs: int
    waited_mean_seconds: int | None
    waited_p95_seconds: int | None
    energy_kwh: str
    co2_kg: str = "0"
    value_euro: str
    value_source: str
    groups: dict[str, list[GroupOut]]


class ReportOut(Wire):
    share: str
    period: str
    first: date
    last: date
    made_at: datetime
    is_open: bool
    organisations: int
    smes: int
    projects: int
    energy_kwh: str
    co2_kg: str = "0"
    value_euro: str
    lines: list[ReportLineOut]


class OpenedOut(Wire):
    """The lines behind a figure: `total` is what `items` of all pages count together, and `folded` of lines that are not shown one by one.
    An amount is as it counts in the row. `after`: what the next page is asked for with; empty at the end.
    """

    row: str
    resource: str
    total: str
    folded: str
    folded_lines: int
    items: list[EntryOut]
    after: str


class DayOut(Wire):
    day: date
    used: str
    left: str


class BurndownOut(Wire):
    """`outlook`: runs_out, lasts, stands_still, too_little_history or empty; `says` tells it in words."""

    resource: str
    granted: str
    left: str
    held: str
    owed: str
    ends_on: date | None
    outlook: str
    on: date | None
    earliest: date | None
    latest: date | None
    weeks: int
    each_week: str
    says: str
    days: list[DayOut]


class DueOut(Wire):
    on: date
    sold: str
    there: str
    percent: int | None
    is_over: bool


class SoldOut(Wire):
    """`dues` by day, each with all that ends before it; `is_known`: whether anything says what the machine gives."""

    resource: str
    is_known: bool
    dues: list[DueOut]


class PagePartOut(Wire):
    heading: str
    sentences: list[str]


class PublicPageOut(Wire):
    title: str
    parts: list[PagePartOut]
    text: str
