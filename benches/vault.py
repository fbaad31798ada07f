"""The vault beside its peers, in memory-backed storage: one large file, a tree of 10,000 files, a second push, reads at random.

`python -m benches.vault [--mib 1024] [--files 10000] [--rounds 3] [--only seal,big,tree,again,random]`. Each round runs ours and the
peer one after the other, and the figure is the median of the rounds' ratios: what else the machine does falls on both.
Peers that are not installed are said and left out. Ours goes through a whole factory, over HTTP, as `fabriek data`.
"""

import argparse
import os
import random
import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.servers.factory import Running, quickstarted

from benches.vault_ours import Ours, child, open_file, seal_file, timed
from benches.vault_peers import Peer, cipher_seconds, peers, versions
from fabriek.sdk import Fabriek

LIMIT_MEMORY_MIB = 300
WORDS = 4_000


class Figures:
    """Ratios as they come in; `say` prints the median of one beside what is promised."""

    def __init__(self) -> None:
        self._seen: dict[str, list[float]] = {}
        self.short = 0

    def add(self, name: str, ours: float, peer: float) -> None:
        self._seen.setdefault(name, []).append(ours / peer)

    def value(self, name: str, seen: float) -> None:
        self._seen.setdefault(name, []).append(seen)

    def say(self, name: str, most: float | None, unit: str = "x") -> None:
        if name not in self._seen:
            return
        middle = statistics.median(self._seen[name])
        falls_short = most is not None and middle > most
        self.short += falls_short
        promised = "" if most is None else f" (at most {most}){' FALLS SHORT' if falls_short else ''}"
        print(f"vault: {name}: {middle:.2f} {unit}{promised}, {len(self._seen[name])} rounds", flush=True)


