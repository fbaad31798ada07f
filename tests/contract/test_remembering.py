"""What shares and owners used lately, on both databases: it is there after a restart."""

from datetime import timedelta

from fabriek.adapters.database import Database
from fabriek.compute.capacity import Capacity
from fabriek.compute.sharing.remembering import Mean, Remembering
from fabriek.compute.sharing.rules import DAY, ShareRules
from fabriek.compute.sharing.store import SqlMeans
from tests.factories.compute import GIB, NOON, a_running

RULES = ShareRules(budget_seconds=DAY, owner_seconds=DAY)


def test_means_are_read_as_they_were_written_and_replaced_as_a_whole(database: Database) -> None:
    means = SqlMeans(database)
    kept = [Mean("owner", "prj_1", 0.25, NOON), Mean("share", "shr_1", 0.5, NOON)]
    for now in (kept, kept[:1], []):
        with database.transaction():
            means.replace(now)
        assert sorted(means.all(), key=lambda one: one.kind) == now


def test_a_server_that_begins_again_goes_on_with_what_was_used(database: Database) -> None:
    machine, half, later = Capacity(8, 0, 64 * GIB), a_running(cpus=4), NOON + timedelta(hours=12)
    first = Remembering(SqlMeans(database), machine, RULES)
    first.lately([half], NOON)
    used = first.lately([half], later).shares
    with database.transaction():
        first.keep(later)
    assert Remembering(SqlMeans(database), machine, RULES).lately([half], later).shares == used
