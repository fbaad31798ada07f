"""How many no-op jobs go through a whole factory in a second, against fork and exec of the same command and against submitit.

`python -m benches.job_rate`. The factory holds credits, tracks a run, seals the log, settles and audits for each; the others do none of it.
"""

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import submitit
from tests.servers.factory import quickstarted

from fabriek.sdk import Fabriek

JOBS = 40
BY_SUBMITIT = 6
COMMAND = ["-c", "pass"]
OF_FORK_AT_LEAST = 0.4
TIMES_SUBMITIT_AT_LEAST = 10


def main() -> int:
    """Prints one line; 1 when a promise is not kept."""
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-") as named:
        with quickstarted(Path(named, "home")) as running:
            factory = Fabriek(running.url, running.variables["FABRIEK_TOKEN"], running.variables["FABRIEK_PROJECT"])
            through(factory, 4)
            ours = JOBS / through(factory, JOBS)
        plain = JOBS / forked()
        theirs = BY_SUBMITIT / by_submitit(named)
    print(
        f"job rate: {ours:.1f}/s settled, {ours / plain:.2f} x fork+exec two at a time (at least {OF_FORK_AT_LEAST}; {plain:.0f}/s), "
        f"{ours / theirs:.0f} x submitit {submitit.__version__} on this machine (at least {TIMES_SUBMITIT_AT_LEAST}; {theirs:.2f}/s)"
    )
    return int(ours / plain < OF_FORK_AT_LEAST or ours / theirs < TIMES_SUBMITIT_AT_LEAST)


def through(factory: Fabriek, count: int) -> float:
    """Seconds from submission until the last is settled: it shows what it used, which is written once its log is sealed."""
    begun = time.perf_counter()
    job = factory.jobs.run(["python", *COMMAND], array=f"0-{count - 1}", wall_seconds_max=60, memory_bytes=2**28)
    while any(
        one.state not in {"succeeded", "failed"} or not one.used for one in factory.jobs.list(array=job.array).items
    ):
        time.sleep(0.2)  # a bench has no clock to wind
    took = time.perf_counter() - begun
    wrong = [one.reason for one in factory.jobs.list(array=job.array).items if one.state != "succeeded"]
    assert not wrong, wrong
    return took


def forked() -> float:
    begun = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: subprocess.run([sys.executable, *COMMAND], check=True), range(JOBS)))
    return time.perf_counter() - begun


def by_submitit(folder: str) -> float:
    executor = submitit.AutoExecutor(folder=f"{folder}/submitit", cluster="local")
    executor.update_parameters(timeout_min=5)
    begun = time.perf_counter()
    for job in [executor.submit(int) for _ in range(BY_SUBMITIT)]:
        job.result()
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
