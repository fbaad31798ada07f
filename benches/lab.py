"""The lab beside MLflow's own server and beside one that only commits: the same client, the same machine, one after the other in every round.

`python -m benches.lab [--peer PYTHON] [--rounds 3] [--runs 10000] [--history 100000] [--points 10000000] [--only memory,writing,…] [--ours]`.
The peer is a Python in which `mlflow`, `uvloop` and `httptools` are installed, our own when nothing is said; without the whole of `mlflow` its server
starts fewer processes, and the figure of its memory says less. `--ours` measures us alone, in values: for whoever works on a figure.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benches import lab_servers
from benches.lab_servers import Server

PARTS = ("memory", "writing", "reading", "writers", "bare", "curve")
IDLE_SECONDS = 20
"""MLflow's server answers before its last process has started."""
MANY = 1_000_000
"""Points of the one long run."""
CALLS, BATCHES = 20_000, 500
"""Of the bare client."""
OF_MLFLOW = {"log_metric, 1 client": 3, "log_metric, 8 threads": 2, "log_batch(1000)": 4}
OF_COMMITS = 0.6
AT_MOST = {"create_run": 0.3, "search_runs, 100 of many": 0.25, "search_runs, filter and order": 0.2, "history": 0.2}


class Figures:
    """What comes in, by name; `say` prints the median of one beside what is promised."""

    def __init__(self) -> None:
        self._seen: dict[str, list[float]] = {}
        self.short = 0

    def add(self, name: str, value: float) -> None:
        self._seen.setdefault(name, []).append(value)

    def say(self, name: str, unit: str = "x", *, least: float | None = None, most: float | None = None) -> None:
        if name not in self._seen:
            return
        seen = self._seen[name]
        middle = statistics.median(seen)
        falls_short = (least is not None and middle < least) or (most is not None and middle > most)
        self.short += falls_short
        promised = f" (at least {least:,})" if least is not None else f" (at most {most:,})" if most is not None else ""
        spread = "" if len(seen) == 1 else f", {min(seen):,.3g} to {max(seen):,.3g} in {len(seen)} rounds"
        print(f"lab: {name}: {middle:,.3g} {unit}{promised}{' FALLS SHORT' if falls_short else ''}{spread}", flush=True)


