"""Asking identity providers about people who have something open, beside the worker's rounds: providers are far away."""

from fabriek.web.services import Services
from fabriek.worker.beside import Beside, tried
from fabriek.worker.rhythm import Rhythm

ASKING_SECONDS = 30.0
"""Between rounds. Who is let go has nothing open within a minute: tokens and sessions end at once, grants by the next round of closing."""


class Affiliating:
    """Any number of workers may do this: each claims whom it asks about."""

    def __init__(self, services: Services) -> None:
        self._services, self.beside = services, Beside("affiliations")
        self._asking = Rhythm(services.clock, ASKING_SECONDS)

    def round(self) -> bool:
        """Begins a turn when it is time; whether it was begun."""
        if self._services.seal.is_sealed() or not self.beside.is_free() or not self._asking.due():
            return False
        self.beside.begin(lambda: tried("ask about affiliations", self._services.by_provider.affiliations.round))
        return True
