"""Control groups, version 2: one group with memory, pids and cpu, below one that may hand them down."""

import os
from dataclasses import dataclass
from pathlib import Path

from fabriek.kernel.errors import Unavailable
from fabriek.node.limits import groups
from fabriek.schemas.node import JobSpec

NEEDED = frozenset({"memory", "pids"})


@dataclass
class CgroupV2:
    folder: Path
    kind: str = "cgroup v2"

    def enter(self) -> None:
        (self.folder / "cgroup.procs").write_text(str(os.getpid()), "ascii")

    def inside(self) -> dict[str, int]:
        return {}

    def exceeded(self, root: int) -> bool:  # noqa: ARG002  # the kernel counts for the whole group
        return groups.field(self.folder / "memory.events", "oom_kill") > 0

    def memory_bytes_peak(self) -> int:
        return groups.number(self.folder / "memory.peak")

    def memory_bytes_held(self) -> int:
        cached = groups.field(self.folder / "memory.stat", "inactive_file")
        return max(groups.number(self.folder / "memory.current") - cached, 0)

    def cpu_seconds(self) -> float:
        return groups.field(self.folder / "cpu.stat", "usage_usec") / 1e6

    def places(self) -> list[Path]:
        return [self.folder]

    def close(self) -> None:
        groups.remove(self.folder)


def make(job: JobSpec, uid: int | None) -> CgroupV2:  # noqa: ARG001  # groups need no uid
    """Raises Unavailable."""
    own = groups.own_group("", groups.MOUNTS.read_text("utf-8"), groups.MEMBERSHIP.read_text("utf-8"))
    made = CgroupV2(groups.make_below(handing_down(own), groups.name_of(job)))
    try:
        bound(made.folder, job)
    except Unavailable:
        made.close()
        raise
    return made


def handing_down(own: Path) -> Path:
    """The group whose children get memory and pids: ours, or the one above, since a group that has processes of its own may not
    hand anything down. Raises Unavailable.
    """
    for parent in (own, own.parent):
        try:
            have = set((parent / "cgroup.controllers").read_text("ascii").split())
            down = set((parent / "cgroup.subtree_control").read_text("ascii").split())
            wanted = (NEEDED | {"cpu"}) & have - down
            if have >= NEEDED and wanted:
                (parent / "cgroup.subtree_control").write_text(" ".join(f"+{one}" for one in sorted(wanted)), "ascii")
            if have >= NEEDED and os.access(parent, os.W_OK):
                return parent
        except OSError:
            continue
    raise Unavailable("version 2 hands us no control of memory and processes")


def bound(folder: Path, job: JobSpec) -> None:
    """Writes the bounds. Swap is none of the job's, and a group that runs out of memory ends as a whole."""
    groups.write(folder / "memory.max", job.memory_bytes)
    groups.write(folder / "pids.max", job.processes_max)
    for name, value in (
        ("memory.swap.max", "0"),
        ("memory.oom.group", "1"),
        ("cpu.max", f"{job.cpus * groups.PERIOD_MICROSECONDS} {groups.PERIOD_MICROSECONDS}"),
    ):
        if (folder / name).exists():
            groups.write(folder / name, value)
