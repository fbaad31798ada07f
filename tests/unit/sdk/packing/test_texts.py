"""The files of a pack, to the byte; `golden/job.sh` is what a site's people will read."""

import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fabriek.schemas.packs import PackedInputOut, PackOut
from fabriek.sdk.packing import texts

GOLDEN = Path(__file__).with_name("golden") / "job.sh"
"""Made anew by `python -m tests.unit.sdk.packing.test_texts`."""


def a_pack(**changes: Any) -> PackOut:
    one = PackedInputOut(
        dataset="biopsies", version=3, version_id="ver_1", label="personal", content_hash="0" * 64, mount="/data"
    )
    fields: dict[str, Any] = {
        "id": "pck_1", "project": "weefsel", "name": "train", "state": "packed", "purpose": "civilian", "label": "personal",
        "command": ["python", "train.py", "--note", "it's $HOME\n#SBATCH --nodes=99"], "cpus": 4, "gpus": 1, "memory_bytes": 2**31 + 1,
        "wall_seconds_max": 90_061, "packed_at": datetime(2026, 11, 27, 12, tzinfo=UTC), "inputs": [one], "code": "ver_2",
        "environment": {"GREETING": "@PACK@ `true`"}, "requirements": "",
    }  # fmt: skip
    return PackOut(**fields | changes)


def test_job_sh_is_the_golden_one() -> None:
    assert texts.job_script(a_pack()) == GOLDEN.read_text("utf-8")


def test_a_shell_reads_words_and_variables_as_they_were_given() -> None:
    words = ["a b", "", "'", '"', "$(true)", "back\\slash", "line\nbreak", "-n", "é", "*", "@CPUS@"]
    script = texts.job_script(a_pack(command=words, environment={"A": "x'\"$y\n@TIME@"}))
    until_functions = script[: script.index("fail() {")]
    said = subprocess.run(
        ["bash", "-c", until_functions + '\nprintf "%s\\0" "${command[@]}" "$A"'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.split("\0")[:-1] == [*words, "x'\"$y\n@TIME@"]


def test_directives_hold_numbers_and_our_own_id_only() -> None:
    script = texts.job_script(a_pack())
    directives = script[: script.index("umask")]
    assert shlex.quote("#SBATCH --nodes=99") not in directives
    assert "99" not in directives
    assert [line for line in directives.splitlines() if line.startswith("#SBATCH")] == [
        "#SBATCH --job-name=pck_1", "#SBATCH --nodes=1", "#SBATCH --ntasks=1", "#SBATCH --cpus-per-task=4", "#SBATCH --mem=2049M",
        "#SBATCH --time=1-01:01:01", "#SBATCH --gpus-per-node=1",
    ]  # fmt: skip


def test_the_script_is_one_that_bash_can_read() -> None:
    subprocess.run(["bash", "-n"], input=texts.job_script(a_pack(inputs=[], gpus=0)), text=True, check=True)


@pytest.mark.parametrize(("seconds", "text"), [(1, "0-00:00:01"), (3600, "0-01:00:00"), (90_061, "1-01:01:01")])
def test_a_time_is_written_as_sbatch_reads_it(seconds: int, text: str) -> None:
    assert texts.slurm_time(seconds) == text


def test_both_containers_install_the_same_list_and_nothing_without_one() -> None:
    for text in (texts.container_definition("3.11", requirements=True), texts.containerfile("3.11", requirements=True)):
        assert "python:3.11-slim" in text
        assert "pip install --no-cache-dir -r /requirements.txt" in text
    assert "pip" not in texts.container_definition("3.11", requirements=False) + texts.containerfile(
        "3.11", requirements=False
    )


def test_the_readme_says_that_data_stays_and_why() -> None:
    assert "The data is not in here (it may not)" in texts.readme(a_pack(stays="it may not"))
    assert "in plain" in texts.readme(a_pack())
    assert "reads no data" in texts.readme(a_pack(inputs=[]))


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(texts.job_script(a_pack()), "utf-8")
