"""The rounds of the contract tests, as many as are asked for: `FABRIEK_ROUNDS=500 make faults`. Prints what it counted."""

import os

import pytest

from fabriek.compute.executors.contract import Phase
from tests.contract.test_slurm_faults import NOTHING, cluster, executor, load
from tests.faults import slurm as rounds
from tests.faults.load import Load
from tests.servers import slurm

__all__ = ["cluster", "executor", "load"]

pytestmark = [pytest.mark.sandbox, pytest.mark.slurm, pytest.mark.faults]

ROUNDS = int(os.environ.get("FABRIEK_ROUNDS", "50"))  # noqa: TID251  # how long it takes is chosen where it is started


def test_killed_controllers(cluster: slurm.Cluster, load: Load) -> None:
    rounds.kill_controllers(cluster, load, ROUNDS)
    told(cluster, load)


def test_killed_servers(cluster: slurm.Cluster, load: Load) -> None:
    rounds.kill_servers(cluster, load, ROUNDS)
    told(cluster, load)


def told(cluster: slurm.Cluster, load: Load) -> None:
    counted = load.counted(lambda: rounds.left_behind(cluster, load))
    lost = sum(1 for state in load.states.values() if state.phase is Phase.LOST)
    print(f"{ROUNDS} rounds, {len(load.states)} jobs, {lost} lost to their node: {counted}")
    assert counted == NOTHING
