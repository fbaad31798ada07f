"""The same job on Slurm: a whole factory whose executor is a real cluster runs what it runs on this machine."""

import json
from pathlib import Path

import pytest

from fabriek.compute.accounts.plan import account_name
from fabriek.ops.quickstart import EMAIL
from tests.factories.waiting import until
from tests.servers import slurm
from tests.servers.factory import quickstarted, why_no_jobs

OURS = account_name("playground")

pytestmark = [pytest.mark.sandbox, pytest.mark.slurm, pytest.mark.xdist_group("slurm-journeys")]

SCRIPT = """
import os, sys
import mlflow
numbers = open("/data/numbers.csv").read().split(",")
for step, number in enumerate(numbers):
    mlflow.log_metric("number", float(number), step=step)
open("/output/sum.txt", "w").write(str(sum(map(int, numbers))))
print("summed", flush=True)
"""


def a_home(cluster: slurm.Cluster, room: Path, **more: object) -> Path:
    """A home whose jobs go to the cluster."""
    settings: dict[str, object] = {
        "executor": "slurm",
        "slurm_conf": cluster.environment["SLURM_CONF"],
        "slurm_account": slurm.ACCOUNT,
        "slurm_accounts": True,
    } | more
    home = room / "home"
    home.mkdir(mode=0o700)
    (home / "fabriek.toml").write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    return home


def test_data_lab_results_and_settlement_are_the_same(
    slurm_cluster: slurm.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason := why_no_jobs():
        pytest.skip(reason)
    home = a_home(slurm_cluster, tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "numbers.csv").write_text("1,2,3")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text(SCRIPT)
    with quickstarted(home) as factory:
        assert factory.run("data", "push", str(tmp_path / "data"), "numbers").returncode == 0
        ran = factory.run("run", "--data", "numbers:/data", "--json", "--", "python", "train.py", cwd=tmp_path / "code")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        job = json.loads(ran.stdout)
        assert (job["state"], job["exit_code"]) == ("succeeded", 0)
        assert factory.run("job", "log", job["id"]).stdout.strip() == "summed"
        pulled = factory.run("job", "pull", job["id"], str(tmp_path / "results"))
        assert pulled.returncode == 0, pulled.stderr
        assert (tmp_path / "results" / "sum.txt").read_text() == "6"
        shown = until(lambda: json.loads(factory.run("job", "show", job["id"], "--json").stdout)["account"])
        assert (shown["state"], shown["elapsed_seconds"] + 1 >= job["ran_seconds"] > 0) == ("COMPLETED", True)
        array = json.loads(
            factory.run("run", "--array", "0-3", "--json", "--", "echo", "x", cwd=tmp_path / "code").stdout
        )["array"]
        words = ("job", "ls", "--array", array, "--json")
        until(lambda: {one["state"] for one in json.loads(factory.run(*words).stdout)} == {"succeeded"})
        failed = factory.run("run", "--", "sh", "-c", "exit 3", cwd=tmp_path / "code")
        assert failed.returncode == 9
    together = slurm_cluster.command("sacct", "-X", "-n", "-P", "--format", "JobName,JobID").split()
    assert any(one.startswith("fabriek-array-") and "_" in one for one in together)
    accounts = slurm_cluster.command(
        "sacct", "-X", "-n", "-P", "--format", "JobName,State,Account", "--name", f"fabriek-{job['id']}-1"
    )
    assert accounts.strip() == f"fabriek-{job['id']}-1|COMPLETED|fabriek-playground"


def test_a_secret_reaches_a_job_on_a_node_and_lies_in_no_folder_on_the_way(
    slurm_cluster: slurm.Cluster, tmp_path: Path
) -> None:
    if reason := why_no_jobs():
        pytest.skip(reason)
    canary = b"canary-of-the-cluster"

    def sightings(home: Path) -> list[str]:
        return [str(file) for file in home.rglob("*") if file.is_file() and canary in file.read_bytes()]

    script = 'echo "it has ${#TOKEN} letters: $TOKEN"; until [ -e /output/on ]; do sleep 0.1; [ $((n=n+1)) -gt 20 ] && touch /output/on; done'
    with quickstarted(a_home(slurm_cluster, tmp_path)) as factory:
        assert factory.run("secret", "set", "TOKEN", input_text=canary.decode()).returncode == 0
        job = factory.run("run", "--detach", "--secret", "TOKEN", "--", "sh", "-c", script).stdout.strip()
        until(lambda: factory.run("job", "log", job).stdout)
        assert sightings(factory.home) == []
        assert factory.run("job", "follow", job).returncode == 0
        assert factory.run("job", "log", job).stdout == f"it has {len(canary)} letters: ***\n"
        assert sightings(factory.home) == []


LEAVES = """
import os, socket
rank = os.environ["RANK"]
print(rank, open("/data/numbers.csv").read())
open(f"/output/rank-{rank}.txt", "w").write(rank)
open("/output/model.txt", "w").write(rank)
open("/output/same.txt", "w").write("same")
"""


def test_members_on_nodes_of_their_own_read_the_same_data_and_leave_one_version(
    slurm_cluster: slurm.Cluster, tmp_path: Path
) -> None:
    if reason := why_no_jobs():
        pytest.skip(reason)
    home = a_home(
        slurm_cluster, tmp_path, gang_network="host", job_nodes=4, job_cpus_max=8, job_memory_bytes_max=4 * 2**30
    )
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "numbers.csv").write_text("1,2,3")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text(LEAVES)
    with quickstarted(home) as factory:
        assert factory.run("data", "push", str(tmp_path / "data"), "numbers", "--label", "open").returncode == 0
        words = (
            "--nodes",
            "2",
            "--cpus",
            "1",
            "--memory",
            "256MiB",
            "--data",
            "numbers:/data",
            "--json",
            "--",
            "python",
            "train.py",
        )
        ran = factory.run("run", *words, cwd=tmp_path / "code")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        job = json.loads(ran.stdout)
        assert sorted(factory.run("job", "log", job["id"]).stdout.splitlines()) == ["0: 0 1,2,3", "1: 1 1,2,3"]
        assert "members left different files at model.txt" in json.dumps(job)
        results = tmp_path / "results"
        pulled = factory.run("job", "pull", job["id"], str(results))
        assert pulled.returncode == 0, pulled.stderr
        left = {file.relative_to(results).as_posix(): file.read_text() for file in results.rglob("*") if file.is_file()}
        assert left == {
            "rank-0.txt": "0", "rank-1.txt": "1", "same.txt": "same", "model.txt": "0", "member-1/model.txt": "1"
        }  # fmt: skip
        refused = factory.run("run", "--nodes", "2", "--cpus", "1", "--batch", "--", "true", cwd=tmp_path / "code")
        assert "cannot start tasks on the others" in refused.stderr
        failed = factory.run(
            "run",
            "--nodes",
            "2",
            "--cpus",
            "1",
            "--memory",
            "256MiB",
            "--",
            "sh",
            "-c",
            "exit 3",
            cwd=tmp_path / "code",
        )
        assert failed.returncode == 9


