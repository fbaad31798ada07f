"""What a training script does, by MLflow's own client, timed: a child of `benches.lab`, told by its environment who it is.

`python -m benches.lab_client PART URI [NUMBERS]` prints one JSON object: figure → value.
"""

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

CALLS, THREADS, BATCHES, BATCH = 200, 8, 10, 1000
NOW = 1_750_000_000_000


def writing(uri: str) -> dict[str, float]:
    """One client and eight threads, a point a call; batches of a thousand; new runs."""
    client = MlflowClient(uri)
    experiment = client.create_experiment(f"writing-{time.time_ns()}")
    figures = {"create_run": statistics.median(_took(lambda: client.create_run(experiment)) for _ in range(50))}
    run = client.create_run(experiment).info.run_id
    figures["log_metric, 1 client"] = CALLS / _took(lambda: _log(uri, run, CALLS))
    runs = [client.create_run(experiment).info.run_id for _ in range(THREADS)]
    figures["log_metric, 8 threads"] = (
        THREADS * CALLS / 2 / _took(lambda: _at_once([lambda run=run: _log(uri, run, CALLS // 2) for run in runs]))
    )
    run = client.create_run(experiment).info.run_id
    points = [[Metric(f"m{i % 10}", float(i), NOW, batch * 100 + i // 10) for i in range(BATCH)] for batch in range(BATCHES)]  # fmt: skip
    figures["log_batch(1000)"] = BATCHES * BATCH / _took(lambda: [client.log_batch(run, one) for one in points])
    return figures


def fill(uri: str, runs: int, history: int) -> dict[str, str]:
    """An experiment of many runs, and a run of many points."""
    client = MlflowClient(uri)
    experiment = client.create_experiment(f"reading-{time.time_ns()}")

    def some(which: int) -> None:
        of_mine = MlflowClient(uri)
        for i in range(which, runs, 4):
            run = of_mine.create_run(experiment, run_name=f"run-{i}", tags={"team": f"t{i % 7}"}).info.run_id
            points = [Metric("acc", (i * 37 % 1000) / 1000, NOW, 0), Metric("loss", 1 / (i + 1), NOW, 0)]
            of_mine.log_batch(run, points, [Param("lr", str(10 ** -(i % 5))), Param("model", f"m{i % 11}")])

    _at_once([lambda which=which: some(which) for which in range(4)])
    run = client.create_run(experiment).info.run_id
    for first in range(0, history, BATCH):
        client.log_batch(run, [Metric("curve", float(i), NOW + i, i) for i in range(first, first + BATCH)])
    return {"experiment": experiment, "run": run}


def reading(uri: str, experiment: str, run: str) -> dict[str, float]:
    """Milliseconds of one answer."""
    client = MlflowClient(uri)
    chosen, order = "metrics.acc > 0.9 and params.model = 'm3'", ["metrics.acc DESC"]
    asked: dict[str, tuple[int, Callable[[], object]]] = {
        "search_runs, 100 of many": (5, lambda: client.search_runs([experiment], max_results=100)),
        "search_runs, filter and order": (5, lambda: client.search_runs([experiment], chosen, max_results=100, order_by=order)),
        "search_runs, a tag, 1000 of many": (3, lambda: client.search_runs([experiment], "tags.team = 't3'", max_results=1000)),
        "history": (1, lambda: client.get_metric_history(run, "curve")),
        "get_run": (20, lambda: client.get_run(run)),
    }  # fmt: skip
    return {
        name: statistics.median(_took(ask) for _ in range(times)) * 1000 for name, (times, ask) in asked.items()
    }  # fmt: skip


def writers(uri: str, count: int) -> dict[str, float]:
    """Everybody at once, each a run of its own from begin to end; then all is read back."""
    experiment = MlflowClient(uri).create_experiment(f"writers-{time.time_ns()}")
    wrong: list[str] = []

    def one() -> None:
        try:
            client = MlflowClient(uri)
            run = client.create_run(experiment).info.run_id
            _log(uri, run, 10)
            client.log_batch(run, [Metric("batched", float(i), NOW, i) for i in range(100)], [Param("depth", "3")])
            client.set_terminated(run)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is counted
            wrong.append(f"{type(error).__name__}: {error}")

    took = _took(lambda: _at_once([one] * count))
    found = MlflowClient(uri).search_runs([experiment], max_results=1000)
    whole = [
        run for run in found if run.data.metrics == {"loss": 9.0, "batched": 99.0} and run.info.status == "FINISHED"
    ]
    for said in wrong[:3]:
        print(said, file=sys.stderr)
    return {"writers": count, "wrong": len(wrong), "whole": len(whole), "seconds": took}


def _log(uri: str, run: str, count: int) -> None:
    client = MlflowClient(uri)
    for i in range(count):
        client.log_metric(run, "loss", float(i), step=i)


def _at_once(acts: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _took(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


if __name__ == "__main__":
    part, where, *more = sys.argv[1:]
    match part:
        case "writing":
            said: object = writing(where)
        case "fill":
            said = fill(where, *map(int, more))
        case "reading":
            said = reading(where, *more)
        case "writers":
            said = writers(where, *map(int, more))
    print(json.dumps(said))
