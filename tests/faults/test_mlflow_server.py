"""Experiments brought in from MLflow's own server: a minute, so not by default."""

import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import LoggedModelStatus

from fabriek.adapters.database import open_database
from fabriek.api import app as api
from fabriek.sdk import Fabriek
from fabriek.sdk.tracking.dialect import Dialect
from fabriek.sdk.tracking.live import Live
from fabriek.sdk.tracking.records import Experiment, Model, Run
from tests.factories.mlruns import fill
from tests.factories.services import a_town
from tests.servers import mlflow_server
from tests.servers.app import serving

pytestmark = pytest.mark.faults


@pytest.fixture
def factory(sqlite_with_tables: Path, tmp_path: Path) -> Iterator[Fabriek]:
    shutil.copyfile(sqlite_with_tables, tmp_path / "fabriek.db")
    database = open_database(f"sqlite:///{tmp_path}/fabriek.db")
    town = a_town(database, tmp_path / "home")
    person = town.person("weefsel")
    project = town.project(person)
    token = town.services.identity.issue_token(person.person, by=person)
    with serving(api.build(town.services)) as url, Fabriek(url, token, project) as opened:
        yield opened
    database.close()


def everything(source: Live) -> dict[str, object]:
    """Runs with all their points, files, models: what must survive, in a form that compares."""
    found: dict[str, object] = {}
    for experiment in source.experiments():
        assert isinstance(experiment, Experiment)
        for run in source.runs(experiment):
            assert isinstance(run, Run)
            points = {
                key: sorted(
                    ("nan" if math.isnan(one.value) else repr(one.value), one.at_ms, one.step)
                    for one in source.points(run, key)
                )
                for key in run.keys
            }
            tags = {key: value for key, value in run.tags.items() if not key.startswith("fabriek.")}
            data = sorted(
                (one.name, one.digest, one.source_type, one.schema, tuple(one.tags.items())) for one in run.datasets
            )
            found[run.id] = (
                experiment.name, run.name, run.user, run.status, run.started_ms, run.ended_ms, run.is_deleted, dict(run.params), tags, points,
                data, [step for _, step in run.outputs], files(source, run),
            )  # fmt: skip
        for model in source.models(experiment):
            assert isinstance(model, Model)
            tags = {key: value for key, value in model.tags.items() if not key.startswith("fabriek.")}
            found[model.name] = (model.kind, model.run, model.status, dict(model.params), tags, files(source, model))
    return found


def files(source: Live, owner: Run | Model) -> dict[str, bytes]:
    found = {}
    for path, _ in source.files(owner):
        with source.open(owner, path) as pieces:
            found[path] = b"".join(pieces)
    return found


def place_artifacts(mlflow: MlflowClient, folder: Path) -> str:
    """A run whose files, and whose model's, are where no proxy is: only their server knows the way."""
    home = mlflow.create_experiment("placed", artifact_location=(folder / "placed").as_uri())
    run = mlflow.create_run(home, start_time=5).info.run_id
    model = mlflow.create_logged_model(home, "placed model", run).model_id
    (folder / "some" / "deep").mkdir(parents=True)
    (folder / "some" / "deep" / "a b.txt").write_text("words")
    mlflow.log_artifacts(run, str(folder / "some"))
    mlflow.log_model_artifacts(model, str(folder / "some"))
    mlflow.finalize_logged_model(model, LoggedModelStatus.READY)
    mlflow.set_terminated(run)
    return str(run)


def test_all_that_mlflows_server_keeps_arrives(
    factory: Fabriek, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason := mlflow_server.why_absent():
        pytest.skip(reason)
    (tmp_path / "peer").mkdir()
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    with mlflow_server.running(tmp_path / "peer") as url:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
        made = fill(MlflowClient(url, url), tmp_path / "filled")
        placed = place_artifacts(MlflowClient(url, url), tmp_path)
        report = factory.lab.import_runs(url, registered=True)
        assert report.is_whole, report.failures
        assert (report.counts["runs"].done, report.counts["versions"].done, report.counts["files"].done) == (4, 2, 6)
        there, here = Dialect(url), Dialect(factory.lab.tracking_uri, factory.client.token)
        known, came = everything(Live(there)), everything(Live(here))
        assert known.keys() == came.keys() > {made.full, made.deleted, made.open, placed}
        for name, one in known.items():
            assert came[name] == one, name
        again = factory.lab.import_runs(url, registered=True)
        assert (again.counts["runs"].skipped, again.counts["files"].done) == (3, 0)
        there.close()
        here.close()
