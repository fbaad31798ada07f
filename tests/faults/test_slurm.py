"""The rounds of the contract tests, as many as are asked for: `FABRIEK_ROUNDS=500 make faults`. Prints what it counted."""

import os
import threading
import time

import pytest

from fabriek.compute.executors.contract import Phase
from tests.contract.test_slurm_faults import NOTHING, cluster, executor, load
from tests.factories.waiting import until
from tests.faults import slurm as rounds
from tests.faults.load import Load
from tests.servers import slurm

__all__ = ["cluster", "executor", "load"]

pytestmark = [pytest.mark.sandbox, pytest.mark.slurm, pytest.mark.faults]

ROUNDS = int(os.environ.get("FABRIEK_ROUNDS", "50"))  # noqa: TID251  # how long it takes is chosen where it is started

AWAY_SECONDS = int(os.environ.get("FABRIEK_AWAY_SECONDS", "600"))  # noqa: TID251
LOOK_SECONDS, JOBS_MAX = 5.0, 20


def test_killed_controllers(cluster: slurm.Cluster, load: Load) -> None:
    rounds.kill_controllers(cluster, load, ROUNDS)
    told(cluster, load)


def test_killed_servers(cluster: slurm.Cluster, load: Load) -> None:
    rounds.kill_servers(cluster, load, ROUNDS)
    told(cluster, load)


@pytest.mark.parametrize("away", ["slurmctld", "munged", "slurmdbd"])
def test_long_outages(cluster: slurm.Cluster, load: Load, away: str) -> None:
    """One of them is away for ten minutes, with jobs in every state when it goes and more that come meanwhile."""
    load.add(rounds.JOBS_A_ROUND)
    load.step()
    until(lambda: load.step() or load.witness.begun())
    cluster.kill(away)
    back = time.monotonic() + AWAY_SECONDS
    pause = threading.Event()
    while time.monotonic() < back:
        if len(load.states) + len(load.waiting) < JOBS_MAX:
            load.add(1)
        load.step()
        pause.wait(LOOK_SECONDS)
    {"slurmctld": cluster.start_controller, "munged": cluster.start_munge, "slurmdbd": cluster.start_accounts}[away]()
    until(lambda: rounds.put_back(cluster) or load.is_over(), seconds_max=300)
    told(cluster, load)


def told(cluster: slurm.Cluster, load: Load) -> None:
    counted = load.counted(lambda: rounds.left_behind(cluster, load))
    lost = sum(1 for state in load.states.values() if state.phase is Phase.LOST)
    print(f"{len(load.states)} jobs, {lost} lost to their node: {counted}")
    assert counted == NOTHING
