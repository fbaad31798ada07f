"""Job overhead: from submit to the first line of output, against fork and exec of the same command on the same machine.

`python -m benches.job_overhead`. Local executor alone, warm: what the server adds on top is measured with the whole of it.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fabriek.compute.executors.contract import Handle, JobSpec
from fabriek.compute.executors.local import LocalExecutor

ROUNDS = 30
COMMAND = ("-c", "print('first')")
AT_MOST_MORE_MILLISECONDS = 120
NODE = (sys.executable, "-m", "tests.servers.node_twin")


def main() -> int:
    """Prints one line; 1 when the promise is not kept."""
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-", dir="/dev/shm", ignore_cleanup_errors=True) as named:
        home = Path(named)
        (home / "lab").mkdir()
        executor = LocalExecutor(home / "jobs", home / "scratch", node=NODE)
        run_job(executor, home, "job_warm")
        plain = statistics.median(run_plain() for _ in range(ROUNDS))
        job = statistics.median(run_job(executor, home, f"job_{number}") for number in range(ROUNDS))
        executor.close()
    more = (job - plain) * 1000
    print(
        f"job overhead: {more:.0f} ms more than fork+exec (at most {AT_MOST_MORE_MILLISECONDS}); "
        f"{job * 1000:.0f} ms against {plain * 1000:.0f} ms, {job / plain:.1f} x, medians of {ROUNDS}"
    )
    return int(more > AT_MOST_MORE_MILLISECONDS)


def run_plain() -> float:
    """Seconds to the first line of the command by itself."""
    begun = time.perf_counter()
    with subprocess.Popen([sys.executable, *COMMAND], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        return time.perf_counter() - begun


def run_job(executor: LocalExecutor, home: Path, job: str) -> float:
    """Seconds to the first line of the command as a job."""
    spec = JobSpec(
        job=job, attempt=1, argv=("python", *COMMAND), environment={}, inputs=(), code=None, python=sys.executable, cpus=1,
        memory_bytes=2**28, processes_max=64, wall_seconds_max=60, log_bytes_max=2**20, grace_seconds=1, server_url="",
        node_token="", lab_socket_dir=str(home / "lab"), output=None,
    )  # fmt: skip
    begun = time.perf_counter()
    handle = executor.submit(spec)
    while not executor.logs(handle, 0, 1):
        wait_a_moment()
    took = time.perf_counter() - begun
    finish(executor, handle)
    return took


def finish(executor: LocalExecutor, handle: Handle) -> None:
    while executor.poll([handle])[0].phase != "done":
        wait_a_moment()
    executor.release(handle)


def wait_a_moment() -> None:
    time.sleep(0.001)  # a bench has no clock to wind


if __name__ == "__main__":
    sys.exit(main())
