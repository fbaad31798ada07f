"""Control groups of either version: where ours is, and how one is emptied and removed."""

import hashlib
import os
import signal
import time
from pathlib import Path

from fabriek.kernel.errors import Unavailable
from fabriek.schemas.node import JobSpec

MOUNTS = Path("/proc/self/mountinfo")
MEMBERSHIP = Path("/proc/self/cgroup")
REMOVAL_SECONDS_MAX = 2.0
PERIOD_MICROSECONDS = 100_000


def name_of(job: JobSpec) -> str:
    """Job ids are unique within one home only: a home restored beside its first has the same. The folder tells them apart, or
    the end of one job would end the other.
    """
    home = hashlib.sha256(job.folder.encode()).hexdigest()[:8]
    return f"fabriek-{home}-{job.job}-{job.attempt}" + (f"-{job.member}" if job.member else "")


def own_group(controller: str, mounts: str, membership: str) -> Path:
    """The folder of the group that we are in, for a version 1 controller, or for version 2 when `controller` is empty. The job's
    group goes below ours, so that it stays within what bounds the server. Raises Unavailable where there is none.
    """
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = [*after.split(" ", 2), "", ""][:3]
        matches = kind == "cgroup2" if not controller else kind == "cgroup" and controller in options.split(",")
        if matches:
            root, mount = before.split(" ")[3:5]
            return Path(mount, _path(controller, membership).removeprefix(root.rstrip("/")).lstrip("/"))
    raise Unavailable(f"no control group for {controller or 'version 2'} is mounted")


def _path(controller: str, membership: str) -> str:
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path
    return "/"


def make_below(parent: Path, name: str) -> Path:
    """A fresh group. Raises Unavailable where we may not make one."""
    folder = parent / name
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise Unavailable(f"no group can be made below {parent} ({error.strerror})") from None
    return folder


def write(file: Path, value: int | str) -> None:
    """Raises Unavailable where the kernel does not take it: a bound that was not set is no bound."""
    try:
        file.write_text(str(value), "ascii")
    except OSError as error:
        raise Unavailable(f"{file.name} cannot be set ({error.strerror})") from None


def remove(folder: Path) -> None:
    """Ends every process in the group, then removes it. A group that stays behind all the same is empty and holds nothing."""
    give_up = time.monotonic() + REMOVAL_SECONDS_MAX
    while True:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            for pid in _members(folder):
                kill(pid)
            if time.monotonic() > give_up:
                return
            time.sleep(0.005)
        else:
            return


def kill(pid: int) -> None:
    """SIGKILL, unless it is gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _members(folder: Path) -> list[int]:
    try:
        return [int(line) for line in (folder / "cgroup.procs").read_text("ascii").split()]
    except OSError:
        return []


def field(file: Path, name: str) -> int:
    """A named number of a flat file such as memory.events; 0 where it is not there."""
    try:
        rows = dict(line.split(" ", 1) for line in file.read_text("ascii").splitlines() if " " in line)
        return int(rows.get(name, "0"))
    except (OSError, ValueError):
        return 0


def number(file: Path) -> int:
    try:
        return int(file.read_text("ascii"))
    except (OSError, ValueError):
        return 0
