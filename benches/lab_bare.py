"""A client without a library: requests made beforehand, sent over many connections by one thread that only counts what comes back.

`python -m benches.lab_bare PART URI [NUMBERS]`, the token in MLFLOW_TRACKING_TOKEN, prints one JSON object. What it reaches is what the
server can take in, beside a client that costs almost nothing.
"""

import json
import os
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

NOW = 1_750_000_000_000
BATCH = 1000


class Wire:
    """Requests of one server, as bytes."""

    def __init__(self, uri: str) -> None:
        at = urlsplit(uri)
        self.address = (str(at.hostname), int(at.port or 80))
        self.token = os.environ.get("MLFLOW_TRACKING_TOKEN", "")
        self._head = (
            f"POST {at.path}/api/2.0/mlflow/%s HTTP/1.1\r\nHost: {at.netloc}\r\nAuthorization: Bearer {self.token}\r\n"
        )
        self.plain = httpx.Client(
            base_url=f"{uri}/api/2.0/mlflow", headers={"Authorization": f"Bearer {self.token}"}, trust_env=False, timeout=120
        )  # fmt: skip

    def request(self, call: str, body: str) -> bytes:
        said = (self._head % call) + f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n" + body
        return said.encode()

    def new_run(self) -> str:
        made = self.plain.post("/runs/create", json={"experiment_id": "0"})
        return str(made.raise_for_status().json()["run"]["info"]["run_id"])


def send(wire: Wire, requests: Iterator[bytes], connections: int) -> list[float]:
    """Sends each over whichever connection is free. Returns the seconds that each took. Raises on any answer but 200."""
    took: list[float] = []
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            plug = socket.create_connection(wire.address)
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if (first := next(requests, None)) is None:
                plug.close()
                break
            selector.register(plug, selectors.EVENT_READ, time.perf_counter())
            plug.sendall(first)
        while selector.get_map():
            for key, _ in selector.select():
                plug = key.fileobj  # type: ignore[assignment]  # all that is registered is a socket
                _answer(plug)
                now = time.perf_counter()
                took.append(now - key.data)
                if (following := next(requests, None)) is None:
                    selector.unregister(plug)
                    plug.close()
                else:
                    selector.modify(plug, selectors.EVENT_READ, now)
                    plug.sendall(following)
    return took


def _answer(plug: socket.socket) -> None:
    """One answer, whole. Small ones come in one piece."""
    said = plug.recv(65536)
    while b"\r\n\r\n" not in said:
        piece = plug.recv(65536)
        assert piece, "the server closed the connection"
        said += piece
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), said[:500]
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += plug.recv(65536)


def singles(wire: Wire, connections: int, count: int) -> dict[str, float]:
    runs = [wire.new_run() for _ in range(connections)]
    made = [
        wire.request("runs/log-metric", json.dumps({"run_id": runs[i % connections], "key": "loss", "value": i / 7, "timestamp": NOW + i, "step": i}))
        for i in range(count)
    ]  # fmt: skip
    begun = time.perf_counter()
    took = send(wire, iter(made), connections)
    rate = count / (time.perf_counter() - begun)
    took.sort()
    return {"calls/s": rate, "p50 ms": took[count // 2] * 1000, "p99 ms": took[int(count * 0.99)] * 1000}


def batches(wire: Wire, connections: int, count: int) -> dict[str, float]:
    """Ten metrics of a run, a hundred steps a batch, as a script logs that collects a while."""
    runs = [wire.new_run() for _ in range(connections)]
    keys = [f"m{k}" for k in range(10)]
    bodies = (_batch(runs[i % connections], keys, i // connections * 100) for i in range(count))
    made = [wire.request("runs/log-batch", body) for body in bodies]
    begun = time.perf_counter()
    send(wire, iter(made), connections)
    return {"points/s": count * BATCH / (time.perf_counter() - begun)}


def one_curve(wire: Wire, points: int) -> dict[str, str | float]:
    """One metric of one run, point by point in order."""
    run, begun = wire.new_run(), time.perf_counter()
    send(wire, (wire.request("runs/log-batch", _batch(run, ["curve"], first)) for first in range(0, points, BATCH)), 4)
    return {"run": run, "points/s": points / (time.perf_counter() - begun)}


def drawn(wire: Wire, run: str, times: int) -> dict[str, float]:
    """Seconds of the first picture of that curve, by the call that MLflow's own page makes."""
    asked = {"run_ids": run, "metric_key": "curve", "max_results": "320"}
    wire.plain.get("/runs/get", params={"run_id": run}).raise_for_status()
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        said = wire.plain.get("/metrics/get-history-bulk-interval", params=asked)
        took.append(time.perf_counter() - begun)
    points = len(said.json().get("metrics", [])) if said.status_code == 200 else 0
    return {"first ms": took[0] * 1000, "again ms": min(took) * 1000, "points": points}


def _batch(run: str, keys: list[str], first: int) -> str:
    """JSON of a batch whose steps begin at `first`, written by hand: `json` would be the slowest part of this client."""
    share = BATCH // len(keys)
    points = ", ".join(
        f'{{"key": "{key}", "value": {step % 977 / 7:.6f}, "timestamp": {NOW + step * 20}, "step": {step}}}'
        for step in range(first, first + share) for key in keys
    )  # fmt: skip
    return f'{{"run_id": "{run}", "metrics": [{points}], "params": [], "tags": []}}'


if __name__ == "__main__":
    part, where, *more = sys.argv[1:]
    to = Wire(where)
    match part:
        case "singles":
            print(json.dumps(singles(to, *map(int, more))))
        case "batches":
            print(json.dumps(batches(to, *map(int, more))))
        case "curve":
            print(json.dumps(one_curve(to, *map(int, more))))
        case "drawn":
            print(json.dumps(drawn(to, more[0], int(more[1]))))
