"""Control groups, version 1: a group below memory, pids and, where it is there, cpu."""

from dataclasses import dataclass
from pathlib import Path

from fabriek.kernel.errors import Unavailable
from fabriek.node.limits import groups
from fabriek.schemas.node import JobSpec


@dataclass
class CgroupV1:
    """One folder for each controller."""

    folders: dict[str, Path]
    kind: str = "cgroup v1"

    def enter(self) -> None:
        # 0, into `tasks`: the one way in for which the kernel need not wait until every processor has taken notice, some 12 ms.
        # Between fork and exec there is one thread, so that it is the whole process all the same.
        for folder in self.folders.values():
            (folder / "tasks").write_text("0", "ascii")

    def inside(self) -> dict[str, int]:
        return {}

    def exceeded(self, root: int) -> bool:  # noqa: ARG002  # the kernel counts for the whole group
        return groups.field(self.folders["memory"] / "memory.oom_control", "oom_kill") > 0

    def memory_bytes_peak(self) -> int:
        return groups.number(self.folders["memory"] / "memory.max_usage_in_bytes")

    def memory_bytes_held(self) -> int:
        folder = self.folders["memory"]
        cached = groups.field(folder / "memory.stat", "total_inactive_file")
        return max(groups.number(folder / "memory.usage_in_bytes") - cached, 0)

    def cpu_seconds(self) -> float:
        folder = self.folders.get("cpuacct")
        return groups.number(folder / "cpuacct.usage") / 1e9 if folder else 0.0

    def places(self) -> list[Path]:
        return list(self.folders.values())

    def close(self) -> None:
        for folder in self.folders.values():
            groups.remove(folder)


def make(job: JobSpec, uid: int | None) -> CgroupV1:  # noqa: ARG001  # groups need no uid
    """Raises Unavailable."""
    mounts, membership = groups.MOUNTS.read_text("utf-8"), groups.MEMBERSHIP.read_text("utf-8")
    made = CgroupV1({})
    try:
        for controller in ("memory", "pids"):
            parent = groups.own_group(controller, mounts, membership)
            made.folders[controller] = groups.make_below(parent, groups.name_of(job))
        memory = made.folders["memory"]
        groups.write(memory / "memory.limit_in_bytes", job.memory_bytes)
        if (memory / "memory.memsw.limit_in_bytes").exists():  # else swap is not counted, and pages go there instead
            groups.write(memory / "memory.memsw.limit_in_bytes", job.memory_bytes)
        groups.write(made.folders["pids"] / "pids.max", job.processes_max)
        _bound_cores(made, job, mounts, membership)
    except Unavailable:
        made.close()
        raise
    return made


def _bound_cores(made: CgroupV1, job: JobSpec, mounts: str, membership: str) -> None:
    """Cores, and their use. Where cpu is not ours to bound, jobs share the cores: unfair at worst, and never unsafe."""
    for controller in ("cpuacct", "cpu"):
        try:
            parent = groups.own_group(controller, mounts, membership)
            made.folders[controller] = groups.make_below(parent, groups.name_of(job))
            if controller == "cpu":
                groups.write(made.folders["cpu"] / "cpu.cfs_quota_us", job.cpus * groups.PERIOD_MICROSECONDS)
        except Unavailable:
            if controller in made.folders:
                groups.remove(made.folders.pop(controller))
