"""What a permission check costs: who is behind a token, and whether they hold the right; and the guard in front of a route, whole.

`python -m benches.permissions`. The person is in twenty projects, the token is narrowed. At most 0.2 ms is wanted, on SQLite and on
PostgreSQL, whose way there and back is in it.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from starlette.requests import Request
from tests.factories.services import a_town
from tests.servers import postgres

from fabriek.access.login.tokens import Wanted
from fabriek.access.projects import Membership
from fabriek.access.store import SqlProjects
from fabriek.adapters.database import Database, metadata, open_database
from fabriek.kernel.callers import Right, require
from fabriek.kernel.purposes import Purpose
from fabriek.web.router import guard

WANTED_MS = 0.2
TIMES, ROUNDS = 400, 9
PROJECTS = 20


def main() -> int:
    """Prints a line for each database; 1 when one took longer than is wanted."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-") as folder:
        found["SQLite"] = _measured(open_database(f"sqlite:///{folder}/fabriek.db"), Path(folder, "home"))
    if reason := postgres.why_absent():
        print(f"not measured: PostgreSQL ({reason})")
    else:
        with postgres.running() as url, tempfile.TemporaryDirectory(prefix="fabriek-bench-") as folder:
            database = open_database(postgres.fresh_database(url, "permissions"))
            found["PostgreSQL"] = _measured(database, Path(folder, "home"))
    for name, (check, guarded) in found.items():
        print(f"permission check on {name}: {check:.3f} ms, a route's guard {guarded:.3f} ms (wanted: {WANTED_MS} ms)")
    return int(any(max(both) > WANTED_MS for both in found.values()))


def _measured(database: Database, home: Path) -> tuple[float, float]:
    metadata.create_all(database.engine)
    town = a_town(database, home)
    person, services = town.person("weefsel"), town.services
    slug = town.project(person)
    with database.transaction():
        for number in range(1, PROJECTS):
            made = services.access.open_project(
                f"Project {number}", f"p-{number}", Purpose.CIVILIAN, "open", town.operator.person, [], by=town.operator
            )
            SqlProjects(database).put_member(Membership(made.id, person.person, "member"), town.clock.now())
    _, token = services.tokens.create(Wanted("bench", ["jobs"]), by=person)
    project = services.access.project(slug).id
    in_front = guard(Right("job.submit"))
    scope = {
        "type": "http", "method": "POST", "headers": [(b"authorization", f"Bearer {token}".encode())], "path_params": {"project": slug},
        "app": SimpleNamespace(state=SimpleNamespace(factory=services)), "path": "/", "query_string": b"",
    }  # fmt: skip
    check = _best(lambda: require(services.identity.caller_of(token), "job.submit", project=project))
    guarded = _best(lambda: in_front(Request(scope)))
    database.close()
    return check, guarded


def _best(act: Callable[[], object]) -> float:
    """Milliseconds of one, in the quietest round: what others do on this machine is not asked about."""
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(TIMES):
            act()
        took.append((time.perf_counter() - begun) * 1000 / TIMES)
    return min(took)


if __name__ == "__main__":
    sys.exit(main())