def test_an_operator_brings_the_accounts_in_step_and_is_told_what_was_done_and_what_is_left(
    slurm_cluster: slurm.Cluster, tmp_path: Path
) -> None:
    users = tmp_path / "users.toml"
    users.write_text(f'"{EMAIL}" = "daemon"\n')

    def marked(description: str) -> None:
        words = ("account", "where", f"name={OURS}", "set", f"description={description}")
        slurm_cluster.command("sacctmgr", "-i", "modify", *words)

    def members() -> set[str]:
        words = ("list", "associations", "where", f"account={OURS}", "format=user")
        return set(slurm_cluster.command("sacctmgr", "-nP", *words).split())

    # The worker leaves them alone, so that whatever is done is the operator's doing.
    with quickstarted(a_home(slurm_cluster, tmp_path, slurm_accounts=False, slurm_users=str(users))) as factory:

        def sync(*words: str) -> tuple[int, list[str]]:
            done = factory.run("admin", "slurm", "sync", *words)
            return done.returncode, done.stdout.splitlines()

        slurm_cluster.says("sacctmgr", "-i", "remove", "account", "where", f"name={OURS}")  # left there by another test
        code, planned = sync("--dry-run")
        assert (code, f"would add account {OURS}" in planned, f"would add user daemon to {OURS}" in planned) == (
            0,
            True,
            True,
        )
        assert members() == set()
        assert sync() == (0, [line.removeprefix("would ") for line in planned])
        assert members() >= {"daemon"}
        assert sync() == (0, ["in step already"])
        mark = slurm_cluster.command(
            "sacctmgr", "-nP", "list", "account", "where", f"name={OURS}", "format=description"
        )
        marked("theirs")
        left = f"{OURS}: the cluster has an account of that name that is not this project's"
        assert sync() == (1, [f"left: {left}"])
        code, told = sync("--json")
        assert (code, json.loads("\n".join(told))) == (1, {"planned": [], "done": [], "left": [left]})
        marked(mark.strip())
        users.write_text("")
        assert sync() == (0, [f"remove user daemon from {OURS}"])
        assert "daemon" not in members()
