"""What bounds a tree of processes, and which of the ways holds here."""

from pathlib import Path
from typing import Protocol

from fabriek.kernel.errors import Unavailable
from fabriek.node.limits import cgroup_v1, cgroup_v2, rlimits
from fabriek.schemas.node import JobSpec


class Limiter(Protocol):
    """Bounds one tree. Made before it starts, closed after its last process."""

    kind: str

    def enter(self) -> None:
        """Runs in the child between fork and exec: from here on the bounds hold."""

    def inside(self) -> dict[str, int]:
        """Resource limits that must be set within the walls, by the lower-case end of their name: `nproc`, `data`."""

    def exceeded(self, root: int) -> bool:
        """Whether the tree below this process asked for more memory than it may have."""

    def memory_bytes_peak(self) -> int: ...

    def memory_bytes_held(self) -> int:
        """What the tree holds now, without pages of files that the kernel keeps for want of better use."""

    def cpu_seconds(self) -> float:
        """Of all processes of the tree together, those that ended included."""

    def places(self) -> list[Path]:
        """The folders that were made, to be removed by others if we cannot any more."""

    def close(self) -> None:
        """Ends what still lives, and removes what was made."""


def limiter(job: JobSpec, uid: int | None) -> Limiter:
    """The first way that holds on this machine. `uid`: the job's own real uid, None where it shares ours. Raises Unavailable
    with the reasons when there is none: a job that nothing bounds is not started.
    """
    reasons = []
    if job.unsandboxed:
        return _without_walls(job)
    for make in (cgroup_v1.make, cgroup_v2.make, rlimits.make):
        try:
            return make(job, uid)
        except Unavailable as why:
            reasons.append(why.detail)
    raise Unavailable(f"nothing here can bound a job: {'; '.join(reasons)}", fix="fabriek doctor")


def _without_walls(job: JobSpec) -> Limiter:
    """What can be had for a job that the operator lets run without walls."""
    for make in (cgroup_v1.make, cgroup_v2.make):
        try:
            return make(job, None)
        except Unavailable:
            continue
    return rlimits.make_without_walls(job)
