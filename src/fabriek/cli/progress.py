"""A bar for what takes long: on a terminal, and nowhere else."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


def _nothing(_: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Bar:
    """`advance` is told of every byte done, `expect` once how many there are: from then on the time that remains is shown."""

    advance: Callable[[int], None] = _nothing
    expect: Callable[[int], None] = _nothing


@contextmanager
def bar(says: str) -> Iterator[Bar]:
    """Draws on standard error, so that output can be piped."""
    if not sys.stderr.isatty():
        yield Bar()
        return
    from rich.console import Console  # noqa: PLC0415  # 60 ms that help should not pay
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as drawn:
        task = drawn.add_task(says, total=None)
        yield Bar(lambda count: drawn.advance(task, count), lambda total: drawn.update(task, total=total))
