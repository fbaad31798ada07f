"""Our side of `benches.vault`: the command in a child whose memory is watched, bare requests to the same server, sealed files."""

import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.servers.factory import Running

from fabriek.sdk.client import Client
from fabriek.sealing import files
from fabriek.sealing.objects import Opener
from fabriek.sealing.packing import PART_BYTES

KEY, SALT = b"k" * 32, b"s" * 24
READS = 40


TWICE = """
import os, pathlib, sys, time
from fabriek.sdk import Fabriek
folder, name, which = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
files = sorted(file for file in folder.rglob("*") if file.is_file())
with Fabriek.from_environment() as factory:
    for _ in range(2):
        begun = time.perf_counter()
        factory.vault.push(folder, name)
        print(time.perf_counter() - begun)
        for file in files[which::100]:
            file.write_bytes(os.urandom(file.stat().st_size))
        time.sleep(2.1)  # what was written within two seconds is read again
"""


class Ours:
    """A factory that runs, as its users reach it."""

    def __init__(self, running: Running, work: Path) -> None:
        self._running, self._work = running, work
        self.memory_mib = self.processor_seconds = 0.0
        self._folders_known = 0

    def know_nothing(self) -> None:
        """From now on of no folder: whoever pushes one for the first time has not read it before."""
        self._folders_known += 1

    def environment(self) -> dict[str, str]:
        context = self._work / "clients" / str(self._folders_known) / "context.json"
        return {**self._running.environment(), "FABRIEK_CONTEXT": str(context)}

    def push(self, folder: Path, name: str) -> float:
        return self._command("push", str(folder), name)

    def pull(self, name: str) -> float:
        into = self._work / "pulled"
        seconds = self._command("pull", name, str(into))
        shutil.rmtree(into)
        return seconds

    def push_twice(self, folder: Path, name: str, which: int) -> tuple[float, float]:
        """Seconds of two pushes in one process, one file in a hundred changed between them."""
        argv = [sys.executable, "-c", TWICE, str(folder), name, str(which)]
        done = subprocess.run(argv, env=self.environment(), capture_output=True, text=True, check=True)
        first, second = map(float, done.stdout.split())
        return first, second

    def stored_bytes(self) -> int:
        """In the store's folder and the database."""
        return sum(file.stat().st_size for file in (self._running.home / "objects").rglob("*") if file.is_file())

    def bare(self, file: Path) -> tuple[float, float]:
        """(PUT, GET) of the file's bytes in objects of the same size, four at a time as we send them, by curl."""
        factory = Client(self._running.url, self._running.variables["FABRIEK_TOKEN"], "playground")
        name = f"bare-{time.monotonic_ns()}"
        made = factory.post("/api/v1/projects/playground/datasets", json={"name": name})
        upload = factory.post(f"/api/v1/projects/playground/datasets/{made['id']}/uploads", json={})["upload"]
        parts = self._cut(file)
        names = factory.post(f"/api/v1/uploads/{upload}/objects", json={"count": len(parts) + 1})["objects"]
        places = [f"{self._running.url}/api/v1/uploads/{upload}/objects/{one}" for one in names]
        put = timed(lambda: self._curl([("upload-file", part, at) for part, at in zip(parts, places, strict=False)]))
        grant = self._as_version(factory, upload, names, made["id"])
        out = [self._work / "bare" / f"out-{part.name}" for part in parts]
        held = [f"{self._running.url}/api/v1/grants/{grant}/objects/{one}" for one in names]
        get = timed(lambda: self._curl([("output", place, at) for place, at in zip(out, held, strict=False)]))
        assert sum(place.stat().st_size for place in out) == file.stat().st_size
        shutil.rmtree(self._work / "bare")
        factory.close()
        return put, get

    def _as_version(self, factory: Client, upload: str, names: list[str], dataset: str) -> str:
        """Bytes that are no version cannot be fetched: these become one that nobody can open."""
        factory.put_bytes(f"/api/v1/uploads/{upload}/objects/{names[-1]}", b"none")
        said = {"manifest_object": names[-1], "manifest_key": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=", "objects": names[:-1],
                "count": len(names) - 1,
                "files": 1, "size_bytes": 1, "content_hash": "0" * 64}  # fmt: skip
        factory.post(f"/api/v1/uploads/{upload}/commit", json=said)
        grants = f"/api/v1/projects/playground/datasets/{dataset}/versions/newest/grants"
        return str(factory.post(grants)["grant"])

    def _cut(self, file: Path) -> list[Path]:
        room = self._work / "bare"
        room.mkdir()
        parts = []
        with file.open("rb") as source:
            while piece := source.read(PART_BYTES):
                parts.append(room / f"{len(parts):03d}")
                parts[-1].write_bytes(piece)
        return parts

    def _curl(self, moves: list[tuple[str, Path, str]]) -> None:
        lines = [f'header = "Authorization: Bearer {self._running.variables["FABRIEK_TOKEN"]}"', "silent", "fail"]
        blocks = ["\n".join([*lines, f'{how} = "{place}"', f'url = "{at}"', *(["output = /dev/null"] if how == "upload-file" else [])])
                  for how, place, at in moves]  # fmt: skip
        subprocess.run(
            ["curl", "--parallel", "--parallel-max", "4", "--config", "-"], input="\nnext\n".join(blocks), text=True, check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip

    def _command(self, *arguments: str) -> float:
        before = _processor_seconds()
        seconds, mib = child([sys.executable, "-m", "fabriek.cli", "data", *arguments], environment=self.environment())
        self.processor_seconds = _processor_seconds() - before
        self.memory_mib = max(self.memory_mib, mib)
        return seconds

    @staticmethod
    def offsets(chance: random.Random, size: int) -> Iterator[int]:
        return (chance.randrange(size - 2**20) for _ in range(READS))

    @staticmethod
    def read_sealed(sealed: Path, at: int) -> float:
        descriptor = os.open(sealed, os.O_RDONLY)
        try:
            opener = Opener(
                lambda offset, count: os.pread(descriptor, count, offset), os.fstat(descriptor).st_size, KEY, b""
            )
            return timed(lambda: opener.read(at, 2**20))
        finally:
            os.close(descriptor)


def seal_file(plain: Path, sealed: Path) -> None:
    with plain.open("rb") as source, sealed.open("wb") as out:
        files.seal_file(source.fileno(), out.fileno(), KEY, b"", SALT)


def open_file(sealed: Path, opened: Path) -> None:
    with sealed.open("rb") as source, opened.open("wb") as out:
        files.open_file(source.fileno(), out.fileno(), KEY, b"")


def timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def child(argv: list[str], environment: dict[str, str] | None = None) -> tuple[float, float]:
    """(seconds, MiB of memory at its most) of a command that succeeds."""
    begun = time.perf_counter()
    with subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said.decode()[-500:]
    return time.perf_counter() - begun, _mib(used)


def _processor_seconds() -> float:
    """Of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _mib(used: "resource.struct_rusage") -> float:
    return used.ru_maxrss / 1024
