"""What `mlflow.autolog()` logs of longer trainings: a search with its trials, and a net by Lightning's trainer, which needs gigabytes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.trainings import trained, why_not
from tests.servers.factory import Running, quickstarted

pytestmark = pytest.mark.faults
NO_TORCH = why_not("torch", "lightning")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with quickstarted(tmp_path_factory.mktemp("autolog") / "home") as factory:
        yield factory


def test_a_search_has_a_run_for_each_of_its_trials(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = trained(running, "with_a_grid", tmp_path, monkeypatch)
    search = there.run("grid")
    trials = [one for one in there.runs if one.data.tags.get("mlflow.parentRunId") == search.info.run_id]
    assert {one.data.params["max_depth"] for one in trials} == {"1", "2", "3"}
    best = max(trials, key=lambda one: one.data.metrics["mean_test_score"])
    assert search.data.params["best_max_depth"] == best.data.params["max_depth"]
    assert search.data.metrics["best_cv_score"] == best.data.metrics["mean_test_score"]
    for name in ("model", "best_estimator"):
        assert there.described(there.model(search, name)).signature is not None


@pytest.mark.skipif(bool(NO_TORCH), reason=NO_TORCH)
def test_a_net_of_pytorch(running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = trained(running, "with_torch", tmp_path, monkeypatch)
    run = there.run("net")
    assert run.data.params.items() >= {"epochs": "4", "optimizer_name": "Adam"}.items()
    losses = [one.value for one in there.client.get_metric_history(run.info.run_id, "train_loss")]
    assert len(losses) == 4
    assert losses[-1] < losses[0]
    assert {one.path for one in there.client.list_artifacts(run.info.run_id)} >= {"model_summary.txt"}
    assert "pytorch" in there.described(there.model(run)).flavors
