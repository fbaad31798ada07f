"""A funder's report: figures of one share and period, made of sums over the ledger and of nothing else."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from fabriek.access.describing import SMALL
from fabriek.funding.allocations import Allocation
from fabriek.funding.ledger import Kind, kind_of
from fabriek.funding.reporting.periods import Period
from fabriek.funding.reporting.rows import STANDING, TURNED, UNSAID, Dimension, Row, row_of_share_line
from fabriek.funding.reporting.suppressing import Group, folded, suppressed
from fabriek.funding.reporting.values import Value, value_on, worth
from fabriek.funding.resources import Resource
from fabriek.kernel.units import JOULES_PER_KWH

PERCENTILE = 95


@dataclass(frozen=True, slots=True)
class Moved:
    """Lines of one account, resource and memo, summed."""

    account: str
    resource: Resource
    memo: str
    amount: int


@dataclass(frozen=True, slots=True)
class Wait:
    """So many jobs of a share waited so long, and took so much energy together, with so much CO2."""

    share: str
    resource: Resource
    waited_seconds: int
    jobs: int
    energy_joules: int
    co2_grams: int = 0


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that the ledger says of a period, for every share. `moved` holds `corrected`: counter-entries of what is older than the period.
    `standing`: (account, resource) → what stood there at its end.
    """

    moved: Sequence[Moved]
    corrected: Sequence[Moved]
    late: Sequence[Moved]
    standing: Mapping[tuple[str, Resource], int]
    waits: Sequence[Wait]


@dataclass(frozen=True, slots=True)
class Waited:
    """Of the jobs whose wait is known: seconds from being handed in to beginning, less what they ran meanwhile."""

    jobs: int
    mean_seconds: int
    p95_seconds: int


@dataclass(frozen=True, slots=True)
class Line:
    """One resource. `rows` in micro-units; `groups` of its use; value: in euros, by the rate `value`."""

    resource: Resource
    rows: Mapping[Row, int]
    waited: Waited | None
    energy_joules: int
    groups: Mapping[Dimension, Sequence[Group]]
    value: Value | None
    value_euro: Decimal
    co2_grams: int = 0

    @property
    def energy_kwh(self) -> Decimal:
        return (Decimal(self.energy_joules) / JOULES_PER_KWH).quantize(Decimal("0.1"))

    @property
    def co2_kg(self) -> Decimal:
        return (Decimal(self.co2_grams) / 1000).quantize(Decimal("0.1"))


@dataclass(frozen=True, slots=True)
class Report:
    """`shares`: whose; of a year for all, several. `folded`: organisations whose lines a funder does not see one by one."""

    name: str
    shares: tuple[str, ...]
    period: Period
    made_at: datetime
    lines: Sequence[Line]
    organisations: int
    smes: int
    projects: int
    folded: frozenset[str] = field(repr=False)

    @property
    def value_euro(self) -> Decimal:
        return sum((one.value_euro for one in self.lines), Decimal(0))

    @property
    def energy_joules(self) -> int:
        return sum(one.energy_joules for one in self.lines)

    @property
    def co2_kg(self) -> Decimal:
        """Of all lines, as they show it."""
        return sum((one.co2_kg for one in self.lines), Decimal(0))

    @property
    def is_open(self) -> bool:
        """Whether the period has not ended: its figures grow still."""
        return self.made_at < self.period.end

    def line(self, resource: Resource) -> Line | None:
        return next((one for one in self.lines if one.resource is resource), None)


def report_of(
    name: str,
    shares: Collection[str],
    period: Period,
    gathered: Gathered,
    allocations: Sequence[Allocation],
    values: Sequence[Value],
    made_at: datetime,
) -> Report:
    """shares: ids. allocations: all there are."""
    mine = {one.id: one for one in allocations if one.share in shares}
    rows = _rows(shares, mine, period, gathered)
    used = _by_allocation(gathered, mine)
    waits = _waits(gathered.waits, shares)
    lines = [
        _line(resource, rows[resource], used.get(resource, {}), mine, waits.get(resource, []), values, period.last)
        for resource in Resource
        if any(rows[resource].values()) or used.get(resource)
    ]
    users = {mine[one] for of in used.values() for one, amount in of.items() if amount}
    return Report(
        name, tuple(sorted(shares)), period, made_at, lines, len({one.organisation for one in users if one.organisation}),
        len({one.organisation for one in users if one.size in SMALL and one.organisation}), len({one.project for one in users}),
        _folded(lines, used, mine),
    )  # fmt: skip


