"""Metrics: what a value, a time and a step may be; what counts as the last; histories, pages, many runs at once, and the points of a chart."""

import math

from mlflow.entities import Metric

from tests.differential.session import Step, client, raw

BEGAN = 1_740_000_000_000
ABSENT = "0" * 32


def _one(run: str = "$measured", **said: object) -> dict:
    return {"run_id": run, "key": "raw", "value": 1.5, "timestamp": BEGAN, "step": 0} | said


def _without(name: str) -> dict:
    return {key: value for key, value in _one().items() if key != name}


STEPS: list[Step] = [
    client("an experiment for metrics", "create_experiment", "metrics", keep="metrics"),
    client("a run to measure", "create_run", "$metrics", start_time=BEGAN, run_name="measured", keep="measured"),
    client("another run to measure", "create_run", "$metrics", start_time=BEGAN, run_name="other", keep="other"),
    *(client(f"loss at step {step}", "log_metric", "$measured", "loss", 1 / (step + 1), timestamp=BEGAN + step, step=step) for step in range(5)),
    client("the history of a metric", "get_metric_history", "$measured", "loss"),
    client("a point that comes late", "log_metric", "$measured", "loss", 9.0, timestamp=BEGAN + 2, step=2),
    client("the same point again", "log_metric", "$measured", "loss", 9.0, timestamp=BEGAN + 2, step=2),
    client("the history holds both", "get_metric_history", "$measured", "loss"),
    client("the last is that of the highest step", "get_run", "$measured"),
    client("another value at the last step, later", "log_metric", "$measured", "loss", 7.0, timestamp=BEGAN + 9, step=4),
    client("another value at the last step, at the same time, higher", "log_metric", "$measured", "loss", 8.0, timestamp=BEGAN + 9, step=4),
    client("another value at the last step, at the same time, lower", "log_metric", "$measured", "loss", 6.0, timestamp=BEGAN + 9, step=4),
    client("the last of several at one step", "get_run", "$measured"),
    client("a lower step later in time is not the last", "log_metric", "$measured", "loss", 5.0, timestamp=BEGAN + 99, step=1),
    client("the last is still that of the highest step", "get_run", "$measured"),
    *(client(f"a metric of {value}", "log_metric", "$measured", "odd", value, timestamp=BEGAN + at, step=at) for at, value in enumerate(
        [math.nan, math.inf, -math.inf, 0.0, -0.0, 1e308, 5e-324, 1e-300, 123456789.123456789, 2**53 + 1])),
    client("the history of odd values", "get_metric_history", "$measured", "odd"),
    raw("the history of odd values, raw", "GET", "metrics/get-history", params={"run_id": "$measured", "metric_key": "odd"}),
    client("a step before zero", "log_metric", "$measured", "signed", 1.0, timestamp=BEGAN, step=-3),
    client("a time before 1970", "log_metric", "$measured", "signed", 2.0, timestamp=-7, step=0),
    client("the largest step", "log_metric", "$measured", "signed", 3.0, timestamp=BEGAN, step=2**63 - 1),
    client("the history with steps at the edge", "get_metric_history", "$measured", "signed"),
    raw("a step beyond 2^63", "POST", "runs/log-metric", _one(step=2**63)),
    raw("a step far beyond 2^63", "POST", "runs/log-metric", _one(step=10**30)),
    raw("a step that is a fraction", "POST", "runs/log-metric", _one(step=1.5)),
    raw("a step that is a round fraction", "POST", "runs/log-metric", _one(step=2.0, key="round")),
    raw("a step that is a word", "POST", "runs/log-metric", _one(step="one")),
    raw("a step in quotes", "POST", "runs/log-metric", _one(step="7", key="quoted")),
    raw("a step that is true", "POST", "runs/log-metric", _one(step=True)),
    raw("a step that is null", "POST", "runs/log-metric", _one(step=None, key="null")),
    raw("a time that is a word", "POST", "runs/log-metric", _one(timestamp="now")),
    raw("a time in quotes", "POST", "runs/log-metric", _one(timestamp=str(BEGAN), key="quoted")),
    raw("a time beyond 2^63", "POST", "runs/log-metric", _one(timestamp=2**63)),
    raw("no time", "POST", "runs/log-metric", _without("timestamp")),
    raw("no step", "POST", "runs/log-metric", _without("step") | {"key": "stepless"}),
    raw("no value", "POST", "runs/log-metric", _without("value")),
    raw("no key", "POST", "runs/log-metric", _without("key")),
    raw("no run", "POST", "runs/log-metric", _without("run_id")),
    raw("a value that is a word", "POST", "runs/log-metric", _one(value="high")),
    raw("a value in quotes", "POST", "runs/log-metric", _one(value="1.5", key="quoted")),
    raw("NaN as text", "POST", "runs/log-metric", _one(value="NaN", key="texts")),
    raw("nan in small letters", "POST", "runs/log-metric", _one(value="nan", key="texts", step=1)),
    raw("Infinity as text", "POST", "runs/log-metric", _one(value="Infinity", key="texts", step=2)),
    raw("-Infinity as text", "POST", "runs/log-metric", _one(value="-Infinity", key="texts", step=3)),
    raw("inf as text", "POST", "runs/log-metric", _one(value="inf", key="texts", step=4)),
    raw("a value that is true", "POST", "runs/log-metric", _one(value=True)),
    raw("a value that is a list", "POST", "runs/log-metric", _one(value=[1])),
    raw("a value that is null", "POST", "runs/log-metric", _one(value=None)),
    raw("a bare NaN", "POST", "runs/log-metric", content=b'{"run_id": "x", "key": "a", "value": NaN, "timestamp": 1}', headers={"Content-Type": "application/json"}),
    raw("a value of 1e400", "POST", "runs/log-metric", content=b'{"run_id": "x", "key": "a", "value": 1e400, "timestamp": 1}', headers={"Content-Type": "application/json"}),
    raw("a key that is a number", "POST", "runs/log-metric", _one(key=31)),
    raw("a run that is a number", "POST", "runs/log-metric", _one(run_id=31)),
    client("a key of 250 characters", "log_metric", "$measured", "k" * 250, 1.0, timestamp=BEGAN, step=0),
    client("a key of 251 characters", "log_metric", "$measured", "k" * 251, 1.0, timestamp=BEGAN, step=0),
    client("an empty key", "log_metric", "$measured", "", 1.0, timestamp=BEGAN, step=0),
    client("a key with a bad character", "log_metric", "$measured", "a?b", 1.0, timestamp=BEGAN, step=0),
    client("a key that is a path up", "log_metric", "$measured", "../a", 1.0, timestamp=BEGAN, step=0),
    client("a key with slashes", "log_metric", "$measured", "val/loss", 1.0, timestamp=BEGAN, step=0),
    client("a key in letters of the world", "log_metric", "$measured", "größe", 1.0, timestamp=BEGAN, step=0),
    client("a value that is no number", "log_metric", "$measured", "a", "high", timestamp=BEGAN, step=0),
    client("a metric of a run that is not there", "log_metric", ABSENT, "a", 1.0, timestamp=BEGAN),
    raw("a batch with a value that is a word", "POST", "runs/log-batch", {"run_id": "$measured", "metrics": [{"key": "a", "value": "high", "timestamp": BEGAN}]}),
    raw("a batch with NaN as text", "POST", "runs/log-batch", {"run_id": "$measured", "metrics": [{"key": "batched", "value": "NaN", "timestamp": BEGAN, "step": 1}]}),
    raw("a batch with a metric without a time", "POST", "runs/log-batch", {"run_id": "$measured", "metrics": [{"key": "a", "value": 1}]}),
    raw("a batch with a metric without a key", "POST", "runs/log-batch", {"run_id": "$measured", "metrics": [{"value": 1, "timestamp": BEGAN}]}),
    raw("a batch with a bad key in the middle", "POST", "runs/log-batch", {"run_id": "$measured", "metrics": [{"key": "fine", "value": 1, "timestamp": BEGAN}, {"key": "not?", "value": 1, "timestamp": BEGAN}]}),
    client("all last values", "get_run", "$measured", show=lambda run: run.data.metrics),
    client("the history of a metric that is not there", "get_metric_history", "$measured", "absent"),
    client("the history of a run that is not there", "get_metric_history", ABSENT, "loss"),
    raw("a history without a key", "GET", "metrics/get-history", params={"run_id": "$measured"}),
    raw("a history without a run", "GET", "metrics/get-history", params={"metric_key": "loss"}),
    raw("a history in pages of two", "GET", "metrics/get-history", params={"run_id": "$measured", "metric_key": "loss", "max_results": "2"}, keep="history_page"),
    raw("its second page", "GET", "metrics/get-history", params={"run_id": "$measured", "metric_key": "loss", "max_results": "2", "page_token": "$history_page"}),
    raw("a history with a page token that is none", "GET", "metrics/get-history", params={"run_id": "$measured", "metric_key": "loss", "page_token": "nonsense"}),
    raw("a history in pages of none", "GET", "metrics/get-history", params={"run_id": "$measured", "metric_key": "loss", "max_results": "0"}),
    raw("a history in pages of a word", "GET", "metrics/get-history", params={"run_id": "$measured", "metric_key": "loss", "max_results": "all"}),
    client("points of another run", "log_batch", "$other", [Metric("loss", float(step), BEGAN + step, step) for step in range(40)]),
    raw("the points of a chart of two runs", "GET", "metrics/get-history-bulk-interval", params={"run_ids": ["$measured", "$other"], "metric_key": "loss", "max_results": "10"}),
    raw("a chart between two steps", "GET", "metrics/get-history-bulk-interval", params={"run_ids": ["$other"], "metric_key": "loss", "start_step": "5", "end_step": "12", "max_results": "100"}),
    raw("a chart with all its points", "GET", "metrics/get-history-bulk-interval", params={"run_ids": ["$other"], "metric_key": "loss", "max_results": "100"}),
    raw("a chart of a metric that is not there", "GET", "metrics/get-history-bulk-interval", params={"run_ids": ["$other"], "metric_key": "absent", "max_results": "10"}),
    raw("a chart of no run", "GET", "metrics/get-history-bulk-interval", params={"metric_key": "loss", "max_results": "10"}),
    raw("a chart without a metric", "GET", "metrics/get-history-bulk-interval", params={"run_ids": ["$other"], "max_results": "10"}),
    raw("a chart of a run that is not there", "GET", "metrics/get-history-bulk-interval", params={"run_ids": [ABSENT], "metric_key": "loss", "max_results": "10"}),
    raw("a chart of 101 runs", "GET", "metrics/get-history-bulk-interval", params={"run_ids": [f"{i:032d}" for i in range(101)], "metric_key": "loss", "max_results": "10"}),
    raw("a chart of no point", "GET", "metrics/get-history-bulk-interval", params={"run_ids": ["$other"], "metric_key": "loss", "max_results": "0"}),
    raw("a chart of too many points", "GET", "metrics/get-history-bulk-interval", params={"run_ids": ["$other"], "metric_key": "loss", "max_results": "2501"}),
    raw("a chart that ends before it begins", "GET", "metrics/get-history-bulk-interval", params={"run_ids": ["$other"], "metric_key": "loss", "start_step": "9", "end_step": "2", "max_results": "10"}),
    raw("a chart with a beginning and no end", "GET", "metrics/get-history-bulk-interval", params={"run_ids": ["$other"], "metric_key": "loss", "start_step": "9", "max_results": "10"}),
    client("a metric of a dataset", "log_metric", "$other", "accuracy", 0.9, timestamp=BEGAN, step=1, dataset_name="wine", dataset_digest="abc"),
    raw("a batch with a metric of a dataset", "POST", "runs/log-batch", {"run_id": "$other", "metrics": [{"key": "recall", "value": 0.8, "timestamp": BEGAN, "step": 1, "dataset_name": "wine", "dataset_digest": "abc"}]}),
    client("the run with metrics of datasets", "get_run", "$other"),
]  # fmt: skip
