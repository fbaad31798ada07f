"""What a run read and made: datasets and models."""

from mlflow.entities import Dataset, DatasetInput, InputTag

from tests.differential.session import Step, client, raw

BEGAN = 1_740_000_000_000
ABSENT = "0" * 32


def wine(digest: str = "d1", **more: str) -> Dataset:
    return Dataset("wine", digest, "local", '{"path": "wine.csv"}', **more)


def _dataset(**said: object) -> dict:
    return {
        "run_id": "$reads",
        "datasets": [{"dataset": {"name": "raw", "digest": "r1", "source_type": "local", "source": "s"} | said}],
    }


STEPS: list[Step] = [
    client("an experiment for inputs", "create_experiment", "inputs", keep="inputs"),
    client("a run that reads", "create_run", "$inputs", start_time=BEGAN, run_name="reads", keep="reads"),
    client("another that reads", "create_run", "$inputs", start_time=BEGAN, run_name="reads too", keep="reads_too"),
    client("a dataset", "log_inputs", "$reads", [DatasetInput(wine(schema='{"a": "long"}', profile='{"rows": 3}'), [InputTag("mlflow.data.context", "training")])]),
    client("the same dataset again", "log_inputs", "$reads", [DatasetInput(wine(), [InputTag("mlflow.data.context", "training")])]),
    client("the same for another use", "log_inputs", "$reads", [DatasetInput(wine(), [InputTag("mlflow.data.context", "eval")])]),
    client("another version of it", "log_inputs", "$reads", [DatasetInput(wine("d2"), [])]),
    client("two at once", "log_inputs", "$reads_too", [DatasetInput(wine(), []), DatasetInput(wine("d3"), [InputTag("a", "b")])]),
    client("no dataset", "log_inputs", "$reads_too", []),
    client("what it read", "get_run", "$reads"),
    client("what the other read", "get_run", "$reads_too"),
    client("what they read, searched", "search_runs", ["$inputs"], "dataset.digest = 'd3'"),
    client("inputs of a run that is not there", "log_inputs", ABSENT, [DatasetInput(wine(), [])]),
    raw("a dataset, raw", "POST", "runs/log-inputs", _dataset()),
    raw("a dataset without a name", "POST", "runs/log-inputs", _dataset(name=None)),
    raw("a dataset with an empty name", "POST", "runs/log-inputs", _dataset(name="")),
    raw("a dataset without a digest", "POST", "runs/log-inputs", _dataset(digest=None)),
    raw("a dataset without a source", "POST", "runs/log-inputs", _dataset(source=None)),
    raw("a dataset with a long name", "POST", "runs/log-inputs", _dataset(name="n" * 501)),
    raw("a dataset with a long digest", "POST", "runs/log-inputs", _dataset(digest="d" * 37)),
    raw("a dataset with a name of a number", "POST", "runs/log-inputs", _dataset(name=3)),
    raw("datasets that are a word", "POST", "runs/log-inputs", {"run_id": "$reads", "datasets": "wine"}),
    raw("inputs without a run", "POST", "runs/log-inputs", {"datasets": []}),
    raw("a tag of an input with a long key", "POST", "runs/log-inputs", {"run_id": "$reads", "datasets": [{"tags": [{"key": "k" * 256, "value": "x"}], "dataset": {"name": "tagged", "digest": "t1", "source_type": "local", "source": "s"}}]}),
    client("a model that is read and made", "create_logged_model", "$inputs", "through", "$reads", keep="through"),
    raw("a model is read", "POST", "runs/log-inputs", {"run_id": "$reads", "models": [{"model_id": "$through"}]}),
    raw("a model is made", "POST", "runs/outputs", {"run_id": "$reads", "models": [{"model_id": "$through", "step": 3}]}),
    raw("a model is made that is not there", "POST", "runs/outputs", {"run_id": "$reads", "models": [{"model_id": "m-" + ABSENT, "step": 0}]}),
    raw("a model is made by a run that is not there", "POST", "runs/outputs", {"run_id": ABSENT, "models": [{"model_id": "$through", "step": 0}]}),
    raw("outputs without a run", "POST", "runs/outputs", {"models": []}),
    client("what it read and made", "get_run", "$reads"),
]  # fmt: skip
