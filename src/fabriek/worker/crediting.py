"""What becomes of credits by themselves, beside the worker's rounds: each turn looks at every allocation, and no job waits for that to start."""

from fabriek.web.services import Services
from fabriek.worker.beside import Beside, tried
from fabriek.worker.rhythm import Rhythm

LOOK_SECONDS = 60.0
"""Between turns. How often a meter is read, the policy says."""


class Crediting:
    """Any number of workers may do this; each act is idempotent."""

    def __init__(self, services: Services) -> None:
        self._services, self.beside = services, Beside("credits")
        self._looking = Rhythm(services.clock, LOOK_SECONDS)

    def round(self) -> bool:
        """Begins a turn when it is time; whether it was begun."""
        if not self.beside.is_free() or not self._looking.due():
            return False
        self.beside.begin(self._turn)
        return True

    def _turn(self) -> None:
        services = self._services
        for what, act in (
            ("keep quarters", services.giving.keep_quarters),
            ("read storage", services.metering.read_storage),
            ("settle tokens", services.admitting.settle_tokens),
            ("pay debts", services.metering.pay_debts),
            ("give back what ended allocations have left", services.ending.give_back_rests),
            ("follow credits", services.running_out.round),
        ):
            if self.beside.stop.is_set():
                return
            tried(what, act)
