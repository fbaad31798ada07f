"""MLflow's calls on metrics: points in, by the way that gathers what comes at once, and histories out."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from fabriek.api.mlflow.asked import Asked, whole
from fabriek.api.mlflow.said import metric_out
from fabriek.kernel.errors import InvalidInput
from fabriek.lab.metrics import Metric, ModelMetric, Place
from fabriek.lab.names import invalid, missing

HISTORY_MAX = 25_000
BULK_RUNS_MAX = 100
INTERVAL_MAX = 2_500

_WRITTEN = re.compile(r"[-+]?(\d{1,400}\.?\d{0,400}|\.\d{1,400})([eE][-+]?\d{1,4})?")
WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def metric_in(raw: Any, path: str = "") -> Metric:
    """One point of a request. `path` names it in a refusal. Raises InvalidInput."""
    if not isinstance(raw, dict):
        raise invalid(path.rstrip(".") or "metric", raw)
    key, value, at_ms = raw.get("key"), raw.get("value"), raw.get("timestamp")
    if key is None or key == "":
        raise missing(f"{path}key")
    if not isinstance(key, str):
        raise invalid(f"{path}key", key)
    if value is None:
        raise missing(f"{path}value")
    if at_ms is None:
        raise missing(f"{path}timestamp")
    step = raw.get("step")
    return Metric(
        key, _number(value, f"{path}value", key), at_ms if type(at_ms) is int else whole(at_ms, f"{path}timestamp"),
        0 if step is None else step if type(step) is int else whole(step, f"{path}step"),
    )  # fmt: skip


def _number(raw: Any, parameter: str, key: str) -> float:
    if type(raw) is float:
        return raw
    if isinstance(raw, str) and raw in WORDS:
        return WORDS[raw]
    if type(raw) is int or (isinstance(raw, str) and _WRITTEN.fullmatch(raw)):
        try:
            return float(raw)
        except OverflowError:
            pass
    return _refuse(raw, parameter, key)


def _refuse(raw: Any, parameter: str, key: str) -> float:
    raise invalid(
        parameter, raw, f"metric '{key[:250]}'. Please specify value as a valid double (64-bit floating point)"
    )


def of_model(raw: Any, metric: Metric, run: Any) -> ModelMetric | None:
    """The same point, if the request says that it was measured of a logged model."""
    model, name, digest = (raw.get(field) or "" for field in ("model_id", "dataset_name", "dataset_digest"))
    if not model:
        return None
    for field, value in (("model_id", model), ("dataset_name", name), ("dataset_digest", digest)):
        if not isinstance(value, str) or len(value) > 500:
            raise invalid(field, value)
    return ModelMetric(model, str(run), metric, name, digest)


def history(asked: Asked) -> dict[str, Any]:
    """A page, or all of them up to the limit of one answer: then with a token, which MLflow's client follows."""
    given = asked.number("max_results", HISTORY_MAX)
    if given < 1:
        raise InvalidInput(
            f"Invalid value {given} for parameter 'max_results' supplied. It must be a positive integer."
        )
    most = min(given, HISTORY_MAX)
    token = asked.text("page_token")
    after = _place(asked.services.cursors.read(f"history:{asked.project}", token)) if token else None
    rows = asked.services.lab.history(
        asked.project, asked.run_id, asked.needed("metric_key"), limit=most + 1, after=after, by=asked.caller
    )
    answer: dict[str, Any] = {"metrics": [metric_out(metric) for _, metric in rows[:most]]}
    if len(rows) > most:
        last = ",".join(map(str, rows[most - 1][0]))
        answer["next_page_token"] = asked.services.cursors.write(f"history:{asked.project}", last)
    return answer


def _place(written: str | None) -> Place | None:
    if not written:
        return None
    at_ms, step, ranked = map(int, written.split(","))
    return (at_ms, step, ranked)


def bulk_history(asked: Asked) -> dict[str, Any]:
    """One metric of several runs, by run, up to the limit of one answer."""
    runs = sorted(asked.texts("run_id"))
    if not runs:
        raise InvalidInput("GetMetricHistoryBulk request must specify at least one run_id.")
    if len(runs) > BULK_RUNS_MAX:
        raise InvalidInput(
            f"GetMetricHistoryBulk request cannot specify more than {BULK_RUNS_MAX} run_ids. Received {len(runs)} run_ids."
        )
    key = asked.text("metric_key")
    if not key:
        raise InvalidInput("GetMetricHistoryBulk request must specify a metric_key.")
    most = min(max(asked.number("max_results", HISTORY_MAX), 0), HISTORY_MAX)
    found: list[dict[str, Any]] = []
    for run in runs:
        rows = asked.services.lab.history(asked.project, run, key, limit=max(most - len(found), 0), by=asked.caller)
        found += [metric_out(metric) | {"run_id": run} for _, metric in rows]
    return {"metrics": found}


def interval(asked: Asked) -> dict[str, Any]:
    """Of each run about `max_results` points by step, evenly chosen, between two steps where they are given."""
    runs, key = asked.texts("run_ids"), asked.needed("metric_key")
    if not runs:
        raise missing("run_ids")
    if len(runs) > BULK_RUNS_MAX:
        raise invalid("run_ids", runs, f"at most {BULK_RUNS_MAX} runs")
    most = asked.number("max_results", INTERVAL_MAX)
    if most < 1 or most > INTERVAL_MAX:
        raise invalid("max_results", most, f"must be between 1 and {INTERVAL_MAX}")
    given = [asked.body.get(name) is not None for name in ("start_step", "end_step")]
    if any(given) and not all(given):
        raise InvalidInput("If either start step or end step are specified, both must be specified.")
    start, end = asked.number("start_step"), asked.number("end_step")
    if start > end:
        raise InvalidInput(f"end_step must be greater than start_step. Found start_step={start} and end_step={end}.")
    found: list[dict[str, Any]] = []
    for run in runs:
        points = asked.services.lab.between(
            asked.project, run, key, steps=(start, end) if all(given) else None, by=asked.caller
        )
        by_step = sorted(points, key=lambda one: (one.step, one.at_ms))
        found += [metric_out(metric) | {"run_id": run} for metric in _evenly(by_step, most)]
    return {"metrics": found}


def _evenly(points: Sequence[Metric], most: int) -> Sequence[Metric]:
    """At most `most` of them, the first and the last among them; of one, the last."""
    if len(points) <= most:
        return points
    if most == 1:
        return points[-1:]
    return [points[number * (len(points) - 1) // (most - 1)] for number in range(most)]


METRIC_CALLS: dict[tuple[str, str], Callable[[Asked], dict[str, Any]]] = {
    ("GET", "/metrics/get-history"): history,
    ("GET", "/metrics/get-history-bulk"): bulk_history,
    ("GET", "/metrics/get-history-bulk-interval"): interval,
}
