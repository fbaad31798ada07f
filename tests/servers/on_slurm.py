"""An executor on a real Slurm, with folders of a test's own; inputs and results of its jobs are plain folders."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fabriek.compute.executors.slurm import Site, SlurmExecutor
from fabriek.compute.executors.slurm_accounts import SlurmAccounts
from fabriek.compute.executors.slurm_commands import SlurmCommands
from tests.servers import slurm

TWIN = (sys.executable, str(Path(__file__).with_name("node_twin.py")))
"""By its path: a batch job begins in no folder of ours."""


@contextmanager
def on_slurm(cluster: slurm.Cluster) -> Iterator[SlurmExecutor]:
    with tempfile.TemporaryDirectory(prefix="fabriek-test-", dir="/dev/shm", ignore_cleanup_errors=True) as home:
        commands = SlurmCommands(cluster.environment["SLURM_CONF"])
        (Path(home) / "scratch").mkdir(mode=0o711)
        site = Site(scratch=str(Path(home) / "scratch"), account=slurm.ACCOUNT)
        yield SlurmExecutor(Path(home) / "jobs", commands, site, accounts=SlurmAccounts(commands), node=TWIN)
