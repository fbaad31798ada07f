"""Reading what nobody submits, beside the worker's rounds: a store with many objects takes longer than a job should wait to start."""

from fabriek.web.services import Services
from fabriek.worker.beside import Beside, tried
from fabriek.worker.rhythm import Rhythm

METER_SECONDS = 60.0
"""Between looks whether anything is to be read. How often it is, the policy says."""


class Meter:
    """Any number of workers may do this; each act is idempotent."""

    def __init__(self, services: Services) -> None:
        self._services, self.beside = services, Beside("meter")
        self._looking = Rhythm(services.clock, METER_SECONDS)

    def round(self) -> bool:
        """Begins a turn when it is time; whether it was begun."""
        if not self.beside.is_free() or not self._looking.due():
            return False
        self.beside.begin(self._read)
        return True

    def _read(self) -> None:
        tried("read storage", self._services.metering.read_storage)
        tried("settle tokens", self._services.admitting.settle_tokens)
        tried("pay debts", self._services.metering.pay_debts)
