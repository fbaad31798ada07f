"""The example of a base model, for real: made, pushed, fine-tuned in a job without network, registered. Needs torch and transformers.

They weigh gigabytes and are no part of the tests: `FABRIEK_TORCH_PYTHON` names an interpreter that has them, mlflow-skinny beside them.
"""

import json
import os
import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from fabriek.sdk.facade import Fabriek
from tests.servers.factory import quickstarted, why_no_jobs

PYTHON = os.environ.get("FABRIEK_TORCH_PYTHON", sys.executable)  # noqa: TID251  # chosen where it is started
STEPS = "120"

pytestmark = [pytest.mark.faults, pytest.mark.sandbox]

SENTENCES = [
    f"The {one} of the {two} is {three} than the {four} of the {two}."
    for one in ("north", "south", "east", "west", "middle", "front", "back", "top")
    for two in ("harbour", "factory", "village", "library", "market", "station", "garden")
    for three in ("older", "newer", "larger", "quieter", "busier", "colder")
    for four in ("centre", "edge", "heart", "corner", "roof")
]


def why_no_training() -> str:
    asked = [PYTHON, "-c", "import torch, transformers, mlflow, huggingface_hub"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=300)
    return "" if done.returncode == 0 else f"{PYTHON} has no torch, transformers and mlflow: set FABRIEK_TORCH_PYTHON"


def test_a_base_model_is_fine_tuned_in_a_job_and_its_loss_falls(tmp_path: Path) -> None:
    if reason := why_no_jobs() or why_no_training():
        pytest.skip(reason)
    texts, base = tmp_path / "letters", tmp_path / "base"
    texts.mkdir()
    (texts / "letters.txt").write_text("\n".join(SENTENCES))
    with as_file(files("fabriek.ops").joinpath("examples", "finetune")) as example:
        made = subprocess.run(
            [PYTHON, example / "make_base.py", texts, base], capture_output=True, text=True, check=False, timeout=300
        )
        assert made.returncode == 0, made.stderr
        with quickstarted(tmp_path / "home", FABRIEK_JOB_PYTHON=PYTHON) as factory:
            for asked in (("model", "push", str(base), "acme/tiny-writer"), ("data", "push", str(texts), "letters")):
                done = factory.run(*asked)
                assert done.returncode == 0, done.stderr
            done = subprocess.run(
                [sys.executable, "-m", "fabriek.cli", "run", "--data", "letters:/data", "--cpus", "2", "--memory", "3G",
                 "--", "python", "train.py", "acme/tiny-writer", "/data", STEPS],
                cwd=example, env=factory.environment(), capture_output=True, text=True, check=False, timeout=1_500,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
            print(done.stdout)
            with Fabriek(factory.url, factory.variables["FABRIEK_TOKEN"], "playground") as client:
                (model,) = client.lab.models()
                run = client.lab.run(model.run)
                losses = [one.value for one in client.lab.metric(model.run, "test_loss")]
                (pushed,) = client.base_models.list()
            (job,) = json.loads(factory.run("job", "ls", "--json").stdout)
    assert (model.name, model.version, model.label, job["label"]) == ("tuned-tiny-writer", 1, "internal", "internal")
    assert run.params["base_model_commit"] == pushed.commit
    first, *_, last = [one for one in losses if one is not None]
    assert last < first / 2
