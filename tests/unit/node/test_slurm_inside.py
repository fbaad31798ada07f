"""Slurm's commands within a job: tasks, output files, and asking to be run again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fabriek.node import slurm_inside
from fabriek.node.sandbox import SLURM_INSIDE, make_shim


def called(name: str, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-I", "-S", str(SLURM_INSIDE), name, *words],
        env={"PATH": os.defpath, "SLURM_JOB_ID": "17", **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_each_task_has_its_number_and_its_file(tmp_path: Path) -> None:
    done = called(
        "srun",
        "-n",
        "2",
        "--unbuffered",
        "--output",
        f"{tmp_path}/%j_%t.out",
        "sh",
        "-c",
        "echo $SLURM_PROCID of $SLURM_NTASKS",
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "17_0.out").read_text() == "0 of 2\n"
    assert (tmp_path / "17_1.out").read_text() == "1 of 2\n"


def test_the_exit_code_is_the_highest_of_the_tasks() -> None:
    assert called("srun", "-n3", "sh", "-c", "exit $SLURM_PROCID").returncode == 2
    assert called("srun", "sh", "-c", "kill -KILL $$").returncode == 137
    assert "no command" in called("srun", "-n", "2").stderr
    assert called("srun", "-n", "0", "true").returncode == 1


def test_a_later_attempt_adds_to_the_file(tmp_path: Path) -> None:
    for restart in ("0", "1"):
        called("srun", "--output", f"{tmp_path}/o", "echo", restart, SLURM_RESTART_COUNT=restart)
    assert (tmp_path / "o").read_text() == "0\n1\n"


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("%A_%a.log", "17_3.log"), ("%4a", "0003"), ("%x-%j", "train-17"), ("100%%", "100%"), ("%q", "%q"), ("%t", "0")],
)
def test_names_are_filled_in_as_sbatch_does(pattern: str, name: str) -> None:
    known = {"SLURM_JOB_ID": "17", "SLURM_ARRAY_JOB_ID": "17", "SLURM_ARRAY_TASK_ID": "3", "SLURM_JOB_NAME": "train"}
    assert slurm_inside.filled(pattern, known) == name


def test_a_job_asks_for_itself_and_for_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm_inside, "AGAIN", str(tmp_path / "again"))
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "17")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    assert slurm_inside.main("scontrol", ["requeue", "18"]) == 1
    assert not (tmp_path / "again").exists()
    assert slurm_inside.main("scontrol", ["requeue", "17_3"]) == 0
    assert (tmp_path / "again").exists()


def test_node_lists_are_written_out() -> None:
    assert called("scontrol", "show", "hostnames", "a,b").stdout == "a\nb\n"
    assert called("scontrol", "update", "x").returncode == 1
    told = called("scontrol", "show", "hostnames", "job-[0-1]")
    assert (told.returncode, told.stdout, "without brackets" in told.stderr) == (1, "", True)


@pytest.mark.parametrize("name", slurm_inside.OUTSIDE)
def test_what_asks_the_queue_says_why_it_does_nothing(tmp_path: Path, name: str) -> None:
    folder = make_shim(tmp_path, (sys.executable,), str(tmp_path))
    told = subprocess.run([folder / name, "-j", "17"], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith(f"{name}: error: a job may neither submit jobs nor look at them")


def test_the_commands_are_on_the_path_and_start_with_the_jobs_python(tmp_path: Path) -> None:
    folder = make_shim(tmp_path / "a folder", (sys.executable,), str(tmp_path / "a folder"))
    done = subprocess.run(
        ["srun", "echo", "a b"], env={"PATH": f"{folder}:{os.defpath}"}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "a b\n"


def test_a_job_waits_for_the_folder_of_its_output(tmp_path: Path) -> None:
    late = tmp_path / "17"
    argv = [sys.executable, "-I", "-S", str(SLURM_INSIDE), "srun", "--output", f"{tmp_path}/%j/%t.out", "echo", "here"]
    with subprocess.Popen(argv, env={"PATH": os.defpath, "SLURM_JOB_ID": "17"}) as waiting:
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(0.5)
        late.mkdir()
        assert waiting.wait(60) == 0
    assert (late / "0.out").read_text() == "here\n"


def test_a_folder_that_never_comes_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm_inside, "FOLDER_SECONDS", 0)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        slurm_inside.opened(f"{tmp_path}/nowhere/o", {}, append=False)