class Bench:
    """The servers that run, and the parts that measure them."""

    def __init__(self, asked: argparse.Namespace, servers: dict[str, Server], figures: Figures) -> None:
        self._asked, self._servers, self._figures = asked, servers, figures
        self._ours = servers["ours"]

    def memory(self) -> None:
        time.sleep(IDLE_SECONDS)
        used = {name: server.idle_bytes() for name, server in self._servers.items()}
        self._figures.add("idle memory", used["ours"] / 2**20)
        self._figures.say("idle memory", "MiB")
        if "mlflow" in used:
            self._figures.add("idle memory, x MLflow", used["ours"] / used["mlflow"])
            self._figures.say("idle memory, x MLflow", most=0.07)

    def writing(self) -> None:
        for _ in range(self._asked.rounds):
            self._compare({name: _client(server, "writing") for name, server in self._servers.items()})
        self._figures.say("create_run", "s")
        self._figures.say("create_run, x MLflow", most=AT_MOST["create_run"])
        for name, least in OF_MLFLOW.items():
            self._figures.say(name, "a second")
            self._figures.say(f"{name}, x MLflow", least=least)
            self._figures.say(f"{name}, x commit only", least=OF_COMMITS)

    def reading(self) -> None:
        answering = {name: one for name, one in self._servers.items() if name != "commit only"}
        sizes = (str(self._asked.runs), str(self._asked.history))
        filled = {name: _client(server, "fill", *sizes) for name, server in answering.items()}
        for _ in range(self._asked.rounds):
            self._compare(
                {name: _client(server, "reading", filled[name]["experiment"], filled[name]["run"]) for name, server in answering.items()}
            )  # fmt: skip
        for name in (
            "search_runs, 100 of many",
            "search_runs, filter and order",
            "search_runs, a tag, 1000 of many",
            "history",
            "get_run",
        ):
            self._figures.say(name, "ms")
            self._figures.say(f"{name}, x MLflow", most=AT_MOST.get(name))

    def writers(self) -> None:
        said = _client(self._ours, "writers", "50")
        self._figures.add("50 writers at once, that failed or are not whole", said["wrong"] + 50 - said["whole"])
        self._figures.say("50 writers at once, that failed or are not whole", "runs", most=0)

    def bare(self) -> None:
        for _ in range(self._asked.rounds):
            before = self._ours.processor_seconds()
            singles = _bare(self._ours, "singles", "32", str(CALLS))
            between = self._ours.processor_seconds()
            batches = _bare(self._ours, "batches", "4", str(BATCHES))
            after = self._ours.processor_seconds()
            self._figures.add("log-metric, bare client", singles["calls/s"])
            self._figures.add("log-metric, bare client, 99 in 100", singles["p99 ms"])
            self._figures.add("log-metric, the server's processor", (between - before) / CALLS * 1e6)
            self._figures.add("log-batch, bare client", batches["points/s"])
            self._figures.add("log-batch, the server's processor", (after - between) / (BATCHES * 1000) * 1e6)
        self._figures.say("log-metric, bare client", "calls/s", least=5_000)
        self._figures.say("log-metric, bare client, 99 in 100", "ms")
        self._figures.say("log-metric, the server's processor", "us a call")
        self._figures.say("log-batch, bare client", "points/s", least=100_000)
        self._figures.say("log-batch, the server's processor", "us a point")

    def curve(self) -> None:
        """Points of one long run first; then as many such runs as make the points that were asked for, and again what a call takes."""
        before = self._ours.stored_bytes()
        run = self._long_run()
        self._figures.add("a point, with its indexes", (self._ours.stored_bytes() - before) / MANY)
        self._figures.say("a point, with its indexes", "bytes", most=60)
        self._draw(run, f"first curve of {MANY:,} points")
        early = _bare(self._ours, "singles", "8", "4000")["calls/s"]
        for _ in range(self._asked.points // MANY - 1):
            run = self._long_run()
        if self._asked.points > MANY:
            self._draw(run, f"first curve of {MANY:,} points among {self._asked.points:,}")
            late = _bare(self._ours, "singles", "8", "4000")["calls/s"]
            self._figures.add("calls a second with all points, x with the first", late / early)
            self._figures.say("calls a second with all points, x with the first", least=0.8)

    def _long_run(self) -> str:
        said = _bare(self._ours, "curve", str(MANY))
        self._figures.add("one long run", said["points/s"])
        return str(said["run"])

    def _draw(self, run: str, name: str) -> None:
        said = _bare(self._ours, "drawn", run, "3")
        self._figures.add(name, said["first ms"] if said["points"] else float("inf"))
        self._figures.say(name, "ms", most=300)

    def _compare(self, seen: dict[str, dict[str, float]]) -> None:
        for name, value in seen["ours"].items():
            self._figures.add(name, value)
            for peer, label in (("mlflow", "MLflow"), ("commit only", "commit only")):
                if name in seen.get(peer, {}):
                    self._figures.add(f"{name}, x {label}", value / seen[peer][name])


def main() -> int:
    """Prints a line a figure; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--history", type=int, default=100_000)
    parser.add_argument("--points", type=int, default=10_000_000)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--ours", action="store_true")
    parser.add_argument("--in", dest="folder", help="Where the databases are; default: the folder for temporary files.")
    asked = parser.parse_known_args()[0]
    figures, reason = Figures(), "" if asked.ours else lab_servers.why_no_mlflow(asked.peer)
    print(f"lab: load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; MLflow's server: {reason or asked.peer}")
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-", dir=asked.folder, ignore_cleanup_errors=True) as named:
        work = Path(named)
        with ExitStack() as stack:
            servers = {"ours": stack.enter_context(lab_servers.ours(work))}
            if not asked.ours:
                servers["commit only"] = stack.enter_context(lab_servers.commit_only(work))
                if not reason:
                    servers["mlflow"] = stack.enter_context(lab_servers.mlflow(work, asked.peer))
            bench = Bench(asked, servers, figures)
            for part in asked.only.split(","):
                getattr(bench, part)()
    print(f"lab: load {os.getloadavg()[0]:.1f} at the end")
    return int(figures.short > 0)


def _client(server: Server, *arguments: str) -> dict[str, Any]:
    return _child(server, "benches.lab_client", *arguments)


def _bare(server: Server, *arguments: str) -> dict[str, Any]:
    return _child(server, "benches.lab_bare", *arguments)


def _child(server: Server, module: str, part: str, *numbers: str) -> dict[str, Any]:
    argv = [sys.executable, "-m", module, part, server.uri, *numbers]
    done = subprocess.run(argv, env=server.client_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{server.name}: {part}: {done.stderr[-2000:]}"
    said: dict[str, Any] = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    return said


if __name__ == "__main__":
    raise SystemExit(main())
