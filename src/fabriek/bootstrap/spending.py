"""Credits that run out, lapse and end, wired."""

from fabriek.access.service import Access
from fabriek.adapters.database import Database
from fabriek.audit.service import Audit
from fabriek.bootstrap.machinery import text_of
from fabriek.funding.policy.capping import Capping
from fabriek.funding.spending.rules import running_out_of
from fabriek.funding.spending.running_out import RunningOut
from fabriek.funding.spending.store_standing import SqlLapses, SqlStandings, SqlTellings
from fabriek.funding.store import SqlAllocations, SqlLedger
from fabriek.kernel.clock import Clock
from fabriek.kernel.dated import shipped
from fabriek.kernel.ids import Ids
from fabriek.settings import Settings


def running_out_services(
    settings: Settings, database: Database, *, access: Access, capping: Capping, audit: Audit, clock: Clock, ids: Ids
) -> RunningOut:
    """Raises InvalidInput on rules that cannot be read."""
    text = text_of(settings.running_out) if settings.running_out else shipped("fabriek.funding", "running_out.toml")
    return RunningOut(
        SqlLedger(database), SqlAllocations(database), SqlStandings(database), SqlLapses(database), SqlTellings(database), access=access,
        audit=audit, clock=clock, ids=ids, rows=running_out_of(text), capping=capping,
    )  # fmt: skip
