"""Rounds on a cluster: each kills one of those between us and a job, with jobs in every state at that instant."""

import contextlib
import json
import subprocess
import sys

from fabriek.kernel.errors import Unavailable
from tests.factories.waiting import until
from tests.faults.load import Load
from tests.servers import slurm
from tests.servers.processes import processes_saying

JOBS_A_ROUND = 3
ACKNOWLEDGED, BEGUN, ENDED = "just acknowledged", "begun", "ended"
MOMENTS_OF_JOBS = (ACKNOWLEDGED, BEGUN, ACKNOWLEDGED, ENDED, ACKNOWLEDGED)
MOMENTS_OF_SERVERS = ("before sbatch", "after sbatch", "after its note")


def kill_controllers(cluster: slurm.Cluster, load: Load, rounds: int) -> None:
    """Each gets SIGKILL at a moment of its newest jobs, with older ones in every other state."""
    for number in range(rounds):
        load.add(JOBS_A_ROUND)
        load.step()
        _await(load, MOMENTS_OF_JOBS[number % len(MOMENTS_OF_JOBS)])
        cluster.kill("slurmctld")
        cluster.start_controller()
        load.add(1)  # somebody comes while it is away
        load.step()
        until(lambda: cluster.says("scontrol", "ping"))
        put_back(cluster)
    until(lambda: put_back(cluster) or load.is_over(), seconds_max=120)


def put_back(cluster: slurm.Cluster) -> None:
    """The nodes that a forgetful controller took out, which are put back: it gave the id of a job that still ran there to another, and
    takes the node for broken. Only an operator's word undoes that.
    """
    out = [line.split("|") for line in cluster.command("sinfo", "-h", "-N", "-t", "drain", "-o", "%N|%E").splitlines()]
    assert {reason for _, reason in out} <= {"Duplicate jobid"}, out
    for node, _ in out:
        cluster.says("scontrol", "update", f"NodeName={node}", "State=RESUME")


def clear(cluster: slurm.Cluster) -> None:
    """Ends whatever is left there, also what the controller only believes to run, and puts every node to work again."""

    def is_clear() -> bool:
        put_back(cluster)
        return cluster.is_up() and not cluster.command("squeue", "-h", "-o", "%i")

    cluster.says("scancel", "--user", "root")
    until(is_clear, seconds_max=120, instead=lambda: [cluster.command("squeue"), cluster.command("sinfo", "-N", "-R")])


def _await(load: Load, moment: str) -> None:
    """Until one more job is at that moment."""
    if moment is not ACKNOWLEDGED:
        seen = load.witness.begun if moment is BEGUN else load.witness.ended
        before = len(seen())
        until(lambda: load.step() or len(seen()) > before)


def kill_servers(cluster: slurm.Cluster, load: Load, rounds: int) -> None:
    """Each dies by SIGKILL while it hands over one job; the next server hands over the same again."""
    executor = load.executor
    for number in range(rounds):
        spec = load.witness.spec()
        moment = MOMENTS_OF_SERVERS[number % len(MOMENTS_OF_SERVERS)]
        words = [
            sys.executable,
            "-m",
            "tests.faults.dying",
            moment,
            str(cluster.base),
            "newer" if cluster.newer else "",
        ]
        words += [str(executor._folders.root), executor._site.scratch, json.dumps(executor._node)]
        died = subprocess.run(words, input=spec.to_json(), capture_output=True, text=True, check=False)
        assert died.returncode == -9, died.stderr
        load.waiting.append(spec)
        load.step()
    load.finish()


def left_behind(cluster: slurm.Cluster, load: Load) -> list[str]:
    """What of a load still runs, or may yet run: processes, and batch jobs that wait. In the end what the controller only believes to run
    is taken from it: it forgot that those had ended, and their nodes tell it minutes later.
    """
    mine = {f"fabriek-{handle.job}-1" for handle in load.states}

    def found() -> list[str]:
        with contextlib.suppress(Unavailable):
            load.executor.poll(list(load.states))
        put_back(cluster)
        waiting = cluster.command("squeue", "-h", "-t", "PENDING", "-o", "%j").split()
        return [*(mine & set(waiting)), *map(str, processes_saying(str(load.witness.file)))]

    try:
        until(lambda: not found(), seconds_max=60)
    except AssertionError:
        return found()
    for name in mine & set(cluster.command("squeue", "-h", "-o", "%j").split()):
        cluster.says("scancel", "--name", name)
    return []


def batch_jobs(cluster: slurm.Cluster, job: str) -> list[str]:
    """Slurm's ids of all batch jobs of a job's first attempt."""
    return cluster.command("squeue", "-h", "-t", "all", "-o", "%i", "--name", f"fabriek-{job}-1").split()
