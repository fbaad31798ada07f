"""Reading the catalogues elsewhere that were not read for a day, one after the other, beside the worker's rounds."""

from functools import partial

from fabriek.kernel.callers import SYSTEM
from fabriek.web.services import Services
from fabriek.worker.beside import Beside, tried
from fabriek.worker.rhythm import Rhythm

LOOK_SECONDS = 60.0


class Harvester:
    """Any number of workers may do this; each act is idempotent."""

    def __init__(self, services: Services) -> None:
        self._services, self.beside = services, Beside("harvest")
        self._looking = Rhythm(services.clock, LOOK_SECONDS)

    def round(self) -> bool:
        """Begins a turn when it is time and a source is due; whether it was begun."""
        if not self.beside.is_free() or not self._looking.due() or not self._services.harvesting.due(by=SYSTEM):
            return False
        self.beside.begin(self._turn)
        return True

    def _turn(self) -> None:
        for source in self._services.harvesting.due(by=SYSTEM):
            if self.beside.stop.is_set():
                return
            tried("read a catalogue elsewhere", partial(self._services.harvesting.run, source.id, by=SYSTEM))
