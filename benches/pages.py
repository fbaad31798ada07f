"""The portal's pages of queue and capacity with ten thousand jobs waiting: how long each takes, to its last byte, over one line that stays open.

`python -m benches.pages`. Asked by somebody who has some of the jobs, and for capacity by the operator, who sees what is sold. Two ways: behind a
round of the worker in the same process, as `fabriek up` has it; and where no worker is, so that every page looks at the whole queue itself. Promised:
95 in 100 within 300 ms.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
from tests.factories.services import Town, a_town
from tests.servers.app import serving

from fabriek.adapters.database import metadata, open_database
from fabriek.api import app as api
from fabriek.compute.queue import SECONDS_OLD_MAX
from fabriek.compute.requests import JobAsked
from fabriek.kernel.callers import Caller
from fabriek.portal import app as portal
from fabriek.worker.admission import admit_jobs
from fabriek.worker.loop import settle_memory

QUEUED, MINE = 10_000, 200
TIMES = 30
MILLISECONDS_AT_MOST = 300
PAGES = ("/queue", "/queue?after=5000", "/queue?show=own", "/capacity", "/machine")


def main() -> int:
    """Prints a line a page and way; 1 when the promise is not kept."""
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-") as named:
        database = open_database(f"sqlite:///{named}/fabriek.db")
        metadata.create_all(database.engine)
        town = a_town(database, Path(named, "home"))
        somebody = filled(town)
        services = town.services
        app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
        tokens = {one.person: services.identity.issue_token(one.person, by=one) for one in (somebody, town.operator)}

        def round_before() -> None:
            admit_jobs(services)

        def nobody_looked() -> None:
            town.clock.move(timedelta(seconds=SECONDS_OLD_MAX + 1))

        kept = []
        with serving(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
            for way, before in (("behind a round", round_before), ("looking itself", nobody_looked)):
                for page in PAGES:
                    who = town.operator if page == "/capacity" else somebody
                    headers = {"Authorization": f"Bearer {tokens[who.person]}", "Accept": "text/html"}
                    took = [timed(client, page, headers, before) for _ in range(TIMES)]
                    wall, own = (sorted(one[number] for one in took) for number in (0, 1))
                    p95 = wall[int(len(wall) * 0.95) - 1]
                    kept.append(p95 <= MILLISECONDS_AT_MOST)
                    print(
                        f"{page}, {way}, {QUEUED:,} queued: p50 {statistics.median(wall):.0f} ms, p95 {p95:.0f} ms (at most {MILLISECONDS_AT_MOST}), "
                        f"slowest {wall[-1]:.0f} ms of {TIMES}; "
                        f"of a processor {statistics.median(own):.0f} ms, p95 {own[int(len(own) * 0.95) - 1]:.0f} ms",
                        flush=True,
                    )
        database.close()
    return int(not all(kept))


def filled(town: Town) -> Caller:
    """Ten thousand jobs wait, some of them of the one who is given back."""
    somebody, other = town.person("bench"), town.person("other")
    for by, count in ((somebody, MINE), (other, QUEUED - MINE)):
        project = town.project(by, gpu_hours=500)
        for first in range(0, count, 1_000):
            last = min(1_000, count - first) - 1
            asked = JobAsked(("true",), wall_seconds_max=60, array=f"0-{last}")
            town.services.compute.submit(project, asked, by=town.again(by))
    admit_jobs(town.services)
    settle_memory()  # as a server's worker does when it begins
    return town.again(somebody)


def timed(client: httpx.Client, page: str, headers: dict[str, str], before: Callable[[], None]) -> tuple[float, float]:
    """Milliseconds until it was there, and of a processor: client and server are one process, and others may be at work beside it."""
    before()
    begun, used = time.perf_counter(), time.process_time()
    answer = client.get(page, headers=headers)
    took = (time.perf_counter() - begun) * 1000, (time.process_time() - used) * 1000
    assert answer.status_code == 200, answer.text[:200]
    return took


if __name__ == "__main__":
    sys.exit(main())
