"""Removing folders that a job wrote into, whatever it left there."""

import os
import subprocess
from pathlib import Path

SMALL_ENTRIES = 256
SMALL_DEPTH = 4
"""What is larger or deeper is left to the system's tools: a job can nest folders deeper than a walk of ours goes."""


def wipe(*folders: Path) -> None:
    """Removes the folders, also where the job took away its own right to enter parts of them; what a link points at stays.

    Call it when no process of the job lives any more.
    """
    there = [folder for folder in folders if folder.is_dir() and not folder.is_symlink()]
    large = [str(folder) for folder in there if not _wipe_small(folder)]
    if large:
        for argv in (["chmod", "-R", "u+rwX", "--", *large], ["rm", "-rf", "--one-file-system", "--", *large]):
            subprocess.run(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def _wipe_small(folder: Path) -> bool:
    """Whether the folder was small and plain enough to be removed here, which saves two programs for each job."""
    try:
        found = _listed(folder.stat().st_dev, str(folder))
        if found is None:
            return False
        folders, files = found
        for file in files:
            os.unlink(file)  # noqa: PTH108  # a path object for each would cost more than the call
        for one in reversed(folders):
            os.rmdir(one)  # noqa: PTH106
    except OSError:
        return False
    return True


def _listed(device: int, top: str) -> tuple[list[str], list[str]] | None:
    """(folders, outermost first, and all else) below and with `top`; None where that is too much, or where something is mounted."""
    folders, files, depth = [top], list[str](), 0
    level = [top]
    while level:
        depth, below = depth + 1, list[str]()
        for folder in level:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if not entry.is_dir(follow_symlinks=False):
                        files.append(entry.path)
                    elif depth >= SMALL_DEPTH or entry.stat(follow_symlinks=False).st_dev != device:
                        return None
                    else:
                        below.append(entry.path)
                    if len(folders) + len(below) + len(files) > SMALL_ENTRIES:
                        return None
        folders += below
        level = below
    return folders, files
