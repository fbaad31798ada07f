"""`mlflow.autolog()` in somebody's script, against a factory: what it logs by itself arrives whole. Searches and nets: `tests/faults`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.trainings import trained, why_not
from tests.servers.factory import Running, quickstarted

FEATURES = 13


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with quickstarted(tmp_path_factory.mktemp("autolog") / "home") as factory:
        yield factory


def test_a_forest_of_scikit_learn(running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = trained(running, "with_sklearn", tmp_path, monkeypatch)
    run = there.run("forest")
    assert run.info.status == "FINISHED"
    assert (
        run.data.params.items()
        >= {"n_estimators": "5", "max_depth": "3", "random_state": "7", "criterion": "gini"}.items()
    )
    assert run.data.metrics["training_accuracy_score"] > 0.9
    assert run.data.metrics["RandomForestClassifier_score_test_x"] > 0.8
    assert run.data.tags["estimator_class"] == "sklearn.ensemble._forest.RandomForestClassifier"
    (read,) = run.inputs.dataset_inputs
    assert {one.key: one.value for one in read.tags} == {"mlflow.data.context": "train"}
    assert "alcohol" in read.dataset.schema
    assert {one.path for one in there.client.list_artifacts(run.info.run_id)} >= {"estimator.html", "metric_info.json"}
    described = there.described(there.model(run))
    assert len(described.signature.inputs) == FEATURES
    assert described.flavors.keys() == {"python_function", "sklearn"}


@pytest.mark.skipif(bool(why_not("lightgbm")), reason=why_not("lightgbm"))
def test_boosted_trees_of_lightgbm(running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = trained(running, "with_lightgbm", tmp_path, monkeypatch)
    run = there.run("boosted")
    assert run.data.params.items() >= {"num_leaves": "7", "num_boost_round": "10", "objective": "multiclass"}.items()
    losses = [one.value for one in there.client.get_metric_history(run.info.run_id, "test-multi_logloss")]
    assert len(losses) == 10
    assert losses == sorted(losses, reverse=True)
    assert run.data.metrics["test-multi_logloss"] == losses[-1]
    assert {one.dataset.name for one in run.inputs.dataset_inputs} == {"dataset", "train", "test"}
    described = there.described(there.model(run))
    assert len(described.signature.inputs) == FEATURES
    assert described.flavors.keys() == {"python_function", "lightgbm"}
