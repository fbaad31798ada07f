"""A server that is killed while it hands over a job: `python -m tests.faults.dying MOMENT BASE NEWER JOBS SCRATCH NODE < job.json`."""

import json
import os
import signal
import sys
from pathlib import Path

from fabriek.compute.executors import slurm as executors
from fabriek.compute.executors.contract import JobSpec
from fabriek.compute.executors.slurm_dialect import BatchJob, Slurm
from tests.servers import slurm
from tests.servers.on_slurm import dialect_of


class Dying:
    """A dialect that ends its process at the moment of a submission."""

    def __init__(self, dialect: Slurm, moment: str) -> None:
        self._dialect, self._moment = dialect, moment

    def submit(self, batch: BatchJob) -> str:
        if self._moment == "before sbatch":
            die()
        job_id = self._dialect.submit(batch)
        if self._moment == "after sbatch":
            die()
        return job_id

    def named(self, name: str) -> list[str]:
        return list(self._dialect.named(name))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    moment, base, newer, jobs, scratch, node = sys.argv[1:]
    dialect = Dying(dialect_of(slurm.Cluster(Path(base), bool(newer)))[0], moment)
    site = executors.Site(scratch=scratch, account=slurm.ACCOUNT)
    executor = executors.SlurmExecutor(Path(jobs), dialect, site, node=json.loads(node))
    executor.submit(JobSpec.from_json(sys.stdin.read()))
    die()


if __name__ == "__main__":
    main()
