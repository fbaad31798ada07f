"""`job.yaml`: what it says is what is asked, and what it cannot mean is refused by name."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.compute import InputIn, JobIn
from fabriek.schemas.jobfile import JobFile
from fabriek.sdk import jobfile
from fabriek.sdk.client import Client
from fabriek.sdk.compute import Compute

EVERYTHING = """
command: python train.py --lr {lr} --note 'a b'
name: train
data: {biopsies@3: /data, cells: /cells}
code: none
image: ubuntu-24
requirements: needs.txt
env: {SEED: 4, FAST: true, RATE: 0.5, NOTE: a b}
experiment: lungs
purpose: dual_use
nodes: 2
gpus: a100:2
cpus: 3
memory: 4GiB
time: 90m
priority: eco
array: "%2"
sweep: {lr: [0.1, "0.01", 1], deep: [yes, no]}
after: ["17", afterany:18]
begin: 2026-12-01T10:00:00+01:00
deadline: 2026-12-02 10:00:00Z
requeue: 3
signal: USR1@120
grace: 30s
preemptible: true
network: pypi.example:443
folder: /runs
port: 8000
secrets: [TOKEN=HF_TOKEN]
notify: ["begin,fail:mail"]
tasks: 4
batch: true
work: language-training
"""


def asked_by(file: Path) -> JobIn:
    """What is sent, of a file whose code is not sent along."""
    job = jobfile.job_file(jobfile.read(file))
    asked = jobfile.asked_of(job)
    if asked["requirements"]:
        asked["requirements"] = file.parent / asked["requirements"]
    return Compute(Client("http://127.0.0.1:9")).asked(jobfile.words_of(job), **asked)


def written(folder: Path, text: str) -> Path:
    file = folder / "job.yaml"
    file.write_text(text)
    return file


def test_a_file_with_every_field_is_the_job_that_is_asked_with_nothing_lost(tmp_path: Path) -> None:
    assert set(yaml.safe_load(EVERYTHING)) == set(JobFile.model_fields)
    (tmp_path / "needs.txt").write_text("numpy==2.2.0\n")
    asked = asked_by(written(tmp_path, EVERYTHING))
    expected: dict[str, Any] = {
        "command": ["python", "train.py", "--lr", "{lr}", "--note", "a b"], "name": "train",
        "inputs": [InputIn(dataset="biopsies@3", mount="/data"), InputIn(dataset="cells", mount="/cells")],
        "environment": {"SEED": "4", "FAST": "true", "RATE": "0.5", "NOTE": "a b"}, "requirements": "numpy==2.2.0\n",
        "purpose": "dual_use", "experiment": "lungs", "gpus": "a100:2", "cpus": 3, "memory_bytes": 4 * 2**30, "wall_seconds_max": 5_400,
        "priority": "eco", "array": "%2", "sweep": {"lr": ["0.1", "0.01", "1"], "deep": ["true", "false"]},
        "after": ["17", "afterany:18"], "not_before": datetime(2026, 12, 1, 9, tzinfo=UTC),
        "deadline": datetime(2026, 12, 2, 10, tzinfo=UTC), "requeues_max": 3, "signal": "USR1@120", "grace_seconds": 30,
        "preemptible": True, "network": "pypi.example:443", "folder": "/runs", "port": 8_000, "tasks": 4, "nodes": 2, "batch": True,
        "secrets": ["TOKEN=HF_TOKEN"], "notify": ["begin,fail:mail"], "image": "ubuntu-24", "work": "language-training",
    }  # fmt: skip
    assert dict(asked) == expected | {"code": ""}
    assert {name for name in JobIn.model_fields if name != "code"} == set(expected)


def test_what_is_left_out_is_what_the_server_takes_for_it(tmp_path: Path) -> None:
    asked = asked_by(written(tmp_path, "command: ['true']\n"))
    assert asked == JobIn(command=["true"])


@pytest.mark.parametrize(
    ("text", "said", "fix"),
    [
        ("command: [a]\ngpu: 1\n", "a job has no field 'gpu'", "one of after, array, batch, begin,"),
        ("command: [a\nname: b\n", "is not YAML, line 2", "docs/howto/jobs.md"),
        ("command: \x00\n", "is not YAML", "docs/howto/jobs.md"),
        ("- true\n", "is no list of fields", "begin with command:"),
        ("", "is no list of fields", "begin with command:"),
        ("name: b\n", "there is no command", "fabriek run -- "),
        ("command: []\n", "there is no command", "fabriek run -- "),
        ("command: python 'a\n", "the command cannot be cut into words", "write it as a list"),
        ("command: [a]\ncpus: many\n", "cpus", "docs/howto/jobs.md"),
        ("command: [a]\ntime: soon\n", "time", "docs/howto/jobs.md"),
    ],
)
def test_what_it_cannot_mean_is_refused_by_name(tmp_path: Path, text: str, said: str, fix: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        asked_by(written(tmp_path, text))
    assert said in str(refused.value)
    assert fix in refused.value.fix


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.yaml cannot be read"):
        jobfile.read(tmp_path / "nowhere.yaml")


def test_the_schema_wants_no_command_and_says_where_one_may_be_missing() -> None:
    schema = JobFile.model_json_schema()
    assert "command" not in schema.get("required", [])
    assert "-- COMMAND" in schema["properties"]["command"]["description"]