def _rows(
    shares: Collection[str], mine: Mapping[str, Allocation], period: Period, gathered: Gathered
) -> dict[Resource, dict[Row, int]]:
    sums: dict[Resource, dict[Row, int]] = {resource: dict.fromkeys(Row, 0) for resource in Resource}
    for one, is_correction in _with_corrections(gathered):
        kind, owner = kind_of(one.account), one.account.partition(":")[2]
        if kind is Kind.SHARE and owner in shares:
            row = Row.CORRECTED_ENTITLED if is_correction else row_of_share_line(one.memo, period.entitling)
        elif kind is Kind.USAGE and owner in mine:
            row = Row.CORRECTED_USE if is_correction else Row.USED
        else:
            continue
        sums[one.resource][row] += -one.amount if row in TURNED else one.amount
    for one in gathered.late:
        if one.account.partition(":")[2] in mine:
            sums[one.resource][Row.LATE] += one.amount
    rows = {kind: row for row, kind in STANDING.items()}
    for (name, resource), amount in gathered.standing.items():
        kind, owner = kind_of(name), name.partition(":")[2]
        if kind in rows and owner in (shares if kind is Kind.SHARE else mine):
            row = rows[kind]
            sums[resource][row] += -amount if row in TURNED else amount
    return sums


def _with_corrections(gathered: Gathered) -> list[tuple[Moved, bool]]:
    """What moved, with the corrections of earlier periods taken out of it and counted apart."""
    apart = [(one, True) for one in gathered.corrected]
    out = [(Moved(one.account, one.resource, one.memo, -one.amount), False) for one in gathered.corrected]
    return [(one, False) for one in gathered.moved] + out + apart


def _by_allocation(gathered: Gathered, mine: Mapping[str, Allocation]) -> dict[Resource, dict[str, int]]:
    """Resource → allocation → what it used, without corrections of earlier periods."""
    used: dict[Resource, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one, is_correction in _with_corrections(gathered):
        kind, _, owner = one.account.partition(":")
        if kind == Kind.USAGE and owner in mine and not is_correction:
            used[one.resource][owner] += one.amount
    return used


def _waits(waits: Sequence[Wait], shares: Collection[str]) -> dict[Resource, list[Wait]]:
    found: dict[Resource, list[Wait]] = defaultdict(list)
    for one in waits:
        if one.share in shares:
            found[one.resource].append(one)
    return found


def _line(
    resource: Resource,
    rows: Mapping[Row, int],
    used: Mapping[str, int],
    mine: Mapping[str, Allocation],
    waits: Sequence[Wait],
    values: Sequence[Value],
    last: date,
) -> Line:
    value = value_on(values, resource, last)
    groups = {dimension: suppressed(_members(dimension, used, mine)) for dimension in Dimension}
    return Line(
        resource, rows, waited_of(waits), sum(one.energy_joules for one in waits), groups, value,
        worth(value, rows[Row.USED] + rows[Row.CORRECTED_USE]) if value else Decimal(0),
        sum(one.co2_grams for one in waits),
    )  # fmt: skip


def word_of(dimension: Dimension, allocation: Allocation) -> str:
    return str(getattr(allocation, dimension)) or UNSAID


def _members(
    dimension: Dimension, used: Mapping[str, int], mine: Mapping[str, Allocation]
) -> dict[str, dict[str, int]]:
    groups: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for allocation, amount in used.items():
        one = mine[allocation]
        groups[word_of(dimension, one)][one.organisation] += amount
    return groups


def waited_of(waits: Sequence[Wait]) -> Waited | None:
    """None where of no job it is known. The percentile is the nearest rank."""
    jobs = sum(one.jobs for one in waits)
    if not jobs:
        return None
    rank, seen, reached = -(-jobs * PERCENTILE // 100), 0, 0
    for one in sorted(waits, key=lambda one: one.waited_seconds):
        seen, reached = seen + one.jobs, one.waited_seconds
        if seen >= rank:
            break
    total = sum(one.waited_seconds * one.jobs for one in waits)
    return Waited(jobs, round(total / jobs), reached)


def _folded(
    lines: Sequence[Line], used: Mapping[Resource, Mapping[str, int]], mine: Mapping[str, Allocation]
) -> frozenset[str]:
    hidden: set[str] = set()
    rows: list[frozenset[str]] = []
    sizes: dict[str, int] = defaultdict(int)
    for line in lines:
        of = {mine[one]: amount for one, amount in used.get(line.resource, {}).items() if amount}
        rows.append(frozenset(one.organisation for one in of))
        for one, amount in of.items():
            sizes[one.organisation] += amount
        for dimension, groups in line.groups.items():
            for group in groups:
                words = group.hidden or (group.word,)
                inside = frozenset(one.organisation for one in of if word_of(dimension, one) in words)
                if group.hidden:
                    hidden |= inside
                rows.append(inside)
    return folded(hidden, rows, sizes)