def main() -> int:
    """Prints a line a figure; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="seal,big,tree,again,random")
    asked = parser.parse_known_args()[0]
    figures = Figures()
    print(f"vault: against {versions()}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-", dir="/dev/shm", ignore_cleanup_errors=True) as named:
        work = Path(named)
        sources = _sources(work, asked.mib, asked.files)
        parts = {"seal": _sealing, "big": _big, "tree": _tree, "again": _again, "random": _random}
        with quickstarted(work / "home") as running:
            for part in asked.only.split(","):
                parts[part](running, sources, asked.rounds, figures)
    return int(figures.short > 0)


def _sources(work: Path, mib: int, files: int) -> Path:
    """`big/one.bin`, random; `tree/`, a third random and the rest words, a few KiB each with a long tail."""
    (work / "big").mkdir()
    with (work / "big" / "one.bin").open("wb") as out:
        for _ in range(mib):
            out.write(os.urandom(2**20))
    chance = random.Random(7)  # noqa: S311  # the same tree each time
    words = [f"{chance.getrandbits(40):x}" for _ in range(WORDS)]
    for number in range(files):
        folder = work / "tree" / f"{number % 100:02d}" / str(number // 100 % 10)
        folder.mkdir(parents=True, exist_ok=True)
        size = max(64, min(262_144, int(chance.lognormvariate(8.0, 1.3))))
        body = os.urandom(size) if number % 3 == 0 else " ".join(chance.choices(words, k=size // 8 + 1)).encode()[:size]
        (folder / f"f{number:05d}.dat").write_bytes(body)
    return work


def _sealing(_: Running, work: Path, rounds: int, figures: Figures) -> None:
    plain, sealed, opened = work / "big" / "one.bin", work / "sealed", work / "opened"
    age, size = peers(work).get("age"), plain.stat().st_size
    for number in range(rounds + 1):
        seal = timed(lambda: seal_file(plain, sealed))
        opening = timed(lambda: open_file(sealed, opened))
        copy, limit = timed(lambda: child(["cp", str(plain), str(opened)])), cipher_seconds(size)
        if number == 0:  # it touched memory that this machine had not used yet
            continue
        for what, seconds in (("seal", seal), ("open", opening)):
            figures.add(f"{what} a file, x cp", seconds, copy)
            if limit is not None:
                figures.add(f"{what} a file, x openssl speed on one thread", seconds, limit)
        if age is not None:
            figures.add("seal a file, x age", seal, timed(lambda: age.put(plain.parent)))
            figures.add("open a file, x age", opening, timed(age.get))
            age.clear()
    _forget(sealed, opened)
    figures.say("seal a file, x age", 1.0)
    figures.say("open a file, x age", 1.0)
    figures.say("seal a file, x cp", None)
    figures.say("open a file, x cp", None)
    figures.say("seal a file, x openssl speed on one thread", None)
    figures.say("open a file, x openssl speed on one thread", None)


def _big(running: Running, work: Path, rounds: int, figures: Figures) -> None:
    ours = Ours(running, work)
    for number in range(rounds):
        name, file = f"big-{number}", work / "big" / "one.bin"
        put, get = ours.bare(file)
        push, pull = ours.push(work / "big", name), ours.pull(name)
        figures.add("push a file, x bare PUT", push, put)
        figures.add("pull a file, x bare GET", pull, get)
        copy, limit = timed(lambda: child(["cp", str(file), str(work / "copied")])), cipher_seconds(file.stat().st_size)  # noqa: B023
        _forget(work / "copied")
        for what, seconds in (("push", push), ("pull", pull)):
            figures.add(f"{what} a file, x cp", seconds, copy)
            if limit is not None:
                figures.add(f"{what} a file, x openssl speed on one thread", seconds, limit)
    figures.say("push a file, x bare PUT", 1.5)
    figures.say("pull a file, x bare GET", 1.5)
    for what in ("push", "pull"):
        figures.say(f"{what} a file, x cp", None)
        figures.say(f"{what} a file, x openssl speed on one thread", None)
    figures.value("client memory, large file", ours.memory_mib)
    figures.say("client memory, large file", LIMIT_MEMORY_MIB, "MiB")


def _tree(running: Running, work: Path, rounds: int, figures: Figures) -> None:
    ours, tree = Ours(running, work), work / "tree"
    plain = sum(file.stat().st_size for file in tree.rglob("*") if file.is_file())
    before = ours.stored_bytes()
    for number in range(rounds):
        name = f"tree-{number}"
        push, pull = ours.push(tree, name), ours.pull(name)
        if number == 0:
            figures.value("stored tree, x plain", (ours.stored_bytes() - before) / plain)
        for peer in peers(work).values():
            put, get = _both(peer, tree)
            figures.add(f"push a tree, x {peer.name}", push, put)
            figures.add(f"pull a tree, x {peer.name}", pull, get)
        copy = timed(lambda: child(["cp", "-r", str(tree), str(work / "copied")]))
        _forget(work / "copied")
        figures.add("push a tree, x cp", push, copy)
        figures.add("pull a tree, x cp", pull, copy)
    for name, most in (("restic", 1.0), ("gocryptfs", 0.5), ("rclone", None), ("cp", None)):
        figures.say(f"push a tree, x {name}", most)
    for name, most in (("restic", None), ("gocryptfs", None), ("rclone", 1.0), ("cp", None)):
        figures.say(f"pull a tree, x {name}", most)
    figures.say("stored tree, x plain", 1.03)
    figures.value("client memory, tree", ours.memory_mib)
    figures.say("client memory, tree", LIMIT_MEMORY_MIB, "MiB")


def _again(running: Running, work: Path, rounds: int, figures: Figures) -> None:
    """One in a hundred files changed between two pushes: by the command, whose start counts twice, and in one process."""
    ours, tree = Ours(running, work), work / "tree"
    files = sorted(file for file in tree.rglob("*") if file.is_file())
    for number in range(rounds):
        name = f"again-{number}"
        ours.know_nothing()
        first, worked = ours.push(tree, name), ours.processor_seconds
        for file in files[number::100]:
            file.write_bytes(os.urandom(file.stat().st_size))
        figures.add("second push with 1 % changed, x first", ours.push(tree, name), first)
        figures.add("second push with 1 % changed, client's processor, x first", ours.processor_seconds, worked)
        ours.know_nothing()
        first, second = ours.push_twice(tree, f"{name}-inside", number + rounds)
        figures.add("second push with 1 % changed, in one process, x first", second, first)
    figures.say("second push with 1 % changed, x first", 0.1)
    figures.say("second push with 1 % changed, client's processor, x first", None)
    figures.say("second push with 1 % changed, in one process, x first", 0.1)


def _random(running: Running, work: Path, _: int, figures: Figures) -> None:
    """1 MiB from anywhere in the large file: out of a sealed file in this process, and over HTTP."""
    plain, sealed = work / "big" / "one.bin", work / "sealed"
    seal_file(plain, sealed)
    ours, chance, size = Ours(running, work), random.Random(3), plain.stat().st_size  # noqa: S311
    for at in ours.offsets(chance, size):
        figures.value("1 MiB at random, in process", ours.read_sealed(sealed, at) * 1000)
    _forget(sealed)
    ours.push(work / "big", "random")
    factory = Fabriek(running.url, running.variables["FABRIEK_TOKEN"], "playground")
    with factory.vault.opened("random") as version:
        file = version.file("one.bin")
        for at in ours.offsets(chance, size):
            seconds = timed(lambda at=at: b"".join(version.read(file, at, at + 2**20)))  # type: ignore[misc]  # bound now
            figures.value("1 MiB at random, over HTTP", seconds * 1000)
    figures.say("1 MiB at random, in process", 1, "ms")
    figures.say("1 MiB at random, over HTTP", 8, "ms")


def _both(peer: Peer, folder: Path) -> tuple[float, float]:
    peer.prepare()
    try:
        return timed(lambda: peer.put(folder)), timed(peer.get)
    finally:
        peer.clear()


def _forget(*places: Path) -> None:
    for place in places:
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)


Act = Callable[[], object]

if __name__ == "__main__":
    raise SystemExit(main())
