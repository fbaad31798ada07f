"""Closing what no rule allows any more, in a thread of its own: with much open a round takes longer than a job should wait to start."""

import logging
from concurrent.futures import Future, ThreadPoolExecutor

from fabriek.kernel.errors import FabriekError
from fabriek.web.services import Services
from fabriek.worker.rhythm import Rhythm

log = logging.getLogger("fabriek.worker")

CLOSING_SECONDS = 20.0
"""Between rounds of closing. What an agreement opened is closed within a minute of its end, mounts on nodes too: those look every twenty
seconds themselves, and what is left is room for a long round.
"""


class Closer:
    """One round at a time. Any number of workers may do this; each act is idempotent."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="fabriek-close")
        self._going: Future[None] | None = None
        self._closing = Rhythm(services.clock, CLOSING_SECONDS)

    def round(self) -> bool:
        """Begins one when it is time; whether it was begun."""
        if self._going is not None and not self._going.done():
            return False
        if not self._closing.due():
            return False
        self._going = self._pool.submit(self._close)
        return True

    def close(self) -> None:
        """Returns once the round that is going on has ended."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _close(self) -> None:
        try:
            self._services.vault.close_what_ended()
        except FabriekError as error:
            log.warning("close what ended: %s", error.detail)
        except Exception:
            log.exception("closing what ended failed; the next round tries again")
