"""What our submission adds to `sbatch`: the same options on the same cluster, one after the other; and many like jobs as one array.

`python -m benches.slurm_submit`. Nothing runs meanwhile: the partition is closed, so that jobs only wait.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.factories.executor import a_spec
from tests.servers import slurm

from fabriek.compute.executors.contract import JobSpec
from fabriek.compute.executors.slurm import NODE, Site, SlurmExecutor
from fabriek.compute.executors.slurm_commands import SlurmCommands, options_of
from fabriek.compute.executors.slurm_dialect import BatchJob
from fabriek.compute.executors.slurm_script import script_of

ROUNDS = 100
MANY = 100
AT_MOST_MORE_MILLISECONDS = 10
AT_MOST_MORE_PART = 0.05
TIMES_AT_LEAST = 10


def main() -> int:
    """Prints one line; 1 when a promise is not kept."""
    if reason := slurm.why_absent():
        print(reason)
        return 0
    with (
        slurm.running() as cluster,
        tempfile.TemporaryDirectory(prefix="fabriek-bench-", dir="/var/tmp") as named,
    ):
        cluster.command("scontrol", "update", "PartitionName=batch", "State=DOWN")
        commands = SlurmCommands(cluster.environment["SLURM_CONF"])
        executor = SlurmExecutor(Path(named, "jobs"), commands, Site(account=slurm.ACCOUNT))
        plain, ours = paired(cluster, executor, Path(named))
        one_by_one = MANY * plain
        together = seconds(lambda: executor.submit_all([spec() for _ in range(MANY)]))
        cluster.command("scancel", "--user", "root")
    more = ours - plain
    print(
        f"slurm submit: {more * 1000:.2f} ms and {more / plain:.1%} more than sbatch, {ours * 1000:.1f} ms against {plain * 1000:.1f} ms, medians of "
        f"{ROUNDS} pairs (at most {AT_MOST_MORE_MILLISECONDS} ms and {AT_MOST_MORE_PART:.0%}); {MANY} as one array {together * 1000:.0f} ms, "
        f"{one_by_one / together:.0f} x as fast as {MANY} sbatch (at least {TIMES_AT_LEAST})"
    )
    kept = more * 1000 <= AT_MOST_MORE_MILLISECONDS and more / plain <= AT_MOST_MORE_PART
    return int(not kept or one_by_one / together < TIMES_AT_LEAST)


def paired(cluster: slurm.Cluster, executor: SlurmExecutor, home: Path) -> tuple[float, float]:
    """Medians of sbatch alone and of ours, taken in turns so that what else the machine does meets both."""
    plain, ours = [], []
    for number in range(ROUNDS):
        batch = BatchJob(
            f"plain-{number}", script_of(NODE, home / "jobs" / f"plain-{number}" / "job.json"), minutes=62, cpus=1, memory_mib=256,
            output="/dev/null", account=slurm.ACCOUNT,
        )  # fmt: skip
        plain.append(seconds(lambda batch=batch: sbatch(cluster, batch)))
        wanted = spec()
        ours.append(seconds(lambda wanted=wanted: executor.submit(wanted)))
    return statistics.median(plain), statistics.median(ours)


def sbatch(cluster: slurm.Cluster, batch: BatchJob) -> None:
    subprocess.run(
        ["sbatch", "--parsable", *options_of(batch)], env=cluster.environment, input=batch.script, capture_output=True, text=True, check=True,
    )  # fmt: skip


def spec() -> JobSpec:
    return a_spec("true", wall_seconds_max=60)


def seconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
