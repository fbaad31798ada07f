"""Reading in place: 1 MiB here and there of a large file, in this process and over HTTP; a job's first byte, and its way to the last.

`python -m benches.vault_reading [MIB]`, 1024 unless said. Promised: a random 1 MiB in 1 ms in process and in 8 ms over HTTP (medians); from
front to back in a job at least at half the speed of a copy.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.servers.factory import Running, quickstarted

from fabriek.sdk import Fabriek
from fabriek.sdk.filesystem import FabriekFileSystem
from fabriek.sealing.objects import Opener, seal

MIB = 2**20
ROUNDS = 200
IN_PROCESS_MILLISECONDS, OVER_HTTP_MILLISECONDS, OF_COPY_SPEED = 1.0, 8.0, 0.5
FIRST = "import sys, time; open('/data/big', 'rb').read(1); print('first', time.time())"
ALL = (
    "import time; f = open('/data/big', 'rb', buffering=0); n = 0; began = time.perf_counter(); b = bytearray(2**20)\n"
    "while got := f.readinto(b): n += got\n"
    "print('all', n, time.perf_counter() - began)"
)


def main(mib: int = 1024) -> int:
    """Prints a line for each figure; 1 when a promise is not kept."""
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-", dir="/dev/shm", ignore_cleanup_errors=True) as named:
        home = Path(named)
        (home / "set").mkdir()
        with (home / "set" / "big").open("wb") as file:
            for _ in range(mib):
                file.write(os.urandom(MIB))
        inside = in_process(home, mib)
        with quickstarted(home / "home", FABRIEK_JOB_INPUTS="mount") as running:
            factory = Fabriek(running.url, running.variables["FABRIEK_TOKEN"], "playground")
            factory.vault.push(home / "set", "big")
            (home / "set" / "big").unlink()
            over = over_http(running, mib)
            copied = copy(factory, home / "copy", mib)
            first, speed = in_a_job(factory, mib)
    print(f"random 1 MiB of {mib} MiB, in process: p50 {inside:.2f} ms (at most {IN_PROCESS_MILLISECONDS:.0f})")
    print(f"random 1 MiB of {mib} MiB, over HTTP: p50 {over:.2f} ms (at most {OVER_HTTP_MILLISECONDS:.0f})")
    print(
        f"first byte of {mib} MiB in a job, from its submission: {first:.2f} s; a copy alone takes {mib / copied:.2f} s"
    )
    print(
        f"front to back in a job: {speed:.0f} MiB/s, {speed / copied:.2f} of a copy's {copied:.0f} (at least {OF_COPY_SPEED})"
    )
    kept = inside <= IN_PROCESS_MILLISECONDS and over <= OVER_HTTP_MILLISECONDS and speed >= OF_COPY_SPEED * copied
    return int(not kept)


def in_process(home: Path, mib: int) -> float:
    """Milliseconds for 1 MiB of one sealed object on a local disk."""
    key, sealed = os.urandom(32), home / "sealed"
    with (home / "set" / "big").open("rb") as plain, sealed.open("wb") as out:
        for piece in seal(iter(lambda: plain.read(MIB), b""), key, b"bench", os.urandom(24)):
            out.write(piece)
    descriptor = os.open(sealed, os.O_RDONLY)
    try:
        opener = Opener(lambda offset, count: os.pread(descriptor, count, offset), sealed.stat().st_size, key, b"bench")
        return at_random(lambda offset: opener.read(offset, MIB), mib)
    finally:
        os.close(descriptor)
        sealed.unlink()


def over_http(running: Running, mib: int) -> float:
    """Milliseconds for 1 MiB through the file system; next to nothing of it is kept in memory."""
    files = FabriekFileSystem(
        running.url, running.variables["FABRIEK_TOKEN"], "playground", kept_bytes_max=MIB, skip_instance_cache=True
    )
    path = "playground/big@1/big"
    for offset in range(0, mib, 8):  # heads and ends of the objects
        files.cat_file(path, offset * MIB, offset * MIB + 1)
    took = at_random(lambda offset: files.cat_file(path, offset, offset + MIB), mib)
    files.close()
    return took


def at_random(read: Callable[[int], bytes], mib: int) -> float:
    places, took = random.Random(1), []  # noqa: S311  # the same places each time
    for _ in range(ROUNDS):
        offset = places.randrange((mib - 1) * MIB)
        begun = time.perf_counter()
        got = read(offset)
        took.append(time.perf_counter() - begun)
        assert len(got) == MIB
    return statistics.median(took) * 1000


def copy(factory: Fabriek, into: Path, mib: int) -> float:
    """MiB a second of what a node does that copies: the whole version into a folder in memory."""
    begun = time.perf_counter()
    factory.vault.pull("big", into)
    took = time.perf_counter() - begun
    (into / "big").unlink()
    return mib / took


def in_a_job(factory: Fabriek, mib: int) -> tuple[float, float]:
    """(seconds from submission to the first byte, MiB a second from front to back)."""
    begun = time.time()
    first = float(said(factory, FIRST)[1]) - begun
    _, count, took = said(factory, ALL)
    assert int(count) == mib * MIB
    return first, mib / float(took)


def said(factory: Fabriek, code: str) -> list[str]:
    job = factory.jobs.run(["python", "-c", code], data={"big": "/data"})
    factory.jobs.wait(job.id)
    words = b"".join(factory.jobs.log(job.id)).decode().split()
    assert words, factory.jobs.show(job.id)
    return words


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
