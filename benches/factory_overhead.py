"""Job overhead through the whole factory: submit at the client to the first line there, against fork and exec of the same.

`python -m benches.factory_overhead`. Promised: at most 120 ms more.
"""

import statistics
import tempfile
import time
from pathlib import Path

from tests.servers.factory import quickstarted

from benches.job_overhead import AT_MOST_MORE_MILLISECONDS, run_plain
from fabriek.sdk import Fabriek

ROUNDS = 15


def main() -> int:
    """Prints one line; 1 when the promise is not kept."""
    with (
        tempfile.TemporaryDirectory(prefix="fabriek-bench-", ignore_cleanup_errors=True) as named,
        quickstarted(Path(named) / "home") as running,
    ):
        factory = Fabriek(running.url, running.variables["FABRIEK_TOKEN"], "playground")
        _run(factory)
        plain = statistics.median(run_plain() for _ in range(ROUNDS))
        job = statistics.median(_run(factory) for _ in range(ROUNDS))
    more = (job - plain) * 1000
    print(
        f"job overhead, whole factory: {more:.0f} ms more than fork+exec (at most {AT_MOST_MORE_MILLISECONDS}); "
        f"{job * 1000:.0f} ms against {plain * 1000:.0f} ms, medians of {ROUNDS}"
    )
    return int(more > AT_MOST_MORE_MILLISECONDS)


def _run(factory: Fabriek) -> float:
    begun = time.perf_counter()
    job = factory.jobs.run(["python", "-c", "print('first')"])
    first = 0.0
    while not first:
        for part in factory.jobs.log(job.id, follow=True):
            first = first or (time.perf_counter() - begun if part else 0.0)
    factory.jobs.wait(job.id)
    return first


if __name__ == "__main__":
    raise SystemExit(main())
