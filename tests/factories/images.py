"""Images for tests: small root file systems of busybox, as a squashfs and as a SIF file, whose header is written here."""

import functools
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from fabriek.node.images import sif
from fabriek.node.images.aside import loader_of
from fabriek.node.images.unpacking import unsquashfs

BUSYBOX = "/bin/busybox"
COMMANDS = ("sh", "cat", "echo", "grep", "id", "ls", "nc", "sleep", "sort", "stat", "touch", "true", "wget")
HERE = sif.ARCHITECTURES.get(os.uname().machine, sif.UNKNOWN)
BEGINS, DATA = 4_096, 32_768


@functools.cache
def why_no_images() -> str:
    """Empty where images can be built and unpacked, else the reason, for skipping."""
    missing = [
        name
        for name, there in (
            ("squashfs-tools", unsquashfs() and shutil.which("mksquashfs")),
            ("busybox-static", _static()),
        )
        if not there
    ]
    return f"not installed here: {', '.join(missing)}" if missing else ""


def _static() -> bool:
    return os.access(BUSYBOX, os.X_OK) and not loader_of(Path(BUSYBOX))


def a_root(folder: Path, files: Mapping[str, str | bytes] = {}, links: Mapping[str, str] = {}) -> Path:
    """A system of one program and some files."""
    (folder / "bin").mkdir(parents=True)
    shutil.copy(BUSYBOX, folder / "bin/busybox")
    for name in COMMANDS:
        (folder / "bin" / name).symlink_to("busybox")
    for path, content in {"etc/image": "tiny\n", **files}.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    for path, target in links.items():
        (folder / path).symlink_to(target)
    return folder


def a_squashfs(root: Path, file: Path, *pseudo: str) -> Path:
    """pseudo: `NAME c 666 0 0 1 3`, for what only root could make in a folder."""
    words = [word for one in pseudo for word in ("-p", one)]
    argv = ["mksquashfs", str(root), str(file), "-quiet", "-no-progress", "-noappend", *words]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return file


def a_sif(
    data: bytes, *, architecture: bytes = HERE, file_system: int = sif.SQUASH, purpose: int = sif.PRIMARY, offset: int = DATA,
    size_bytes: int | None = None, descriptors: int = 3, begins: int = BEGINS,
) -> bytes:  # fmt: skip
    """A SIF file: a definition, the root, and a place that is not in use. What is said of the root can be made untrue."""
    length = len(data) if size_bytes is None else size_bytes
    used = [
        _descriptor(0x4001, 1, DATA - 64, 12, b""),
        _descriptor(sif.DATA_PARTITION, 2, offset, length, sif.PARTITION.pack(file_system, purpose, architecture)),
        _descriptor(sif.DATA_PARTITION, 0, -1, -1, sif.PARTITION.pack(sif.SQUASH, sif.PRIMARY, architecture)),
    ]
    header = sif.HEADER.pack(
        b"#!/usr/bin/env run-singularity\n", sif.MAGIC, b"01", architecture, bytes(16), 1, 1, 1, descriptors, begins,
        len(used) * sif.DESCRIPTOR.size, DATA, len(data),
    )  # fmt: skip
    return (header.ljust(BEGINS, b"\0") + b"".join(used)).ljust(DATA, b"\0") + data


def _descriptor(kind: int, number: int, offset: int, length: int, own: bytes) -> bytes:
    return sif.DESCRIPTOR.pack(kind, bool(number), number, 1, 0, offset, length, length, 1, 1, 0, 0, b"", own)


def a_superblock(*, version: int = 4, used: int = 4_096) -> bytes:
    """The beginning of a squashfs, as long as it says."""
    words: Sequence[int] = (0x73717368, 1, 1, 131_072, 0, 1, 17, 0, 1, version, 0, 0, used, *[0] * 6)
    return sif.SUPERBLOCK.pack(*words).ljust(used, b"\0")
