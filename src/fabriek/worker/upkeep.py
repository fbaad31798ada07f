"""What must be done now and then: number the audit log, close grants that no rule allows any more, go on with rotations and erasures,
forget old answers and what was sent and never finished, care for the store, keep a cluster's accounts in step.
"""

import logging
import threading
from datetime import timedelta

from fabriek.kernel.callers import SYSTEM
from fabriek.kernel.errors import FabriekError
from fabriek.web.idempotency import KEPT_FOR
from fabriek.web.services import Services
from fabriek.worker.caring import Care
from fabriek.worker.closing import Closer
from fabriek.worker.rhythm import Rhythm

log = logging.getLogger("fabriek.worker")


class Upkeep:
    """Each chore at its own pace."""

    def __init__(self, services: Services) -> None:
        self._services, self._care, self._closer = services, Care(services), Closer(services)
        self._sequencing = Rhythm(services.clock, 0.5)
        self._cleaning = Rhythm(services.clock, timedelta(minutes=5).total_seconds())
        self._keeping = Rhythm(services.clock, 30.0)
        self._clearing = Rhythm(services.clock, timedelta(hours=1).total_seconds())
        self._syncing = Rhythm(services.clock, timedelta(minutes=5).total_seconds())

    def close(self) -> None:
        self._care.close()
        self._closer.close()

    def round(self) -> None:
        services = self._services
        if self._sequencing.due():
            services.audit.sequence()
            services.vault.forget_keys()
        self._closer.round()
        if self._keeping.due() and not services.seal.is_sealed():
            services.vault.erasing.erase_overdue()
            services.vault.rotating.go_on()
        if not services.seal.is_sealed():
            self._care.round()
        if self._cleaning.due():
            services.vault.end_stale_grants()
            services.vault.arriving.forget_overdue()
            services.identity.forget_expired()
            with services.database.transaction():
                services.answers.forget(before=services.clock.now() - KEPT_FOR)
        if services.vault.at_store and self._clearing.due():
            # Beside the round: a store that is silent keeps no job from starting.
            threading.Thread(target=self._clear, name="fabriek-clearing", daemon=True).start()
        # Last, since a cluster that is away keeps nothing else from being done.
        if services.settings.slurm_accounts and self._syncing.due():
            services.cluster_accounts.sync(by=SYSTEM)

    def _clear(self) -> None:
        try:
            self._services.vault.clear_arrivals()
        except FabriekError as error:
            log.warning("what never became an object is cleared later: %s", error.detail)
