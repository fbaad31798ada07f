"""Clearing away what was sent and never finished, and what was erased, in a thread of its own since stores are slow: no job waits for it."""

from datetime import timedelta

from fabriek.web.services import Services
from fabriek.worker.beside import Act, Beside, tried
from fabriek.worker.rhythm import Rhythm


class Clearing:
    """Any number of workers may do this; each act is idempotent."""

    def __init__(self, services: Services) -> None:
        self._services, self.beside = services, Beside("clearing")
        self._forgetting = Rhythm(services.clock, timedelta(minutes=5).total_seconds())
        self._clearing = Rhythm(services.clock, timedelta(hours=1).total_seconds())
        self._sweeping = Rhythm(services.clock, 30.0)

    def round(self) -> bool:
        """Begins what is due; whether anything was begun."""
        if not self.beside.is_free():
            return False
        acts = dict[str, Act]()
        if self._forgetting.due():
            acts["forget files that nobody went on with"] = self.forget
        if not self._services.seal.is_sealed() and self._sweeping.due():
            acts["sweep what was erased"] = self._services.vault.erasing.sweep
        if self._services.vault.at_store and self._clearing.due():
            acts["clear what never became an object"] = self._services.vault.clear_arrivals
        if acts:
            self.beside.begin(lambda: [tried(what, act) for what, act in acts.items()])
        return bool(acts)

    def forget(self) -> None:
        while not self.beside.stop.is_set() and self._services.vault.arriving.forget_overdue():
            continue
