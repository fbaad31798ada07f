"""Submitting over HTTP at a steady rate: how long the slowest of a hundred waits, from the instant at which it was to be sent.

`python -m benches.submit_rate`. A whole factory, started by `fabriek up`: right, credits, audit and a commit that reached the disk for each.
The machine is full meanwhile, so that all of them wait their turn and a growing queue is decided upon beside them. The load is open: a
request goes out at its time whether or not those before were answered, as strangers do not wait for each other.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.servers.factory import Running, quickstarted

from fabriek.sdk import Fabriek

A_SECOND = 100
SECONDS = 10
WARM_UP = 100
LINES = 32
"""Connections that are kept open. A request that finds none free waits, and its clock runs."""

P99_MILLISECONDS_AT_MOST = 50


def main() -> int:
    """Prints one line; 1 when the promise is not kept."""
    with (
        tempfile.TemporaryDirectory(prefix="fabriek-bench-", ignore_cleanup_errors=True) as named,
        quickstarted(Path(named, "home")) as running,
    ):
        factory = Fabriek(running.url, running.variables["FABRIEK_TOKEN"], running.variables["FABRIEK_PROJECT"])
        machine = factory.jobs.machine()
        full = factory.jobs.run(["sleep", "600"], cpus=machine.cpus, wall_seconds_max=900)
        took = sorted(asyncio.run(_load(running))[WARM_UP:])
        queued = factory.jobs.machine().queued
        factory.jobs.cancel(full.id)
    assert queued >= len(took), f"only {queued} of {len(took)} were taken in"
    p99 = took[int(len(took) * 0.99) - 1]
    print(
        f"submit over HTTP at {A_SECOND}/s: p99 {p99:.0f} ms (at most {P99_MILLISECONDS_AT_MOST}), median "
        f"{statistics.median(took):.1f} ms of {len(took)}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    return int(p99 > P99_MILLISECONDS_AT_MOST)


async def _load(running: Running) -> list[float]:
    """Milliseconds of each request, in the order in which they were to be sent."""
    address = urlsplit(running.url)
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(LINES):
        free.put_nowait(await asyncio.open_connection(address.hostname, address.port))
    body = json.dumps({"command": ["true"], "wall_seconds_max": 60}).encode()
    head = (
        f"POST /api/v1/projects/{running.variables['FABRIEK_PROJECT']}/jobs HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Bearer {running.variables['FABRIEK_TOKEN']}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    ).encode()
    begins = time.perf_counter() + 0.1

    async def one(number: int) -> float:
        intended = begins + number / A_SECOND
        await asyncio.sleep(max(0.0, intended - time.perf_counter()))
        reader, writer = await free.get()
        writer.write(head + f"Idempotency-Key: bench-{number}\r\n\r\n".encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        said = await reader.readexactly(int(answer.partition("content-length: ")[2].partition("\r\n")[0]))
        took = time.perf_counter() - intended
        assert answer.split(" ", 2)[1] in {"200", "201"}, said
        free.put_nowait((reader, writer))
        return took * 1000

    return await asyncio.gather(*(one(number) for number in range(WARM_UP + A_SECOND * SECONDS)))


if __name__ == "__main__":
    sys.exit(main())
