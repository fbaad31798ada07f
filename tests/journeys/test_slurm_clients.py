"""Programs written for Slurm run unmodified on the embedded executor and on Slurm through us, with the results that Slurm itself gives."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.factories.waiting import until
from tests.servers import slurm
from tests.servers.factory import Running, clean_environment, quickstarted, why_no_jobs

CLIENTS = Path(slurm.__file__).with_name("slurm_clients")
NOBODY = 65_534

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(300)]


def told(client: str, folder: Path, environment: dict[str, str], *words: str) -> dict[str, Any]:
    """What a client's program printed. It makes files that the job's user may write too, since the tests are root and jobs never are."""
    done = subprocess.run(
        [sys.executable, str(CLIENTS / client), str(folder), *words],
        cwd=folder, env=environment | {"HOME": str(folder)}, capture_output=True, text=True, check=False, timeout=200, umask=0,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


@contextmanager
def with_workspace(tmp_path: Path, **settings: str) -> Iterator[tuple[Running, Path, dict[str, str]]]:
    """A factory, its project's workspace, and the surroundings of somebody who put the shim before their path."""
    if reason := why_no_jobs():
        pytest.skip(reason)
    home, workspaces = tmp_path / "home", tmp_path / "workspaces"
    home.mkdir(mode=0o700)
    folder = workspaces / "playground"
    folder.mkdir(parents=True)
    if os.getuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    settings = {"workspaces": str(workspaces), "job_network": "host", **settings}
    (home / "fabriek.toml").write_text("".join(f'{name} = "{value}"\n' for name, value in settings.items()))
    with quickstarted(home) as factory:
        shim = factory.run("slurm-shim").stdout.strip()
        environment = factory.environment() | {"SBATCH_NETWORK": "host"}
        yield factory, folder, environment | {"PATH": f"{shim}:{environment['PATH']}"}


def on_slurm_itself(cluster: slurm.Cluster, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    folder = tmp_path / "plain"
    folder.mkdir(mode=0o777)
    return folder, clean_environment(tmp_path / "home") | cluster.environment


def on_slurm(cluster: slurm.Cluster) -> dict[str, str]:
    return {"executor": "slurm", "slurm_conf": cluster.environment["SLURM_CONF"], "slurm_account": slurm.ACCOUNT}


def test_submitit_runs_arrays_and_goes_on_after_making_room(tmp_path: Path) -> None:
    with with_workspace(tmp_path) as (factory, folder, environment):
        found = told("with_submitit.py", folder, environment, "again")
        assert (found["squares"], found["said"]) == ([1, 4, 9, 16], True)
        assert (found["counted"], found["steps"], found["restarts"]) == (10, list(range(1, 11)), 1)
        jobs = json.loads(factory.run("job", "ls", "--json").stdout)
        assert {job["state"] for job in jobs} == {"succeeded"}
        assert jobs[0]["requeues"] == 1


def test_dask_jobqueue_starts_workers_and_stops_them(tmp_path: Path) -> None:
    with with_workspace(tmp_path) as (factory, folder, environment):
        assert told("with_dask.py", folder, environment) == {"squares": [n * n for n in range(8)], "workers": 2}
        until(
            lambda: (
                {job["state"] for job in json.loads(factory.run("job", "ls", "--json").stdout)}
                <= {"cancelled", "succeeded"}
            )
        )


def test_the_forms_that_clients_read_are_printed_as_slurm_prints_them(tmp_path: Path) -> None:
    with with_workspace(tmp_path) as (_, folder, environment):

        def said(*words: str, script: str = "") -> tuple[int, str]:
            done = subprocess.run(
                words, input=script, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=100
            )  # fmt: skip
            return done.returncode, done.stdout

        code, number = said("sbatch", "--parsable", script="#!/bin/sh\n#SBATCH -J waits -t 10\nsleep 600\n")
        assert (code, number) == (0, f"{int(number)}\n")
        job = number.strip()
        assert said("squeue", "-h", "-j", job, "-o", "%T %B")[1] in {"PENDING n/a\n", "RUNNING job\n"}
        until(lambda: said("squeue", "-h", "-j", job, "-o", "%T %B") == (0, "RUNNING job\n"))
        assert said("squeue", "-h", "-j", job, "-o", "%i|%j|%l|%D") == (0, f"{job}|waits|10:00|1\n")
        code, cpus = said("sinfo", "-h", "-o", "%C")
        allocated, idle, other, total = map(int, cpus.split("/"))
        assert (code, allocated, other, allocated + idle) == (0, 1, 0, total)
        assert said("scancel", job) == (0, "")
        until(lambda: said("sacct", "-n", "-P", "-j", job, "-o", "State") == (0, "CANCELLED\n"))
        assert said("srun", "sh", "-c", "echo here; exit 3") == (3, "here\n")


@pytest.mark.slurm
@pytest.mark.xdist_group("slurm-journeys")
@pytest.mark.parametrize(("client", "words"), [("with_submitit.py", ("again",)), ("with_dask.py", ())])
def test_through_us_and_on_slurm_itself_the_results_are_equal(
    client: str, words: tuple[str, ...], slurm_cluster: slurm.Cluster, tmp_path: Path
) -> None:
    plain = told(client, *on_slurm_itself(slurm_cluster, tmp_path), *words)
    assert plain.get("restarts") == (1 if "again" in words else None)
    with with_workspace(tmp_path, **on_slurm(slurm_cluster)) as (_, folder, environment):
        assert told(client, folder, environment, *words) == plain
