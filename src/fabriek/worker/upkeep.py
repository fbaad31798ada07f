"""What must be done now and then: number the audit log, close grants that no rule allows any more, go on with rotations and erasures,
note when credentials were last used, end terms of classes, follow the credits of projects, forget old answers and what was sent and never
finished, care for the store, keep a cluster's accounts in step.
note when credentials were last used, end terms of classes, forget old answers and what was sent and never finished, care for the
store, read what is metered, keep a cluster's accounts in step.
"""

from datetime import timedelta

from fabriek.kernel.callers import SYSTEM
from fabriek.web.idempotency import KEPT_FOR
from fabriek.web.services import Services
from fabriek.worker.affiliations import Affiliating
from fabriek.worker.caring import Care
from fabriek.worker.clearing import Clearing
from fabriek.worker.closing import Closer
from fabriek.worker.metering import Meter
from fabriek.worker.rhythm import Rhythm
from fabriek.worker.terms import end_terms


class Upkeep:
    """Each chore at its own pace."""

    def __init__(self, services: Services) -> None:
        self._services, self._care = services, Care(services)
        self._clearing, self._closer = Clearing(services), Closer(services)
        self._affiliating, self._meter = Affiliating(services), Meter(services)
        self._sequencing = Rhythm(services.clock, 0.5)
        self._cleaning = Rhythm(services.clock, timedelta(minutes=5).total_seconds())
        self._keeping = Rhythm(services.clock, 30.0)
        self._noting = Rhythm(services.clock, 30.0)
        self._reviewing, self._teaching = Rhythm(services.clock, 10.0), Rhythm(services.clock, 60.0)
        self._counting = Rhythm(services.clock, 60.0)
        self._spending = Rhythm(services.clock, 60.0)
        self._following = Rhythm(services.clock, 2.0)
        self._syncing = Rhythm(services.clock, timedelta(minutes=5).total_seconds())

    def close(self) -> None:
        self._care.beside.close()
        self._clearing.beside.close()
        self._closer.beside.close()
        self._affiliating.beside.close()
        self._meter.beside.close()

    def round(self) -> None:
        services = self._services
        if self._sequencing.due():
            services.audit.sequence()
            services.vault.forget_keys()
        self._closer.round()
        if self._teaching.due():
            end_terms(services)
        if self._counting.due():
            services.changing.keep_days()
            services.giving.keep_quarters()
            services.ending.give_back_rests()
        if self._noting.due():
            services.identity.keep_uses()
        self._affiliating.round()
        self._meter.round()
        if self._reviewing.due():
            services.reviewing.alarms()
            services.funding.award_waiting(by=SYSTEM)
        self._follow_credits()
        if self._keeping.due() and not services.seal.is_sealed():
            services.joining.leavers.close_what_waits()
            services.vault.erasing.erase_overdue(sweeps=False)
            services.vault.rotating.go_on()
        if not services.seal.is_sealed():
            self._care.round()
        if self._cleaning.due():
            self._clean()
        self._clearing.round()
        # Last, since a cluster that is away keeps nothing else from being done.
        if services.settings.slurm_accounts:
            self._keep_cluster_in_step()

    def _follow_credits(self) -> None:
        if self._spending.due():
            self._services.running_out.round()

    def _clean(self) -> None:
        services = self._services
        services.vault.end_stale_grants()
        services.identity.forget_expired()
        services.by_provider.forget_expired()
        services.throttle.forget_old()
        services.joining.inviting.expire()
        services.joining.quarterly.open_due()
        services.duties.reminding.remind()
        if not services.seal.is_sealed():
            services.joining.quarterly.close_due()
        if services.relay.host:
            services.joining.reminding.write_due()
        with services.database.transaction():
            services.answers.forget(before=services.clock.now() - KEPT_FOR)

    def _keep_cluster_in_step(self) -> None:
        accounts = self._services.cluster_accounts
        if self._syncing.due():
            accounts.sync(by=SYSTEM)
        elif self._following.due():
            accounts.follow()
