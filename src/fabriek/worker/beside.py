"""What the worker does beside its rounds, in a thread of its own: it takes long, and no job waits for it to start."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from fabriek.kernel.errors import FabriekError

log = logging.getLogger("fabriek.worker")

Act = Callable[[], object]


class Beside:
    """One turn at a time; while one goes on, none is begun. `stop` is set for those that can end between two steps."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"fabriek-{name}")
        self._going: Future[object] | None = None
        self.stop = threading.Event()

    def is_free(self) -> bool:
        return self._going is None or self._going.done()

    def begin(self, turn: Act) -> None:
        """For whoever found it free."""
        self._going = self._pool.submit(turn)

    def wait(self) -> bool:
        """Returns once the turn that was begun last has ended; whether there was one."""
        if self._going is not None:
            self._going.result()
        return self._going is not None

    def close(self) -> None:
        """Returns after the step that is going on; the next start goes on with the rest."""
        self.stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)


def tried(what: str, act: Act) -> bool:
    """Whether it was done; what went wrong stands in the log, and the next turn tries again."""
    try:
        act()
    except FabriekError as error:
        log.warning("%s: %s", what, error.detail)
    except Exception:
        log.exception("%s failed; the next round tries again", what)
    else:
        return True
    return False
