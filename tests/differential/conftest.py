"""Both servers, and the session that is had with each: once for all tests of this folder."""

import gc
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from mlflow.utils import request_utils

from tests.differential.script import SCRIPT
from tests.differential.session import World, take
from tests.servers import mlflow_server
from tests.servers.factory import quickstarted

CLIENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
}  # fmt: skip
Answers = Mapping[str, Mapping[str, Any]]
"""Noun → step → answer."""


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What MLflow's own server answers; skips with its reason where it cannot run."""
    if reason := mlflow_server.why_absent():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("mlflow")
    with mlflow_server.running(folder) as url:
        return _session(url, "", folder)


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    folder = tmp_path_factory.mktemp("ours")
    with quickstarted(folder / "home") as running:
        said = running.variables
        return _session(said["MLFLOW_TRACKING_URI"], said["MLFLOW_TRACKING_TOKEN"], folder)


def _session(uri: str, token: str, folder: Path) -> Answers:
    with pytest.MonkeyPatch.context() as environment, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the client, about itself and about pandas: it is asked all the same
        for name, value in (CLIENT | {"MLFLOW_TRACKING_TOKEN": token or "none"}).items():
            environment.setenv(name, value)
        world = World(uri, token, folder)
        answers = {noun: take(world, steps) for noun, steps in SCRIPT.items()}
        world.web.close()
        request_utils._cached_get_request_session.cache_clear()  # its connections would be open until the tests end
        gc.collect()
        return answers
