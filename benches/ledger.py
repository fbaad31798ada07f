"""The ledger under load: jobs settled by 32 clients at once, each in a transaction of its own that reached the disk, on both databases; and the
balance of a share with a million entries.

`python -m benches.ledger`. One line for many projects, one for a single project, of each database.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import create_engine, insert, text
from tests.factories.services import Town, a_town
from tests.servers import postgres

from fabriek.adapters.database import Database, metadata, open_database
from fabriek.funding import ledger
from fabriek.funding.allocations import Allocation
from fabriek.funding.ledger import Hold, Kind, account
from fabriek.funding.resources import Resource
from fabriek.funding.store import SqlAllocations, SqlLedger, balances, entries
from fabriek.kernel.units import MICRO

CLIENTS = 32
PROJECTS = 200
JOBS = 6_000
ENTRIES = 1_000_000
SETTLEMENTS_PER_SECOND_AT_LEAST = 1_000
BALANCE_MILLISECONDS_AT_MOST = 5
CPU = Resource.CPU_HOUR


def main() -> int:
    """Prints a line for each measurement; 1 when a promise is not kept."""
    if reason := postgres.why_absent():
        print(f"only SQLite is measured: {reason}")
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-") as named:
        missed = measured("SQLite", open_database(f"sqlite:///{named}/fabriek.db"), Path(named, "home"))
        if not reason:
            with postgres.running() as url:
                keep_what_is_committed(url)
                missed |= measured("PostgreSQL", open_database(url), Path(named, "other"))
    return int(missed)


def measured(name: str, database: Database, home: Path) -> bool:
    """Whether a promise was missed."""
    metadata.create_all(database.engine)
    town = a_town(database, home)
    missed = False
    for projects in (PROJECTS, 1):
        jobs = prepared(town, projects)
        before = time.process_time()
        rate = at_once(lambda job: town.services.funding.settle(job, MICRO // 2), jobs)
        processor = (time.process_time() - before) * 1000 / JOBS
        again = at_once(lambda job: town.services.funding.settle(job, MICRO // 2), jobs[: JOBS // 4])
        missed |= rate < SETTLEMENTS_PER_SECOND_AT_LEAST
        print(
            f"{name}: {rate:,.0f} settlements/s by {CLIENTS} clients in {projects} project{'s' if projects > 1 else ''} "
            f"(at least {SETTLEMENTS_PER_SECOND_AT_LEAST:,}), {processor:.2f} ms of the clients' processor each; told again {again:,.0f}/s"
        )
    assert town.services.funding.balanced()
    took = balance_of_a_share(town)
    print(f"{name}: balance of a share with {ENTRIES:,} entries {took:.2f} ms (at most {BALANCE_MILLISECONDS_AT_MOST})")
    database.close()
    return missed or took > BALANCE_MILLISECONDS_AT_MOST


def keep_what_is_committed(url: str) -> None:
    """The tests' server forgets at a power cut; here a commit reaches the disk."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for needed in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"alter system set {needed} = on"))
        connection.execute(text("select pg_reload_conf()"))
    engine.dispose()


def prepared(town: Town, projects: int) -> list[str]:
    """Jobs that hold credits, spread over so many projects."""
    services, database = town.services, town.services.database
    books, kept, today = SqlLedger(database), SqlAllocations(database), services.clock.today()
    share = services.funding.shares()[0].id
    made: list[str] = []
    with database.transaction():
        for number in range(projects):
            of = f"alc_{projects}_{number}"
            kept.add(Allocation(of, f"prj_{projects}_{number}", share, f"app_{of}", today, today))
            left = {CPU: books.balance(account(Kind.SHARE, share), CPU)}
            given = {CPU: JOBS // projects * MICRO}
            books.post(ledger.award(services.ids.new("led"), share, of, given, services.clock.now(), left=left))
        for number in range(JOBS):
            held = Hold(f"job_{projects}_{number}", f"alc_{projects}_{number % projects}", share, CPU, MICRO)
            books.post(ledger.hold(services.ids.new("led"), held, services.clock.now(), left_micro=MICRO))
            kept.add_hold(held)
            made.append(held.job)
    return made


def at_once(act: Callable[[str], object], jobs: list[str]) -> float:
    """How many a second."""
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(lambda _: time.perf_counter(), range(CLIENTS)))
        begun = time.perf_counter()
        for one in [clients.submit(run, act, jobs[number::CLIENTS]) for number in range(CLIENTS)]:
            one.result()
        return len(jobs) / (time.perf_counter() - begun)


def run(act: Callable[[str], object], jobs: list[str]) -> None:
    for job in jobs:
        act(job)


def balance_of_a_share(town: Town) -> float:
    """Milliseconds, the median of many."""
    services, database, name = town.services, town.services.database, "share:shr_bench"
    now = services.clock.now()
    with database.transaction():
        for first in range(0, ENTRIES, 50_000):
            rows = [
                {
                    "id": f"led_{number}/0", "transaction": f"led_{number}", "account": name, "resource": "cpu_hour", "amount_micro": 1,
                    "at": now, "memo": "bench", "job": "",
                }
                for number in range(first, first + 50_000)
            ]  # fmt: skip
            database.execute(insert(entries), rows)
        row = {"account": name, "resource": "cpu_hour", "amount_micro": ENTRIES}
        database.execute(insert(balances).values(**row))
    books, took = SqlLedger(database), []
    for _ in range(200):
        begun = time.perf_counter()
        assert books.balance(name, CPU) == ENTRIES
        took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took)


if __name__ == "__main__":
    sys.exit(main())
