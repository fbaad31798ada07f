"""Sealing and opening in memory-backed storage, against `cp` of the same file in the same run.

`python -m benches.seal [--mib N]`. Promised: seal at most 2 x cp, open at most 3 x cp.
Each of the three replaces a file of its own, so that each is given back the memory that it has just let go: memory that a virtual
machine has not used for a while costs the one who gets it first up to four seconds a GiB, whatever is written there.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cryptography

from fabriek.sealing.objects import PIECE_BYTES, open_stream, seal

ROUNDS = 3


def main() -> int:
    """Prints one line; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mib", type=int, default=1024)
    size = parser.parse_known_args()[0].mib
    key, salt = os.urandom(32), os.urandom(24)
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-", dir="/dev/shm") as named:
        plain, copied, sealed, opened = (Path(named, name) for name in ("plain", "copied", "sealed", "opened"))
        block = os.urandom(2**20)
        with plain.open("wb") as out:
            for _ in range(size):
                out.write(block)
        figures: dict[str, list[float]] = {"cp": [], "seal": [], "open": []}
        for number in range(ROUNDS + 1):
            if number == 1:
                # The first round touched memory that this machine had not used yet, and belongs to nobody.
                figures = {name: [] for name in figures}
            figures["cp"].append(_timed(lambda: subprocess.run(["cp", plain, copied], check=True)))
            figures["seal"].append(_timed(lambda: _write(sealed, seal(_pieces(plain), key, b"", salt))))
            figures["open"].append(_timed(lambda: _write(opened, open_stream(_pieces(sealed), key, b""))))
            assert opened.stat().st_size == plain.stat().st_size
    copying, sealing, opening = (statistics.median(figures[name]) for name in ("cp", "seal", "open"))
    print(
        f"seal {size} MiB: {sealing / copying:.1f} x cp (at most 2), open {opening / copying:.1f} x cp (at most 3); cp {copying:.2f} s, "
        f"seal {sealing:.2f} s, open {opening:.2f} s, medians of {ROUNDS}, cryptography {cryptography.__version__}"
    )
    return int(sealing > 2 * copying or opening > 3 * copying)


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb", buffering=0) as source:
        while piece := source.read(PIECE_BYTES):
            yield piece


def _write(file: Path, pieces: Iterator[bytes]) -> None:
    with file.open("wb", buffering=0) as out:
        for piece in pieces:
            out.write(piece)


def _timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


if __name__ == "__main__":
    raise SystemExit(main())
