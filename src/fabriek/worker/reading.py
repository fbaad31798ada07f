"""Reading new entries of the catalogue for their meaning, beside the worker's rounds: a page of them takes a second of a processor."""

from fabriek.web.services import Services
from fabriek.worker.beside import Beside, tried
from fabriek.worker.rhythm import Rhythm

LOOK_SECONDS = 2.0


class Reading:
    """Any number of workers may do this; an entry that two read is kept once."""

    def __init__(self, services: Services) -> None:
        self._services, self.beside = services, Beside("meaning")
        self._looking = Rhythm(services.clock, LOOK_SECONDS)

    def round(self) -> bool:
        """Begins a turn when it is time; whether it was begun."""
        if not self._services.meaning.is_on or not self.beside.is_free() or not self._looking.due():
            return False
        self.beside.begin(lambda: tried("read the catalogue", self._read))
        return True

    def _read(self) -> None:
        """Until nothing is left, or the server stops."""
        while not self.beside.stop.is_set() and self._services.meaning.read_some():
            pass
