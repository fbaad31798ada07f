"""A sign of life from a member's node every few seconds: Slurm alone says for minutes that a step lives whose node is gone."""

import os
import select
from collections.abc import Callable

PULSE_SECONDS = 5.0


def beat(sign: Callable[[], None]) -> None:
    """Has `sign` called now and then by a process of its own, which is none of our children and ends with us. Call it before there are threads."""
    ours = os.pidfd_open(os.getpid())
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        os.close(ours)
        return
    try:
        if os.fork() == 0:
            _until_gone(ours, sign)
    finally:
        os._exit(0)


def _until_gone(watched: int, sign: Callable[[], None]) -> None:
    gone = select.poll()
    gone.register(watched, select.POLLIN)
    while not gone.poll(PULSE_SECONDS * 1000):
        sign()
