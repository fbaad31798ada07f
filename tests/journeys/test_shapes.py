"""Nodes and GPUs as people ask for them, on a factory whose operator named kinds and cut the machine in two."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabriek.sdk import Fabriek
from tests.servers.factory import Running, quickstarted, why_no_jobs

pytestmark = pytest.mark.sandbox

SETTINGS = {
    "FABRIEK_JOB_GPUS": "a100:2,h100:2", "FABRIEK_JOB_GPUS_SHARED": "a100:0.5", "FABRIEK_JOB_NODES": "2", "FABRIEK_JOB_CPUS_MAX": "4",
}  # fmt: skip

JOB = """
command: [sh, -c, 'echo $SLURM_NODEID of $SLURM_NNODES has $FABRIEK_GPU_PART of $SLURM_JOB_GPUS']
nodes: 2
gpus: a100:0.5
"""


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if reason := why_no_jobs():
        pytest.skip(reason)
    with quickstarted(tmp_path_factory.mktemp("shapes") / "home", **SETTINGS) as running:
        yield running


def test_a_gang_on_halves_of_gpus_runs_as_it_was_written_down(factory: Running, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    done = factory.run("run", "-f", "job.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stdout.splitlines() if " of 2 has " in line]
    assert sorted(said) == ["0: 0 of 2 has 0.5 of 0", "1: 1 of 2 has 0.5 of 1"]
    (job,) = json.loads(factory.run("job", "ls", "--json").stdout)
    shown = json.loads(factory.run("job", "show", job["id"], "--json").stdout)
    assert (shown["nodes"], shown["gpus"], shown["gpu_kind"], shown["held"]) == (2, 0.5, "a100", "1 GPU-hour")


def test_a_job_file_is_run_from_python_and_without_a_command_takes_the_one_of_the_line(
    factory: Running, tmp_path: Path
) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    (tmp_path / "shape.yaml").write_text("env: {DEPTH: 3}\ncode: none\n")
    with Fabriek(factory.url, factory.variables["FABRIEK_TOKEN"], "playground") as mine:
        done = mine.jobs.wait(mine.jobs.run_file(tmp_path / "job.yaml").id)
        assert (done.state, done.nodes, done.gpus) == ("succeeded", 2, 0.5)
        said = b"".join(mine.jobs.log(done.id)).decode().splitlines()
    assert sorted(said) == ["0: 0 of 2 has 0.5 of 0", "1: 1 of 2 has 0.5 of 1"]
    ran = factory.run("run", "-f", "shape.yaml", "--", "sh", "-c", "echo depth $DEPTH", cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (0, "depth 3\n")
    without = factory.run("run", "-f", "shape.yaml", cwd=tmp_path)
    assert (without.returncode, "there is no command" in without.stderr) == (2, True)


@pytest.mark.parametrize(
    ("options", "nearest"),
    [
        (["--nodes", "3"], "--nodes 2"), (["--cpus", "3"], "--cpus 2"), (["--gpus", "h100:2"], "--gpus h100:1"),
        (["--gpus", "h100:0.5"], "--gpus h100:1"), (["--gpus", "0.3"], "--gpus a100:0.5"), (["--gpus", "1.5"], "--gpus 2"),
        (["--gpus", "t4:1"], "one of a100, h100"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dry", [["--dry-run"], ["--detach"]])
def test_what_can_never_start_is_refused_with_the_nearest_that_could(
    factory: Running, options: list[str], nearest: str, dry: list[str]
) -> None:
    refused = factory.run("run", *dry, *options, "--", "true")
    assert refused.returncode == 2
    assert nearest in refused.stderr


@pytest.mark.parametrize("amount", ["-1", "a100:", "a100:x", "1e9", ":2", "2;3"])
def test_what_is_no_amount_is_refused_by_name(factory: Running, amount: str) -> None:
    refused = factory.run("run", f"--gpus={amount}", "--", "true")
    assert refused.returncode == 2
    assert "gpus" in refused.stderr


def test_a_job_that_the_power_contract_never_leaves_room_for_is_refused_and_a_plan_says_so(tmp_path: Path) -> None:
    if reason := why_no_jobs():
        pytest.skip(reason)
    with quickstarted(tmp_path / "home", FABRIEK_POWER_CONTRACT_WATTS="40", FABRIEK_JOB_CPUS_MAX="2") as small:
        for words in (("--dry-run",), ("--detach",)):
            refused = small.run("run", *words, "--cpus", "2", "--", "true")
            assert refused.returncode == 2
            assert "this draws 17 W, and the contract of 40 W leaves 12 W beside the idle machine" in refused.stderr
            assert "ask for --cpus 1" in refused.stderr
        assert json.loads(small.run("job", "ls", "--json").stdout) == []
        assert small.run("run", "--cpus", "1", "--", "true").returncode == 0
