"""Fetching what was asked for, so that it can be looked through: from the operator's index or folder, beside the rounds."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fabriek.kernel.callers import SYSTEM
from fabriek.kernel.errors import FabriekError
from fabriek.packages.fetching import Fetcher
from fabriek.packages.names import normalised
from fabriek.packages.requests import Request
from fabriek.web.services import Services

log = logging.getLogger("fabriek.worker")

AT_ONCE = 2
PIECE_BYTES = 2**20


class Fetching:
    """Brings the files of requests. Two workers that fetch the same bring the same: the second finds it kept."""

    def __init__(self, services: Services, fetcher: Fetcher, wake: Callable[[], None]) -> None:
        self._services, self._fetcher, self._wake = services, fetcher, wake
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fabriek-fetch")
        self._going: set[str] = set()
        self._lock, self._stop = threading.Lock(), threading.Event()

    def round(self) -> int:
        """Begins what waits; how many. Nothing where there is nowhere to look: then an operator brings the files."""
        if not self._fetcher.can:
            return 0
        begun = 0
        for request in self._services.packages.to_fetch():
            with self._lock:
                if request.id in self._going:
                    continue
                self._going.add(request.id)
            self._pool.submit(self._fetch, request)
            begun += 1
        return begun

    def close(self) -> None:
        """Stops what is going on; the next start takes it up again."""
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _fetch(self, request: Request) -> None:
        packages = self._services.packages
        try:
            with self._fetcher.fetch(request.package, self._stop) as fetched:
                for file in fetched.files:
                    yanked = normalised(file.name.partition("-")[0]) in fetched.yanked
                    packages.take(request.id, file.name, _pieces(file), yanked=yanked, by=SYSTEM)
            packages.ready(request.id, by=SYSTEM)
        except FabriekError as error:
            if not self._stop.is_set():
                packages.in_trouble(request.id, error.detail)
        except Exception:
            log.exception("request %s could not be fetched", request.id)
            packages.in_trouble(request.id, "a fault of Fabriek kept it from being fetched; it is in the server's log")
        finally:
            with self._lock:
                self._going.discard(request.id)
            self._wake()


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(PIECE_BYTES):
            yield piece
