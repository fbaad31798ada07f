"""Closing what no rule allows any more, keys to served models among it, beside the worker's rounds: with much open it takes longer than a
job should wait to start.
"""

from fabriek.web.services import Services
from fabriek.worker.beside import Beside, tried
from fabriek.worker.rhythm import Rhythm

CLOSING_SECONDS = 20.0
"""Between rounds of closing. What an agreement opened is closed within a minute of its end, mounts on nodes too: those look every twenty
seconds themselves, and what is left is room for a long round.
"""


class Closer:
    """Any number of workers may do this; each act is idempotent."""

    def __init__(self, services: Services) -> None:
        self._services, self.beside = services, Beside("close")
        self._closing = Rhythm(services.clock, CLOSING_SECONDS)

    def round(self) -> bool:
        """Begins a turn when it is time; whether it was begun."""
        if not self.beside.is_free() or not self._closing.due():
            return False
        self.beside.begin(self._close)
        return True

    def _close(self) -> None:
        tried("close what ended", self._services.vault.close_what_ended)
        tried("end the keys of who left", self._services.admitting.end_of_who_left)
