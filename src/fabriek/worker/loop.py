"""The rounds of the worker: watch, decide, start, settle, keep up. Any number of workers may run; each act is idempotent."""

import gc
import logging
import threading
from collections.abc import Callable

from fabriek.compute.executors.contract import Tells
from fabriek.kernel.errors import FabriekError
from fabriek.packages.fetching import Fetcher
from fabriek.web.services import Services
from fabriek.worker.admission import admit_jobs
from fabriek.worker.books import Books
from fabriek.worker.fetching import Fetching
from fabriek.worker.notifying import Messenger
from fabriek.worker.powering import Powering
from fabriek.worker.settling import queue_again, settle_jobs
from fabriek.worker.starting import Starter
from fabriek.worker.upkeep import Upkeep
from fabriek.worker.watching import watch_jobs

log = logging.getLogger("fabriek.worker")

BUSY_SECONDS = 0.05
"""Between rounds while jobs run: how late their end may be seen."""

TOLD_SECONDS = 0.2
"""The same where the executor tells of ends: how late it may be seen that a job runs."""

AWAY_SECONDS_MAX = 0.2
"""After a round we are away for as long as its decision took, but no longer than this: a long queue that is added to all the time would
have us decide all the time, and whoever adds to it waits for us.
"""


def settle_memory() -> None:
    """What a server has made when it begins is there until it stops: it need not be looked through again each time that a long queue was read."""
    gc.collect()
    gc.freeze()


class Worker:
    """Runs rounds in one thread until it is stopped. `wake` ends a pause at once."""

    def __init__(self, services: Services, starter: Starter, wake: threading.Event) -> None:
        self._services, self._starter, self._wake = services, starter, wake
        self._upkeep, self._messenger = Upkeep(services), Messenger(services)
        self._powering = Powering(services)
        self._ended, self._suspended = Books(services), Books(services)
        settings = services.settings
        fetcher = Fetcher(settings.packages_upstream, settings.packages_folder, settings.job_python)
        self._fetching = Fetching(services, fetcher, wake.set)
        self._busy_seconds, self._decided_seconds = BUSY_SECONDS, 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fabriek-worker", daemon=True)

    def start(self) -> None:
        settle_memory()
        executor = self._services.executor
        if isinstance(executor, Tells):
            executor.when_changed(self._wake.set)
            self._busy_seconds = TOLD_SECONDS
        self._thread.start()

    def stop(self) -> None:
        """Returns once the round that is going on has ended; jobs go on without us."""
        self._stop.set()
        self._wake.set()
        self._thread.join()
        self._starter.close()
        self._messenger.close()
        self._fetching.close()
        self._upkeep.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            busy = self.round()
            self._stop.wait(min(self._decided_seconds, AWAY_SECONDS_MAX))
            self._wake.wait(self._busy_seconds if busy else self._services.settings.worker_poll_seconds)
            self._wake.clear()

    def round(self) -> bool:
        """One round of everything; whether any job is between its start and its end. One kind of work failing stops no other."""
        services = self._services
        self._do("watch", lambda: watch_jobs(services))
        self._do("queue again", lambda: queue_again(services, self._suspended))
        self._do("mind power", self._powering.guard)
        # Those that wait go on before those that have ended are settled: their room is free, and settling takes a while.
        begun = services.clock.monotonic()
        self._do("admit", lambda: admit_jobs(services))
        self._decided_seconds = services.clock.monotonic() - begun
        busy = self._do("start", self._starter.start_jobs)
        self._do("settle", lambda: settle_jobs(services, self._ended))
        self._do("record power", self._powering.record)
        self._do("notify", self._messenger.round)
        self._do("fetch packages", self._fetching.round)
        self._do("upkeep", self._upkeep.round)
        return bool(busy)

    def _do(self, name: str, work: Callable[[], object]) -> object:
        try:
            return work()
        except FabriekError as error:
            log.warning("%s: %s", name, error.detail)
        except Exception:
            log.exception("%s failed; the next round tries again", name)
        return None
