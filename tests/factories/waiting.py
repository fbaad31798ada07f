"""Waiting for what happens elsewhere: until it is so, with a deadline that only a fault reaches."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE_SECONDS = 0.01


def until(look: Callable[[], T], *, seconds_max: float = 60.0, instead: Callable[[], object] = lambda: "") -> T:
    """The first true answer. Raises AssertionError when there is none in time, which says what there is instead."""
    pause = threading.Event()
    give_up = time.monotonic() + seconds_max
    while not (seen := look()):
        assert time.monotonic() < give_up, f"it did not happen in time; {instead()}"
        pause.wait(PAUSE_SECONDS)
    return seen
