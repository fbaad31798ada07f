"""Finding the job's own first process from outside the walls."""

import os
from pathlib import Path

from fabriek.node.sandbox import INSIDE_FORWARD

DEPTH_MAX = 4
"""bubblewrap waits outside, has a process of its own within for each namespace that it nests, then comes the forwarder."""


def signal_inside(outer: int, number: int) -> bool:
    """Signals the forwarder, which passes it on; bubblewrap itself would die and take the tree with it. Whether it was found."""
    inner = outer
    for _ in range(DEPTH_MAX):
        children = _children(inner)
        if not children:
            return False
        inner = children[0]
        # bubblewrap's own argv names the forwarder too, but never as the script that a Python runs.
        if INSIDE_FORWARD.encode() in _argv(inner)[1:4]:
            try:
                os.kill(inner, number)
            except ProcessLookupError:
                return False
            return True
    return False


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    except OSError:
        return []


def _argv(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []
