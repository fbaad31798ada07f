"""An executor on a real Slurm, with folders of a test's own; inputs and results of its jobs are plain folders."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fabriek.compute.executors.slurm import Site, SlurmExecutor
from fabriek.compute.executors.slurm_accounts import SlurmAccounts
from fabriek.compute.executors.slurm_commands import SlurmCommands
from fabriek.compute.executors.slurm_dialect import Accounts, Slurm
from fabriek.compute.executors.slurm_rest import SlurmRest
from fabriek.compute.executors.slurm_rest_accounts import RestAccounts
from fabriek.compute.executors.slurm_restd import Restd
from fabriek.compute.executors.slurm_tokens import Tokens
from fabriek.kernel.clock import SystemClock
from tests.servers import slurm, slurm_release, slurm_rest

TWIN = (sys.executable, str(Path(__file__).with_name("node_twin.py")))
"""By its path: a batch job begins in no folder of ours."""


def dialect_of(cluster: slurm.Cluster) -> tuple[Slurm, Accounts]:
    """By REST where the cluster has it."""
    if not cluster.newer:
        commands = SlurmCommands(cluster.environment["SLURM_CONF"])
        return commands, SlurmAccounts(commands)
    restd = Restd(slurm_rest.url_of(cluster.base), Tokens(slurm_rest.key_of(cluster.base), "root", SystemClock()))
    return SlurmRest(restd), RestAccounts(restd)


@contextmanager
def on_slurm(cluster: slurm.Cluster) -> Iterator[SlurmExecutor]:
    with tempfile.TemporaryDirectory(prefix="fabriek-test-", dir="/dev/shm", ignore_cleanup_errors=True) as home:
        (Path(home) / "scratch").mkdir(mode=0o711)
        site = Site(scratch=str(Path(home) / "scratch"), account=slurm.ACCOUNT)
        node = slurm_release.outside(cluster.daemons["mariadbd"].pid, *TWIN) if cluster.newer else TWIN
        dialect, accounts = dialect_of(cluster)
        yield SlurmExecutor(Path(home) / "jobs", dialect, site, accounts=accounts, node=node)
