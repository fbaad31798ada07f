"""New files that are on the disk by the time somebody relies on them, written while something else is waited for."""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

AT_ONCE = 8
"""A disk takes many at once in the time of one."""


class Disk:
    """Has threads of its own once it is used; `close` ends them."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fabriek-disk")

    @contextmanager
    def keeping(self, files: Mapping[Path, str]) -> Iterator[None]:
        """The files can be read as soon as the block begins, and outlive a loss of power as soon as it ends well. Mode 0600."""
        opened = {file: _written(file, text) for file, text in files.items()}
        going = [self._pool.submit(_settle, file, descriptor) for file, descriptor in opened.items()]
        try:
            yield
        finally:
            problems = [one.exception() for one in going]
        for problem in problems:
            if problem is not None:
                raise problem

    def close(self) -> None:
        self._pool.shutdown()


def _written(file: Path, text: str) -> int:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", closefd=False) as out:
        out.write(text)
    return descriptor


def _settle(file: Path, descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
