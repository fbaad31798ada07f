"""An image's file fetched, hashed, and unpacked: what reads its hostile bytes runs as a job of its own, behind the walls and bounds of any.

The files of the image lie in the job's memory-backed room, so they are bounded by the job's own memory.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Protocol

from fabriek.kernel.errors import InvalidInput, Unavailable
from fabriek.kernel.units import shown_bytes
from fabriek.kernel.wiping import wipe
from fabriek.node.child import Child, Ended
from fabriek.node.images.roots import make_ready
from fabriek.node.images.sif import place_of
from fabriek.node.inside import Inside
from fabriek.node.limits.limiter import Limiter
from fabriek.node.logs import Log, LogFile
from fabriek.node.room import Room
from fabriek.node.sandbox import Walls
from fabriek.node.variables import SYSTEM_PATH, variables_of
from fabriek.schemas.node import CANCEL_FILE, GROUPS_FILE, HOME, ImageSpec, JobSpec

SEEN_AT = "/image"
"""Where the one that unpacks sees the file."""

FILE = "image"
ROOT = "root"
BUFFER_MIB = "16"
"""Of each of the two queues in which unsquashfs holds what it has read; by itself it takes a quarter of a GiB each."""

WELL, WELL_BUT = 0, 2
"""What unsquashfs ends with: all is there, or all but what only root may make, such as device files."""


class Images(Protocol):
    """Fetches the file of an image."""

    def open_image(self, spec: ImageSpec, place: Path) -> None:
        """The file at a place that nothing has yet. Raises a FabriekError when it may not or cannot be opened."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """`root` holds its files; `hash` is the SHA-256 of the file that they came in, in hexadecimal."""

    root: Path
    hash: str


@cache
def unsquashfs() -> str:
    """The program; empty when there is none that a job could see."""
    found = os.path.realpath(shutil.which("unsquashfs", path=SYSTEM_PATH) or "")
    return found if found.startswith("/usr/") else ""


def unpack(
    job: JobSpec, images: Images, room: Room, uid: int | None, bounds: Callable[[JobSpec, int | None], Limiter]
) -> Unpacked:
    """The files of the job's image, ready to be its root. room: the job's own. Raises InvalidInput where the image cannot be used or is too
    large, Unavailable where this machine cannot unpack one.
    """
    assert job.image is not None
    if not unsquashfs():
        raise Unavailable("unsquashfs is not installed, so no image can be unpacked", fix="apt install squashfs-tools")
    inner = Room(room.image)
    inner.scratch.mkdir()
    inner.prepare(uid)
    file = inner.inputs / FILE
    _fetch(job.image, images, file)
    _check_size(file.stat().st_size, job)
    with file.open("rb") as image:
        digest = hashlib.file_digest(image, "sha256").hexdigest()
        place = place_of(image, os.uname().machine)
    file.chmod(0o444)
    argv = (
        unsquashfs(), "-no-progress", "-quiet", "-no-xattrs", "-processors", str(job.cpus), "-data-queue", BUFFER_MIB,
        "-frag-queue", BUFFER_MIB, "-offset", str(place.offset), "-dest", f"{HOME}/{ROOT}", f"{SEEN_AT}/{FILE}",
    )  # fmt: skip
    ended, said = _run(_alone(job, argv, inner), inner, uid, bounds, Path(job.folder, GROUPS_FILE))
    wipe(inner.inputs)
    root = inner.work / ROOT
    if reason := _failed(ended, said, root, job):
        raise InvalidInput(reason, fix="build it again, or give the job more memory")
    make_ready(root, room.etc, [*(one.mount for one in job.inputs), *([job.shared] if job.shared else [])])
    return Unpacked(root, digest)


def _fetch(spec: ImageSpec, images: Images, file: Path) -> None:
    if spec.grant:
        images.open_image(spec, file)
        return
    try:
        shutil.copyfile(spec.file, file)
    except OSError as error:
        raise Unavailable(f"the image {spec.file} cannot be read: {error.strerror}", fix="correct job_images") from None


def _check_size(size_bytes: int, job: JobSpec) -> None:
    if size_bytes > job.memory_bytes:
        raise InvalidInput(
            f"the image has {shown_bytes(size_bytes)}, and the job {shown_bytes(job.memory_bytes)} of memory to unpack it in: ask for more"
            " with --memory",
            fix="give the job more memory: --memory",
        )


def _alone(job: JobSpec, argv: tuple[str, ...], room: Room) -> JobSpec:
    """A job that unpacks and does nothing else: it hears when the other is cancelled, and nothing of what that is told."""
    folder = room.scratch / "attempt"
    folder.mkdir()
    (folder / CANCEL_FILE).symlink_to(Path(job.folder, CANCEL_FILE))
    return replace(
        job, argv=argv, environment={}, inputs=(), code=None, image=None, secrets=(), hosts=(), slurm={}, nodes=1, gpus=0, gpu_part_milli=0,
        devices=(), signal="", port=0, shared="", folder_inside="", host_network=False, scratch=str(room.scratch), folder=str(folder),
    )  # fmt: skip


def _run(
    job: JobSpec, room: Room, uid: int | None, bounds: Callable[[JobSpec, int | None], Limiter], groups: Path
) -> tuple[Ended, str]:
    """How it ended, and the last that it said. groups: the file that says what is to be removed if we cannot."""
    limits = bounds(job, uid)
    groups.write_text("\n".join(map(str, limits.places())), "utf-8")
    lab = room.scratch / "lab"
    lab.mkdir(mode=0o755)
    mounts = [(room.inputs, SEEN_AT)]
    walls = Walls(
        room, job.argv, variables_of(job, {}), mounts, job.python, str(lab), job.memory_bytes, limits.inside(), uid
    )
    log = Log(LogFile(room.scratch / "log"), job.log_bytes_max)
    ended = Child(job, walls, limits, Inside).run(log, lambda: None)
    log.finish()
    return ended, log.last_line()


def _failed(ended: Ended, said: str, root: Path, job: JobSpec) -> str:
    """Why there is no root; empty where there is one."""
    if (
        ended.reason.startswith("the memory limit") or "failed to write" in said
    ):  # where a file may be only so large, it says no more
        return f"the image unpacks to more than the job's {shown_bytes(job.memory_bytes)} of memory: ask for more with --memory"
    if ended.reason:
        return ended.reason
    if ended.exit_code not in {WELL, WELL_BUT} or root.is_symlink() or not root.is_dir():
        return f"the image could not be unpacked: {said or ended.exit_code}"
    return ""
