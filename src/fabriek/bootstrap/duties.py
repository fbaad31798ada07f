"""Duties wired: after funding, which asks them before an award."""

from zoneinfo import ZoneInfo

from fabriek.access.service import Access
from fabriek.access.store import SqlPeople, SqlProjects
from fabriek.adapters.database import Database
from fabriek.audit.service import Audit
from fabriek.bootstrap.funding import Money
from fabriek.funding.duties.acknowledging import Acknowledging
from fabriek.funding.duties.extending import Extending
from fabriek.funding.duties.reminding import Reminding
from fabriek.funding.duties.reporting import Reporting
from fabriek.funding.duties.rules import shipped_duties
from fabriek.funding.duties.service import Duties
from fabriek.funding.duties.store import SqlExtensions, SqlReminders, SqlReports, SqlThanked
from fabriek.funding.store import SqlAllocations, SqlFunds, SqlLedger
from fabriek.kernel.clock import Clock
from fabriek.kernel.ids import Ids


def duties_of(
    database: Database, money: Money, *, access: Access, audit: Audit, clock: Clock, ids: Ids, zone: str
) -> Duties:
    books, funds, allocations = SqlLedger(database), SqlFunds(database), SqlAllocations(database)
    reports, rules = SqlReports(database), shipped_duties()
    reporting = Reporting(
        reports, allocations, funds, SqlProjects(database), rules, access=access, audit=audit, clock=clock
    )
    money["awarding"].check_owed = reporting.check_award
    return Duties(
        reporting,
        Extending(
            books, funds, allocations, SqlExtensions(database), reporting, money["capping"], access=access, audit=audit, clock=clock, ids=ids,
            rules=money["policy"].rules, describing=money["describing"],
        ),
        Acknowledging(
            books, funds, allocations, SqlThanked(database), rules, access=access, audit=audit, clock=clock, zone=ZoneInfo(zone)
        ),
        Reminding(SqlReminders(database), reports, reporting, SqlPeople(database), clock),
    )  # fmt: skip
