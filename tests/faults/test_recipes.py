"""The recipes on PyTorch, for real, to the metric that each is expected to reach. They need torch, which weighs gigabytes:
`FABRIEK_TORCH_PYTHON` names an interpreter that has it, with scikit-learn and mlflow-skinny beside it.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fabriek.sdk.facade import Fabriek
from tests.servers.factory import quickstarted, why_no_jobs

PYTHON = os.environ.get("FABRIEK_TORCH_PYTHON", sys.executable)  # noqa: TID251  # chosen where it is started

pytestmark = [pytest.mark.faults, pytest.mark.sandbox, pytest.mark.timeout(3_000)]


def why_no_torch() -> str:
    asked = [PYTHON, "-c", "import torch, sklearn, mlflow"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=300)
    return "" if done.returncode == 0 else f"{PYTHON} has no torch, scikit-learn and mlflow: set FABRIEK_TORCH_PYTHON"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fabriek]:
    if reason := why_no_jobs() or why_no_torch():
        pytest.skip(reason)
    home = tmp_path_factory.mktemp("torch") / "home"
    with (
        quickstarted(home, FABRIEK_JOB_PYTHON=PYTHON) as running,
        Fabriek(running.url, running.variables["FABRIEK_TOKEN"], "playground") as made,
    ):
        yield made


@pytest.mark.parametrize("name", ["images", "text", "distributed"])
def test_it_reaches_what_it_promises(client: Fabriek, name: str, tmp_path: Path) -> None:
    planned = client.recipes.plan(name)
    assert planned.lacking == []
    job = client.recipes.run(name)
    found = client.recipes.wait(name, job.id)
    print(f"{name}: {found.says}; {client.jobs.show(job.id).ran_seconds:.0f} s")
    assert found.reached, b"".join(client.jobs.log(job.id)).decode()
    left = client.jobs.pull(job.id, tmp_path / "out")
    with np.load(left / "weights.npz", allow_pickle=False) as weights:
        assert all(np.isfinite(weights[one]).all() for one in weights.files)
    run = client.lab.run(client.jobs.show(job.id).run)
    if name == "distributed":
        assert (run.metrics["weights_differ"], run.params["processes"]) == (0, "2")
        assert client.jobs.show(job.id).cpus == 2
    if name == "text":
        assert (left / "sample.txt").read_text("utf-8").startswith("Dear ")


def test_text_of_ones_own_is_learnt(client: Fabriek, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").write_text(
        "De haven ligt aan zee. De fabriek ligt aan het spoor.\n" * 60, "utf-8"
    )
    client.vault.push(tmp_path / "letters", "letters")
    job = client.recipes.run("text", data="letters", steps=60, base_steps=40)
    found = client.recipes.wait("text", job.id)
    assert found.reached, found.says
