"""Resource limits, where no control group can be made: the kernel bounds each process, and a look now and then the whole tree.

Data and processes are limited inside the walls. There the job is alone in its user namespace, and since Linux 5.14 the kernel counts
processes per namespace as well; before, it counted them over the whole uid, which bounds a job only under a uid of its own.
"""

import os
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fabriek.kernel.errors import Unavailable
from fabriek.node.room import DOOR_FOLDER
from fabriek.schemas.node import JobSpec

LOOK_SECONDS = 0.5
"""Between looks at the whole tree: how long several processes together may hold more than their job may."""

INODE_BYTES = 1024
COUNTED_PER_NAMESPACE = (5, 14)


@dataclass
class Rlimits:
    """`written`: the folders that the job fills, which lie in memory. `processes_max` is None where the kernel would count our own
    processes with the job's.
    """

    memory_bytes: int
    processes_max: int | None
    written: tuple[Path, ...]
    kind: str = "resource limits"
    _peak: int = field(default=0)
    _used: int = field(default=0)
    _next_look: float = field(default=0.0)
    _cpu_seconds: float = field(default=0.0)
    _exceeded: bool = field(default=False)

    def enter(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.memory_bytes, self.memory_bytes))

    def inside(self) -> dict[str, int]:
        return {"data": self.memory_bytes} | ({} if self.processes_max is None else {"nproc": self.processes_max})

    def exceeded(self, root: int) -> bool:
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            tree = list(tree_below(root))
            used = sum(map(memory_bytes_of, tree)) + sum(map(size_of, self.written))
            self._cpu_seconds = max(self._cpu_seconds, sum(map(cpu_seconds_of, tree)))
            self._used, self._peak = used, max(self._peak, used)
            self._exceeded = self._exceeded or used > self.memory_bytes
        return self._exceeded

    def memory_bytes_peak(self) -> int:
        return self._peak

    def memory_bytes_held(self) -> int:
        return self._used

    def cpu_seconds(self) -> float:
        return self._cpu_seconds

    def places(self) -> list[Path]:
        return []

    def close(self) -> None:
        """The limits died with the processes."""


def make(job: JobSpec, uid: int | None) -> Rlimits:
    """Raises Unavailable where the limits would not bind: root is not counted, nor is a shared uid on an old kernel."""
    if uid is None and os.getuid() == 0:
        raise Unavailable("resource limits do not bind root")
    release = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
    if uid is None and release < COUNTED_PER_NAMESPACE:
        raise Unavailable("before Linux 5.14 processes are counted over the whole uid")
    return Rlimits(job.memory_bytes, job.processes_max, _written(job))


def make_without_walls(job: JobSpec) -> Rlimits:
    """Memory only: outside of a namespace, processes are counted over all that the user runs."""
    return Rlimits(job.memory_bytes, None, _written(job))


def _written(job: JobSpec) -> tuple[Path, ...]:
    return tuple(Path(job.scratch, name) for name in ("work", "output", DOOR_FOLDER))


def tree_below(root: int) -> Iterator[int]:
    """The process and all that came from it: within walls, orphans stay below the first process there."""
    yield root
    try:
        threads = [entry.name for entry in Path(f"/proc/{root}/task").iterdir()]
    except OSError:
        return
    for thread in threads:
        try:
            children = Path(f"/proc/{root}/task/{thread}/children").read_text("ascii").split()
        except OSError:
            continue
        for child in children:
            yield from tree_below(int(child))


def memory_bytes_of(pid: int) -> int:
    """Its share of memory that is not backed by files: pages that processes share are counted once among them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:")))


def cpu_seconds_of(pid: int) -> float:
    """Its own, and that of children it has waited for. What happened since the last look is not in it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def size_of(folder: Path) -> int:
    """What it takes of memory, with what the kernel needs to know of each file."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_blocks * 512 + INODE_BYTES  # noqa: PTH118  # a walk over many files
            except OSError:
                continue
    return total
