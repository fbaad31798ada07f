"""What one may ask of the books: a funder's report, the lines behind each figure, a project's pace, and what was sold of the machine."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from fabriek.access.service import Access
from fabriek.funding.allocations import Allocation
from fabriek.funding.giving.quarters import Quarter
from fabriek.funding.giving.shares import Share
from fabriek.funding.ledger import Entry, Kind, kind_of
from fabriek.funding.policy.book import PolicyBook
from fabriek.funding.ports import Allocations, Funds, Ledger
from fabriek.funding.reporting.burning import WEEK, WEEKS_MAX, Burndown, forecast
from fabriek.funding.reporting.periods import Period, of_quarter, of_year
from fabriek.funding.reporting.ports import Figures, Look, Sum
from fabriek.funding.reporting.public import Page, public_page
from fabriek.funding.reporting.report import Gathered, Report, report_of
from fabriek.funding.reporting.rows import OF_ALL_TIME, OF_THE_SHARE, TURNED, Dimension, Place, Row
from fabriek.funding.reporting.seeing import sees_all
from fabriek.funding.reporting.selling import Sold, per_day, sold_of
from fabriek.funding.reporting.suppressing import Group
from fabriek.funding.reporting.values import Value
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, nothing_here

ALL = "all"
"""The name of all shares together."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The lines behind a figure. `total` = the amounts of all lines + `folded`: of lines that are not shown one by one, `folded_lines` of
    them. Amounts are as they count in the row: what was awarded counts above zero.
    """

    place: Place
    total: int
    lines: Sequence[tuple[Entry, int]]
    folded: int
    folded_lines: int
    after: str


class Reporting:
    def __init__(
        self, figures: Figures, books: Ledger, funds: Funds, allocations: Allocations, policy: PolicyBook, *, access: Access, clock: Clock,
        zone: ZoneInfo, values: Sequence[Value], gives: Callable[[], Mapping[Resource, int]],
    ) -> None:  # fmt: skip
        """gives: what the whole machine can give in a day at most, for resources of which the policy says nothing."""
        self._figures, self._books, self._funds, self._allocations, self._policy = (
            figures,
            books,
            funds,
            allocations,
            policy,
        )
        self._access, self._clock, self._zone, self._values, self._gives = access, clock, zone, values, gives

    def shares(self, *, by: Caller) -> Sequence[Share]:
        """Those whose reports the caller may read."""
        require(by, "funding.view")
        return [one for one in self._funds.shares() if sees_all(by) or one.funder == by.organisation]

    def of_share(self, name: str, quarter: Quarter, *, by: Caller) -> Report:
        """The report of one share, by its name, its id or its funder's. Raises NotFound on one that the caller may not know of, InvalidInput
        on a quarter that has not begun.
        """
        share = self._share(name, by)
        return self._report(share.name, [share], self._begun(of_quarter(quarter, self._zone)))

    def of_year(self, year: int, *, by: Caller) -> Report:
        """All shares together over a year. Raises InvalidInput on one that has not begun."""
        return self._year(year, by)[0]

    def page(self, year: int, *, by: Caller) -> Page:
        """The page for parliament and press, from the same figures; as `of_year`. It is for all, so that whoever sees figures may ask for it."""
        report, gathered = self._year(year, by)
        allocations, period = self._allocations.all(), report.period
        payers: list[tuple[str, int]] = []
        for share in self._funds.shares():
            mine = report_of(share.name, {share.id}, period, gathered, allocations, (), report.made_at)
            line = mine.line(Resource.GPU_HOUR)
            payers.append((share.name, line.rows[Row.USED] + line.rows[Row.CORRECTED_USE] if line else 0))
        return public_page(report, payers)

    def _year(self, year: int, by: Caller) -> tuple[Report, Gathered]:
        require(by, "funding.view")
        if not 2000 <= year <= 9998:
            raise InvalidInput(f"{year} is not a year", fix="write it like 2026")
        period, shares = self._begun(of_year(year, self._zone)), self._funds.shares()
        gathered, ids = self._figures.gathered(period), {one.id for one in shares}
        made = report_of(ALL, ids, period, gathered, self._allocations.all(), self._values, self._clock.now())
        return made, gathered

    def open(self, name: str, quarter: Quarter, place: Place, *, after: str = "", limit: int, by: Caller) -> Opened:
        """The lines behind one figure of a share's report. Raises NotFound as `of_share` does, InvalidInput on a group that is not there."""
        share, period = self._share(name, by), self._begun(of_quarter(quarter, self._zone))
        whole = sees_all(by)
        report = None if whole and place.dimension is None else self._report(share.name, [share], period)
        words = _group_of(report, place).hidden if report and place.dimension else ()
        look = Look(share.id, period, place, words or ((place.word,) if place.word else ()))
        hides = report is not None and not whole and place.row not in OF_THE_SHARE
        beside = Look(look.share, period, place, look.words, report.folded) if report and hides else look
        total = self._figures.sum_of(look)
        seen = self._figures.sum_of(beside) if hides else total
        # What stood at the end has lines of all time, and corrections those of earlier quarters, in which others were folded: a sum alone.
        apart = hides and place.row in OF_ALL_TIME
        found = [] if apart else self._figures.lines_of(beside, after=after, limit=limit + 1)
        seen = Sum(0, 0) if apart else seen
        sign = -1 if place.row in TURNED else 1
        shown = found[:limit]
        return Opened(
            place, sign * total.amount, [(one, sign * one.amount_micro) for one in shown], sign * (total.amount - seen.amount),
            total.lines - seen.lines, shown[-1].id if len(found) > limit else "",
        )  # fmt: skip

    def burndown(self, project: str, *, by: Caller) -> Sequence[Burndown]:
        """How a project spends each resource, and when it runs out. Raises NotPermitted, NotFound."""
        found = self._access.project(project)
        require(by, "project.view", project=found.id)
        today, owned = self._clock.today(), self._allocations.of_project(found.id)
        current = {one.id: one for one in owned if one.ends_on >= today}
        sums: dict[Resource, dict[Kind, int]] = {}
        ends: dict[Resource, list[Allocation]] = {}
        for (name, resource), amount in self._books.balances_of(one.id for one in owned).items():
            kind, owner = kind_of(name), name.partition(":")[2]
            if owner in current or kind is Kind.DEBT:
                of = sums.setdefault(resource, dict.fromkeys(Kind, 0))
                of[kind] += amount
            if kind is Kind.ALLOCATION and owner in current:
                ends.setdefault(resource, []).append(current[owner])
        first = today - WEEK * WEEKS_MAX
        days = [first + timedelta(days=number) for number in range((today - first).days + 1)]
        midnights = [(day, datetime.combine(day, time(tzinfo=self._zone))) for day in days]
        until = datetime.combine(today + timedelta(days=1), time(tzinfo=self._zone))
        daily = self._figures.daily_use([one.id for one in owned], midnights, until) if owned else {}
        made: list[Burndown] = []
        for resource, of in sorted(sums.items()):
            use = daily.get(resource, {})
            last = max((one.ends_on for one in ends.get(resource, [])), default=None)
            left = of[Kind.ALLOCATION]
            told = forecast(use, left, today, last)
            began = min((day for day, used in use.items() if used), default=first)
            each = [(day, use.get(day, 0)) for day in days if day >= began - timedelta(days=1)]
            made.append(Burndown(resource, sum(of.values()), left, of[Kind.HOLD], -of[Kind.DEBT], last, each, told))
        return made

    def capacity(self, *, by: Caller) -> Sequence[Sold]:
        """What was sold of the machine against what it gives. For those who see all shares."""
        require(by, "funding.view")
        if not sees_all(by):
            raise nothing_here()
        today, policy, gives = self._clock.today(), self._policy.now(), self._gives()
        current = {one.id: one for one in self._allocations.all() if one.ends_on >= today}
        open_amounts: dict[Resource, dict[str, int]] = {}
        for (name, resource), amount in self._books.balances_of(current).items():
            kind, owner = kind_of(name), name.partition(":")[2]
            if kind in {Kind.ALLOCATION, Kind.HOLD} and amount:
                of = open_amounts.setdefault(resource, {})
                of[owner] = of.get(owner, 0) + amount
        return [
            sold_of(
                resource, [(current[one].ends_on, amount) for one, amount in of.items()],
                lambda day, what=resource: per_day(gives, what, policy.supply_on(what, day)), today,  # type: ignore[misc]
            )
            for resource, of in sorted(open_amounts.items())
        ]  # fmt: skip

    def _share(self, name: str, by: Caller) -> Share:
        for one in self.shares(by=by):
            if name in {one.name, one.id} or name == self._access.organisation(one.funder).slug:
                return one
        raise nothing_here()

    def _begun(self, period: Period) -> Period:
        if period.first > self._clock.today():
            raise InvalidInput(f"{period.name} has not begun", fix=f"it begins on {period.first}")
        return period

    def _report(self, name: str, shares: Sequence[Share], period: Period) -> Report:
        gathered = self._figures.gathered(period)
        ids = {one.id for one in shares}
        return report_of(name, ids, period, gathered, self._allocations.all(), self._values, self._clock.now())


def _group_of(report: Report, place: Place) -> Group:
    line = report.line(place.resource)
    groups = line.groups[Dimension(place.dimension)] if line and place.dimension else ()
    found = next((one for one in groups if one.word == place.word), None)
    if found is None:
        raise InvalidInput(
            f"the report shows no group {place.word!r}", fix=f"one of {', '.join(one.word for one in groups)}"
        )
    return found
