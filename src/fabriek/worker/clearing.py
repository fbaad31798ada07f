"""Clearing away what was sent and never finished, and what was erased, in a thread of its own since stores are slow: no job waits for it."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

from fabriek.kernel.errors import FabriekError
from fabriek.web.services import Services
from fabriek.worker.rhythm import Rhythm

log = logging.getLogger("fabriek.worker")


class Clearing:
    """One act at a time. Any number of workers may do this; each act is idempotent."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="fabriek-clearing")
        self._going: Future[None] | None = None
        self._stop = threading.Event()
        self._forgetting = Rhythm(services.clock, timedelta(minutes=5).total_seconds())
        self._clearing = Rhythm(services.clock, timedelta(hours=1).total_seconds())
        self._sweeping = Rhythm(services.clock, 30.0)

    def round(self) -> bool:
        """Begins what is due; whether anything was begun."""
        if self._going is not None and not self._going.done():
            return False
        acts = dict[str, Callable[[], None]]()
        if self._forgetting.due():
            acts["forget files that nobody went on with"] = self.forget
        if not self._services.seal.is_sealed() and self._sweeping.due():
            acts["sweep what was erased"] = self._services.vault.erasing.sweep
        if self._services.vault.at_store and self._clearing.due():
            acts["clear what never became an object"] = self._services.vault.clear_arrivals
        if acts:
            self._going = self._pool.submit(self._clear, acts)
        return bool(acts)

    def close(self) -> None:
        """Stops after the part that is going on; the next start goes on with the rest."""
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def forget(self) -> None:
        while not self._stop.is_set() and self._services.vault.arriving.forget_overdue():
            continue

    def _clear(self, acts: dict[str, Callable[[], None]]) -> None:
        for what, act in acts.items():
            try:
                act()
            except FabriekError as error:
                log.warning("%s: %s", what, error.detail)
            except Exception:
                log.exception("%s failed; the next round tries again", what)
