"""A long queue: how fast jobs are taken in, and how long one round of decisions takes, in the whole of a factory's services.

`python -m benches.queue`. Submitting is measured at its service, with credits, audit and a commit that reached the disk; a round is what the
worker does: load, decide, write the reasons down.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.factories.services import a_town

from fabriek.adapters.database import metadata, open_database
from fabriek.compute.requests import JobAsked
from fabriek.worker.admission import admit_jobs
from fabriek.worker.loop import settle_memory

QUEUED = 10_000
SINGLE = 300
SUBMIT_MILLISECONDS_AT_MOST = 50
ROUND_MILLISECONDS_AT_MOST = 200


def main() -> int:
    """Prints two lines; 1 when a promise is not kept."""
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-") as named:
        database = open_database(f"sqlite:///{named}/fabriek.db")
        metadata.create_all(database.engine)
        town = a_town(database, Path(named, "home"))
        person = town.person("bench")
        project = town.project(person, gpu_hours=500)
        person = town.again(person)
        compute = town.services.compute
        one = JobAsked(("true",), wall_seconds_max=60, cpus=4)
        took = sorted(timed(lambda: compute.submit(project, one, by=person)) for _ in range(SINGLE))
        begun = time.perf_counter()
        for first in range(0, QUEUED - SINGLE, 1_000):
            count = min(1_000, QUEUED - SINGLE - first)
            compute.submit(project, JobAsked(("true",), wall_seconds_max=60, array=f"0-{count - 1}"), by=person)
        in_arrays = (time.perf_counter() - begun) / (QUEUED - SINGLE)
        settle_memory()
        first = timed(lambda: admit_jobs(town.services))
        rounds = [timed(lambda: admit_jobs(town.services)) for _ in range(5)]
        database.close()
    p99, later = took[int(len(took) * 0.99) - 1], statistics.median(rounds)
    print(
        f"submit: p99 {p99:.1f} ms (at most {SUBMIT_MILLISECONDS_AT_MOST}), median {statistics.median(took):.1f} ms of {SINGLE}; "
        f"in arrays {in_arrays * 1000:.2f} ms each"
    )
    print(
        f"admission: {later:.0f} ms a round with {QUEUED:,} queued (at most {ROUND_MILLISECONDS_AT_MOST}), the first {first:.0f} ms"
    )
    return int(p99 > SUBMIT_MILLISECONDS_AT_MOST or later > ROUND_MILLISECONDS_AT_MOST)


def timed(act: object) -> float:
    """Milliseconds."""
    assert callable(act)
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    sys.exit(main())
