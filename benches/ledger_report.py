"""What a funder's report costs over a ledger of a million entries, all of them in the quarter: on SQLite and on PostgreSQL.

`python -m benches.ledger_report`. At most 5 s is wanted. The rows are put in by bulk insert: 250,000 jobs of 400 projects, each with a
hold and a settlement of two lines and what was known of it.
"""

import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert
from tests.factories.bookkeeper import GPU, Bookkeeper
from tests.factories.services import a_town
from tests.servers import postgres

from fabriek.adapters.database import Database, metadata, open_database
from fabriek.funding.giving.quarters import quarter_of
from fabriek.funding.ledger import Kind, account
from fabriek.funding.reporting.rows import Place, Row
from fabriek.funding.reporting.store import uses
from fabriek.funding.store import balances, entries, posted
from fabriek.kernel.units import MICRO

WANTED_SECONDS = 5.0
JOBS, PROJECTS, AT_ONCE = 250_000, 400, 10_000
USED = 3_000
ROUNDS = 3


def main() -> int:
    """Prints a line for each database; 1 when one took longer than is wanted."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-") as folder:
        found["SQLite"] = _measured(open_database(f"sqlite:///{folder}/fabriek.db"), Path(folder, "home"))
    if reason := postgres.why_absent():
        print(f"not measured: PostgreSQL ({reason})")
    else:
        with postgres.running() as url, tempfile.TemporaryDirectory(prefix="fabriek-bench-") as folder:
            database = open_database(postgres.fresh_database(url, "ledger_report"))
            found["PostgreSQL"] = _measured(database, Path(folder, "home"))
    for name, (report, cpu, opened) in found.items():
        print(
            f"{name}: report over {JOBS * 4:,} entries {report:.2f} s (wanted: {WANTED_SECONDS:.0f} s), {cpu:.2f} s of them on our CPU; "
            f"a figure opened, with its total and 100 lines, {opened:.2f} s"
        )
    return int(any(report > WANTED_SECONDS for report, _, _ in found.values()))


def _measured(database: Database, home: Path) -> tuple[float, float, float]:
    """The best of some: what else the machine does is not the report's. CPU: of this process, which on SQLite does all of the work."""
    metadata.create_all(database.engine)
    keeper = Bookkeeper(a_town(database, home))
    _fill(keeper)
    quarter, by, reporting = quarter_of(keeper.town.clock.today()), keeper.town.operator, keeper.services.reporting
    times, cpus, pages = [], [], []
    for _ in range(ROUNDS):
        start, cpu = time.perf_counter(), time.process_time()
        made = reporting.of_share("nation", quarter, by=by)
        times.append(time.perf_counter() - start)
        cpus.append(time.process_time() - cpu)
        line = made.line(GPU)
        assert line is not None
        assert line.rows[Row.USED] == JOBS * USED
        assert line.waited is not None
        assert line.waited.jobs == JOBS
        start = time.perf_counter()
        opened = reporting.open("nation", quarter, Place(Row.USED, GPU), limit=100, by=by)
        pages.append(time.perf_counter() - start)
        assert opened.total == JOBS * USED
    database.close()
    return min(times), min(cpus), min(pages)


def _fill(keeper: Bookkeeper) -> None:
    projects = [
        keeper.award(
            f"org_{number % 150}",
            2,
            sector=f"sector_{number % 12}",
            region=f"NL{number % 17}",
            call=f"call_{number % 5}",
        )
        for number in range(PROJECTS)
    ]
    now, database = keeper.now(), keeper.services.database
    for start in range(0, JOBS, AT_ONCE):
        lines, acts, facts = [], [], []
        for number in range(start, start + AT_ONCE):
            one, at = projects[number % PROJECTS].id, now - timedelta(seconds=number * 9)
            hold, settle = f"led_b{number}h", f"led_b{number}s"
            acts += [
                {"transaction": hold, "key": f"hold:job_b{number}"},
                {"transaction": settle, "key": f"settle:job_b{number}"},
            ]
            held, left, used = (account(kind, one) for kind in (Kind.HOLD, Kind.ALLOCATION, Kind.USAGE))
            moves = [(hold, left, held), (settle, held, used)]
            for transaction, source, target in moves:
                for place, (name, amount) in enumerate(((source, -USED), (target, USED))):
                    lines.append(
                        {
                            "id": f"{transaction}/{place}", "transaction": transaction, "account": name, "resource": str(GPU),
                            "amount_micro": amount, "at": at, "memo": transaction[-1], "job": f"job_b{number}",
                        }
                    )  # fmt: skip
            facts.append(
                {
                    "job": f"job_b{number}", "allocation": one, "resource": str(GPU), "transaction": settle,
                    "waited_seconds": number * 7919 % 86_400, "energy_joules": 250_000, "ended_at": at, "at": at,
                }
            )  # fmt: skip
        with database.transaction():
            for table, rows in ((posted, acts), (entries, lines), (uses, facts)):
                database.execute(insert(table), rows)
    with database.transaction():
        each = JOBS // PROJECTS * USED
        rows = [
            {"account": account(Kind.USAGE, one.id), "resource": str(GPU), "amount_micro": each} for one in projects
        ]
        database.execute(insert(balances), rows)
        for one in projects:
            database.execute(
                balances.update()
                .where(balances.c.account == account(Kind.ALLOCATION, one.id))
                .values(amount_micro=2 * MICRO - each)
            )


if __name__ == "__main__":
    sys.exit(main())
