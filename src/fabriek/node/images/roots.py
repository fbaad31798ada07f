"""An unpacked root, made ready for what is laid over it. Its links may point anywhere: none is followed here."""

import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from fabriek.kernel.errors import InvalidInput
from fabriek.node.variables import SHIM_DIR

LAID_OVER = ("/dev", "/etc", "/home/job", "/output", "/proc", "/run", "/tmp")  # noqa: S108  # inside the walls
"""Folders that every job finds as we make them."""

OURS = ("passwd", "group", "hosts", "nsswitch.conf")
"""Files of /etc that say who the job is and what it reaches."""

VARIABLES = ".singularity.d/env"
"""Scripts that Apptainer puts into every image that it builds: they set what the image's maker wanted set."""

SET_VARIABLES = f'for each in /{VARIABLES}/*.sh; do [ -f "$each" ] && . "$each"; done'

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def make_ready(root: Path, etc: Path, mounts: Iterable[str]) -> None:
    """Folders for us and for `mounts`, and our files from `etc`; what was in their way is gone. No program of the image keeps the right to
    become another user. Call it when nothing that knows the root lives any more. Raises InvalidInput, OSError.
    """
    subprocess.run(["chmod", "-R", "u+rwX,u-s,g-s", "--", str(root)], stdin=subprocess.DEVNULL, check=False)
    for path in (*LAID_OVER, *mounts):
        os.close(make_folder(root, path))
    folder = make_folder(root, "/etc")
    try:
        for name in OURS:
            _lay(folder, name, (etc / name).read_bytes())
    finally:
        os.close(folder)


def with_variables(root: Path, argv: Sequence[str]) -> Sequence[str]:
    """The command, begun with the variables of its image; Slurm's commands stay before all others."""
    if not (root / VARIABLES).is_dir():
        return argv
    return ("/bin/sh", "-c", f'{SET_VARIABLES}; PATH="{SHIM_DIR}:$PATH"; export PATH; exec "$@"', "sh", *argv)


def make_folder(root: Path, path: str) -> int:
    """A descriptor of the folder at this absolute path below the root, made where it is not there."""
    here = os.open(root, FOLDER)
    for name in PurePosixPath(path).parts[1:]:
        try:
            below = _entered(here, name)
        finally:
            os.close(here)
        here = below
    return here


def _entered(parent: int, name: str) -> int:
    try:
        return os.open(name, FOLDER, dir_fd=parent)
    except FileNotFoundError:
        pass
    except OSError:  # a link, or a file
        os.unlink(name, dir_fd=parent)
    os.mkdir(name, 0o755, dir_fd=parent)
    folder = os.open(name, FOLDER, dir_fd=parent)
    os.fchmod(folder, 0o755)
    return folder


def _lay(folder: int, name: str, content: bytes) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass
    except OSError:
        raise InvalidInput(
            f"in the image, /etc/{name} is a folder", fix="build it with a file there, or none"
        ) from None
    with os.fdopen(os.open(name, NEW_FILE, 0o644, dir_fd=folder), "wb") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(content)
