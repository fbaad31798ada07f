"""When those that wait will probably start, foretold anew every minute, beside the worker's rounds: no decision waits for a forecast."""

from fabriek.web.services import Services
from fabriek.worker.beside import Beside, tried
from fabriek.worker.rhythm import Rhythm

LOOK_SECONDS = 60.0


class Foretells:
    """Any number of workers may do this; each act is idempotent."""

    def __init__(self, services: Services) -> None:
        self._services, self.beside = services, Beside("forecasts")
        self._looking = Rhythm(services.clock, LOOK_SECONDS)

    def round(self) -> bool:
        """Begins a turn when it is time; whether it was begun."""
        if not self.beside.is_free() or not self._looking.due():
            return False
        self.beside.begin(lambda: tried("foretell starts", self._services.foretelling.round))
        return True
