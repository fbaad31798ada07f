"""Many threads at one thing, at once: a race that is run and not imagined."""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def at_once(act: Callable[[int], T], *, times: int) -> list[T | Exception]:
    """Runs `act(0)` … `act(times - 1)` behind one gate; each one's result, or the exception it raised."""
    gate = threading.Barrier(times)
    outcomes: list[T | Exception] = [RuntimeError("did not run")] * times

    def run(number: int) -> None:
        gate.wait()
        try:
            outcomes[number] = act(number)
        except Exception as error:
            outcomes[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
