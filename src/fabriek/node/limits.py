"""Bounds on memory, processes and cores: by control groups of either version where they can be written, else by resource limits."""

import os
import resource
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fabriek.schemas.node import JobSpec

V1_ROOT = Path("/sys/fs/cgroup")
CPU_PERIOD_MICROSECONDS = 100_000


class Limiter(Protocol):
    """Bounds one process tree. `enter` runs in the child between fork and exec."""

    kind: str

    def enter(self) -> None: ...

    def memory_was_exceeded(self) -> bool:
        """Whether the kernel killed something in the tree for want of memory."""

    def memory_bytes_peak(self) -> int: ...

    def close(self) -> None:
        """Removes what was made, once the tree is gone."""


@dataclass
class CgroupV1:
    """A group below memory, pids and cpu each."""

    folders: dict[str, Path]
    kind: str = "cgroup v1"

    def enter(self) -> None:
        pid = str(os.getpid())
        for folder in self.folders.values():
            (folder / "cgroup.procs").write_text(pid, "ascii")

    def memory_was_exceeded(self) -> bool:
        return _field(self.folders["memory"] / "memory.oom_control", "oom_kill") > 0

    def memory_bytes_peak(self) -> int:
        return _number(self.folders["memory"] / "memory.max_usage_in_bytes")

    def close(self) -> None:
        for folder in self.folders.values():
            _remove(folder)


@dataclass
class CgroupV2:
    """One group with all three controllers."""

    folder: Path
    kind: str = "cgroup v2"

    def enter(self) -> None:
        (self.folder / "cgroup.procs").write_text(str(os.getpid()), "ascii")

    def memory_was_exceeded(self) -> bool:
        return _field(self.folder / "memory.events", "oom_kill") > 0

    def memory_bytes_peak(self) -> int:
        return _number(self.folder / "memory.peak")

    def close(self) -> None:
        _remove(self.folder)


@dataclass
class Rlimits:
    """Per process, not per tree: a weaker bound on memory. Processes are counted over the whole uid, so those that run already
    are added to what the job may have; under uid 0 they are not counted at all, which is why root needs control groups.
    """

    memory_bytes: int
    processes_max: int
    kind: str = "resource limits"
    _limits: dict[int, int] = field(default_factory=dict)

    def enter(self) -> None:
        resource.setrlimit(resource.RLIMIT_AS, (self.memory_bytes, self.memory_bytes))
        processes = self.processes_max + _processes_of(os.getuid())
        ceiling = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        bound = processes if ceiling == resource.RLIM_INFINITY else min(processes, ceiling)
        resource.setrlimit(resource.RLIMIT_NPROC, (bound, bound))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def memory_was_exceeded(self) -> bool:
        return False

    def memory_bytes_peak(self) -> int:
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024

    def close(self) -> None:
        self._limits.clear()


def kind_here() -> str:
    """Which limiter this machine allows: `cgroup v1`, `cgroup v2`, `resource limits`, or empty when none would hold."""
    if _v1_writable():
        return "cgroup v1"
    if _v2_home() is not None:
        return "cgroup v2"
    return "resource limits" if os.getuid() else ""


def limiter(spec: JobSpec) -> Limiter | None:
    """A limiter for this attempt; None where the machine has none that would hold."""
    name = f"fabriek-{spec.job}-{spec.attempt}"
    makers: dict[str, Callable[[], Limiter]] = {
        "cgroup v1": lambda: _make_v1(name, spec),
        "cgroup v2": lambda: _make_v2(name, spec),
        "resource limits": lambda: Rlimits(spec.memory_bytes, spec.processes_max),
    }
    make = makers.get(kind_here())
    return make() if make is not None else None


def _make_v1(name: str, spec: JobSpec) -> CgroupV1:
    folders = {controller: V1_ROOT / controller / name for controller in ("memory", "pids", "cpu")}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    (folders["memory"] / "memory.limit_in_bytes").write_text(str(spec.memory_bytes), "ascii")
    (folders["pids"] / "pids.max").write_text(str(spec.processes_max), "ascii")
    (folders["cpu"] / "cpu.cfs_quota_us").write_text(str(spec.cpus * CPU_PERIOD_MICROSECONDS), "ascii")
    return CgroupV1(folders)


def _make_v2(name: str, spec: JobSpec) -> CgroupV2:
    home = _v2_home()
    assert home is not None
    folder = home / name
    folder.mkdir(exist_ok=True)
    (folder / "memory.max").write_text(str(spec.memory_bytes), "ascii")
    (folder / "pids.max").write_text(str(spec.processes_max), "ascii")
    (folder / "cpu.max").write_text(f"{spec.cpus * CPU_PERIOD_MICROSECONDS} {CPU_PERIOD_MICROSECONDS}", "ascii")
    return CgroupV2(folder)


def _v1_writable() -> bool:
    return all(os.access(V1_ROOT / controller / "cgroup.procs", os.W_OK) for controller in ("memory", "pids", "cpu"))


def _v2_home() -> Path | None:
    """A group of ours that may have children with the controllers that we need."""
    try:
        line = next(
            line for line in Path("/proc/self/cgroup").read_text("ascii").splitlines() if line.startswith("0::")
        )
    except (FileNotFoundError, StopIteration):
        return None
    home = V1_ROOT / line.removeprefix("0::").lstrip("/")
    try:
        delegated = set((home / "cgroup.subtree_control").read_text("ascii").split())
    except OSError:
        return None
    return home if {"memory", "pids", "cpu"} <= delegated and os.access(home, os.W_OK) else None


def _processes_of(uid: int) -> int:
    """Threads count as processes here, as they do for the kernel."""
    count = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if entry.stat().st_uid == uid:
                    count += sum(1 for _ in (entry / "task").iterdir())
            except OSError:
                continue
    return count


def _field(file: Path, name: str) -> int:
    try:
        return next(
            (int(line.split()[1]) for line in file.read_text("ascii").splitlines() if line.split()[0] == name), 0
        )
    except OSError:
        return 0


def _number(file: Path) -> int:
    try:
        return int(file.read_text("ascii"))
    except (OSError, ValueError):
        return 0


def _remove(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        # Something of the tree still dies; an empty group that stays behind costs nothing and holds nothing.
        return
