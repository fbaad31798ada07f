"""Both servers, and the session that is had with each at the same time: once for all tests of this folder."""

import gc
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
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
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Answers, Answers]:
    """(ours, MLflow's own). Skips with its reason where MLflow's server cannot run."""
    if reason := mlflow_server.why_absent():
        pytest.skip(reason)
    folders = [tmp_path_factory.mktemp(name) for name in ("ours", "theirs")]
    with (
        mlflow_server.running(folders[1]) as url,
        quickstarted(folders[0] / "home") as running,
        pytest.MonkeyPatch.context() as environment,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # of the client, about itself and about pandas: it is asked all the same
        for name, value in CLIENT.items():
            environment.setenv(name, value)
        token = running.variables["MLFLOW_TRACKING_TOKEN"]
        environment.setenv("MLFLOW_TRACKING_TOKEN", token)
        uris = (running.variables["MLFLOW_TRACKING_URI"], url)
        with ThreadPoolExecutor(2) as pool:
            ours, theirs = pool.map(_session, uris, (token, ""), folders)
    request_utils._cached_get_request_session.cache_clear()  # its connections would be open until the tests end
    gc.collect()
    return ours, theirs


@pytest.fixture(scope="session")
def ours(answers: tuple[Answers, Answers]) -> Answers:
    return answers[0]


@pytest.fixture(scope="session")
def theirs(answers: tuple[Answers, Answers]) -> Answers:
    return answers[1]


def _session(uri: str, token: str, folder: Path) -> Answers:
    world = World(uri, token, folder)
    found = {noun: take(world, steps) for noun, steps in SCRIPT.items()}
    world.web.close()
    return found
