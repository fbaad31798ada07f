"""What a start costs: the help of the command line and the server's first answer, against `python -c pass`; and idle memory.

`python -m benches.start`. Promised: help at most 5 x, first 200 at most 20 x, idle at most 150 MB.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

ROUNDS = 7
STARTS = 3
COMMAND = [sys.executable, "-m", "fabriek.cli"]


def main() -> int:
    """Prints one line; 1 when a promise is not kept."""
    script = Path(sys.executable).with_name("fabriek")
    plain = statistics.median(_took([sys.executable, "-c", "pass"]) for _ in range(ROUNDS))
    help_took = statistics.median(_took([str(script), "--help"]) for _ in range(ROUNDS))
    frameworks = statistics.median(
        _took([sys.executable, "-c", "import fastapi, sqlalchemy, uvicorn"]) for _ in range(STARTS)
    )
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-") as named:
        starts = [_start(Path(named) / f"home-{number % 2}") for number in range(STARTS + 1)]
    first, idle = statistics.median(one[0] for one in starts[1:]), max(one[1] for one in starts)
    print(
        f"fabriek --help {help_took / plain:.1f} x python -c pass (at most 5)\n"
        f"first 200 {first / plain:.1f} x (at most 20); importing FastAPI, SQLAlchemy and uvicorn alone {frameworks / plain:.1f} x\n"
        f"idle {idle / 1e6:.0f} MB (at most 150); python -c pass {plain * 1000:.0f} ms"
    )
    return int(help_took > 5 * plain or first > 20 * plain or idle > 150e6)


def _took(argv: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def _start(home: Path) -> tuple[float, int]:
    """(seconds to the first 200, proportional memory of the server and its helpers in bytes)."""
    environment = {"PATH": os.defpath, "FABRIEK_CONTEXT": str(home.parent / "context")}
    port = 18_471
    begun = time.perf_counter()
    process = subprocess.Popen(
        [*COMMAND, "up", "--home", str(home), "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while True:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200:
                break
        except httpx.TransportError:
            assert process.poll() is None, "the server ended"
            time.sleep(0.005)
    took = time.perf_counter() - begun
    time.sleep(1)
    memory = sum(_memory(pid) for pid in [process.pid, *_children(process.pid)])
    process.terminate()
    process.wait()
    return took, memory


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _memory(pid: int) -> int:
    """Proportional set size: shared pages counted once over those that share them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
