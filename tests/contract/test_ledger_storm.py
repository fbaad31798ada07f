"""A storm of awards, holds and settlements in a process that is killed at a random point: no cap is broken, the sum is zero, and nobody is below
zero but who may be. The full size runs with the marker `faults`.
"""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from fabriek.adapters.database import open_database
from fabriek.funding.ledger import BELOW_ZERO, kind_of
from fabriek.funding.policy.capping import GIVEN
from fabriek.funding.policy.caps import Of
from fabriek.funding.policy.policy import shipped_policy
from fabriek.funding.policy.store import SqlAwardTotals
from fabriek.funding.resources import Resource
from fabriek.funding.store import SqlAllocations, SqlFunds, SqlLedger, posted
from fabriek.kernel.units import MICRO
from tests.factories.storm import BATCH, database_of, prepare
from tests.servers import postgres


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Of an empty database that outlives who has it open."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/fabriek.db"
        return
    server = request.getfixturevalue("postgres_url")
    yield postgres.fresh_database(server, "storm")
    postgres.drop_database(server, "storm")


def storm(home: Path, address: str, seed: int, awards: int, settlements: int, *, kills: int) -> None:
    """Blows until it is over; killed so many times on the way, and begun again where it stood."""
    rng = random.Random(seed)  # noqa: S311  # chance, no secret
    prepare(home, address)
    for number in range(kills + 1):
        told = [str(home), str(seed + number), str(awards), str(settlements)]
        command = [sys.executable, "-m", "tests.factories.storm", *told]
        child = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        if number < kills:
            assert child.stdout.readline() == "blowing\n"
            for _ in range(rng.randrange(1, (awards + settlements) // BATCH)):
                child.stdout.readline()
            os.kill(child.pid, signal.SIGKILL)
        child.stdout.read()
        child.stdout.close()
        assert child.wait() == (-signal.SIGKILL if number < kills else 0)
        check(home)


def check(home: Path) -> None:
    """What must hold at every moment, read back as a server that starts again reads it."""
    database = database_of(home)
    books, totals = SqlLedger(database), SqlAwardTotals(database)
    balances = books.balances()
    assert not any(books.sums().values())
    below = {name for (name, _), amount in balances.items() if amount < 0 and kind_of(name) not in BELOW_ZERO}
    assert not below
    from_entries: dict[tuple[str, Resource], int] = {}
    for entry in books.entries(account="", limit=10**9):
        where = entry.account, entry.resource
        from_entries[where] = from_entries.get(where, 0) + entry.amount_micro
    assert {where: amount for where, amount in from_entries.items() if amount} == {
        where: amount for where, amount in balances.items() if amount
    }
    for share in SqlFunds(database).shares():
        for cap in shipped_policy().caps:
            if cap.of is Of.SHARE and cap.resource is Resource.GPU_HOUR and cap.funder in {None, share.kind}:
                given = totals.sum(share.id, [GIVEN], Resource.GPU_HOUR, None)
                assert totals.sum(share.id, cap.uses, Resource.GPU_HOUR, None) * MICRO <= given * cap.part, cap.id
    database.close()


def test_a_small_storm_and_a_kill_break_nothing(tmp_path: Path, address: str) -> None:
    storm(tmp_path / "home", address, 7, awards=40, settlements=200, kills=1)
    database = open_database(address)
    assert len(SqlAllocations(database).all()) >= 10
    database.close()


@pytest.mark.faults
@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
def test_ten_thousand_awards_and_a_hundred_thousand_settlements_break_nothing(tmp_path: Path, address: str) -> None:
    """A tenth of the awards and a third of the settlements are tried for nothing: refused, never settled, or settled twice."""
    storm(tmp_path / "home", address, 20_261_128, awards=11_000, settlements=150_000, kills=1)
    database = open_database(address)
    assert len(SqlAllocations(database).all()) >= 10_000
    settled = database.scalar(select(func.count()).select_from(posted).where(posted.c.key.like("settle:%")))
    assert int(settled) >= 100_000
    database.close()
