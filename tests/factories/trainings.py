"""A training script of somebody who knows nothing of us, run against a factory, and what arrived of it."""

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, Run
from mlflow.models import Model

from tests.servers.factory import Running

SCRIPTS = Path(__file__).parent.parent / "journeys" / "autologged"
TRAINING_SECONDS_MAX = 170


@dataclass(frozen=True)
class Trained:
    uri: str
    token: str
    client: MlflowClient
    runs: Sequence[Run]
    """Newest first."""
    models: Sequence[LoggedModel]

    def run(self, name: str) -> Run:
        (found,) = [one for one in self.runs if one.info.run_name == name]
        return found

    def model(self, run: Run, name: str = "model") -> LoggedModel:
        """The one logged model of a run with this name, whole: ready, linked both ways, with the files that it is loaded from."""
        (found,) = [one for one in self.models if (one.source_run_id, one.name) == (run.info.run_id, name)]
        assert found.status == "READY"
        assert found.model_id in {one.model_id for one in run.outputs.model_outputs}
        files = {one.path for one in self.client.list_logged_model_artifacts(found.model_id)}
        assert {"MLmodel", "requirements.txt", "conda.yaml", "python_env.yaml"} < files
        return found

    def described(self, model: LoggedModel) -> Model:
        """Its `MLmodel`."""
        place = model.artifact_location.removeprefix("mlflow-artifacts:")
        answer = httpx.get(
            f"{self.uri}/api/2.0/mlflow-artifacts/artifacts{place}/MLmodel",
            headers={"Authorization": f"Bearer {self.token}"},
            trust_env=False,
        )
        return Model.from_dict(yaml.safe_load(answer.raise_for_status().text))


def why_not(*modules: str) -> str:
    """Empty where they are installed; else the reason for which a training cannot run."""
    lacking = [name for name in modules if importlib.util.find_spec(name) is None]
    return f"this training needs {', '.join(lacking)}" if lacking else ""


def trained(running: Running, script: str, folder: Path, environment: pytest.MonkeyPatch) -> Trained:
    """Runs `autologged/SCRIPT.py` as its author would, with nothing but the two variables that `fabriek up` prints."""
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / f"{script}.py")], cwd=folder, env=running.environment(), capture_output=True, text=True, check=False,
        timeout=TRAINING_SECONDS_MAX,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    uri, token = running.variables["MLFLOW_TRACKING_URI"], running.variables["MLFLOW_TRACKING_TOKEN"]
    environment.setenv("MLFLOW_TRACKING_TOKEN", token)
    client = MlflowClient(uri, uri)
    experiment = client.get_experiment_by_name(script.replace("with_a_", "autolog-").replace("with_", "autolog-"))
    assert experiment is not None
    models = client.search_logged_models([experiment.experiment_id])
    return Trained(uri, token, client, client.search_runs([experiment.experiment_id]), models)
