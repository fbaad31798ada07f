"""What must be done now and then: number the audit log, close grants that no rule allows any more, go on with rotations and erasures,
note when credentials were last used, end terms of classes, award what waits, follow credits, foretell starts, keep the catalogue in step with
what is offered, read catalogues elsewhere, forget old answers and what was sent and never finished, care for the store, keep a cluster's
accounts in step.
"""

from datetime import timedelta

from fabriek.kernel.callers import SYSTEM
from fabriek.web.idempotency import KEPT_FOR
from fabriek.web.services import Services
from fabriek.worker.affiliations import Affiliating
from fabriek.worker.beside import tried
from fabriek.worker.caring import Care
from fabriek.worker.clearing import Clearing
from fabriek.worker.closing import Closer
from fabriek.worker.crediting import Crediting
from fabriek.worker.foretelling import Foretells
from fabriek.worker.harvesting import Harvester
from fabriek.worker.reading import Reading
from fabriek.worker.rhythm import Rhythm
from fabriek.worker.shelving import shelve
from fabriek.worker.terms import end_terms


class Upkeep:
    """Each chore at its own pace."""

    def __init__(self, services: Services) -> None:
        self._services, self._care = services, Care(services)
        self._clearing, self._closer = Clearing(services), Closer(services)
        self._affiliating, self._crediting = Affiliating(services), Crediting(services)
        self._sequencing = Rhythm(services.clock, 0.5)
        self._cleaning = Rhythm(services.clock, timedelta(minutes=5).total_seconds())
        self._keeping = Rhythm(services.clock, 30.0)
        self._noting = Rhythm(services.clock, 30.0)
        self._reviewing, self._teaching = Rhythm(services.clock, 10.0), Rhythm(services.clock, 60.0)
        self._foretelling, self._meaning = Foretells(services), Reading(services)
        self._harvesting = Harvester(services)
        self._counting = Rhythm(services.clock, 60.0)
        self._shelving = Rhythm(services.clock, timedelta(hours=1).total_seconds())
        self._following = Rhythm(services.clock, 2.0)
        self._syncing = Rhythm(services.clock, timedelta(minutes=5).total_seconds())

    def close(self) -> None:
        self._care.beside.close()
        self._clearing.beside.close()
        self._closer.beside.close()
        self._affiliating.beside.close()
        self._crediting.beside.close()
        self._foretelling.beside.close()
        self._meaning.beside.close()
        self._harvesting.beside.close()

    def round(self) -> None:
        """A chore that fails keeps no other from being done."""
        services = self._services
        if self._sequencing.due():
            tried("number the log", services.audit.sequence)
            tried("forget keys", services.vault.forget_keys)
        tried("close what ended", self._closer.round)
        if self._teaching.due():
            tried("end terms", lambda: end_terms(services))
        if self._noting.due():
            tried("note uses", services.identity.keep_uses)
        tried("look at affiliations", self._affiliating.round)
        tried("follow credits", self._crediting.round)
        tried("foretell starts", self._foretelling.round)
        tried("read the catalogue", self._meaning.round)
        tried("read catalogues elsewhere", self._harvesting.round)
        self._mind_the_money()
        if self._shelving.due():
            tried("keep the catalogue in step", lambda: shelve(services))
        if self._keeping.due() and not services.seal.is_sealed():
            tried("let go who left", services.joining.leavers.close_what_waits)
            tried("erase", lambda: services.vault.erasing.erase_overdue(sweeps=False))
            tried("rotate", services.vault.rotating.go_on)
        if not services.seal.is_sealed():
            tried("care for the store", self._care.round)
        if self._cleaning.due():
            self._clean()
        tried("clear", self._clearing.round)
        # Last, since a cluster that is away keeps nothing else from being done.
        if services.settings.slurm_accounts:
            self._keep_cluster_in_step()

    def _mind_the_money(self) -> None:
        services = self._services
        if self._counting.due():
            tried("keep the policy's days", services.changing.keep_days)
        if self._reviewing.due():
            tried("raise alarms", services.reviewing.alarms)
            tried("award what waits", lambda: services.awarding.award_waiting(by=SYSTEM))

    def _clean(self) -> None:
        services = self._services
        tried("end stale grants", services.vault.end_stale_grants)
        tried("forget what expired", services.identity.forget_expired)
        tried("forget logins that were begun", services.by_provider.forget_expired)
        tried("forget guesses", services.throttle.forget_old)
        tried("let invitations expire", services.joining.inviting.expire)
        tried("open reviews of access", services.joining.quarterly.open_due)
        tried("remind of reports", services.duties.reminding.remind)
        if not services.seal.is_sealed():
            tried("close reviews of access", services.joining.quarterly.close_due)
        if services.relay.host:
            tried("remind of reviews of access", services.joining.reminding.write_due)
        tried("forget answers", self._forget_answers)

    def _forget_answers(self) -> None:
        services = self._services
        with services.database.transaction():
            services.answers.forget(before=services.clock.now() - KEPT_FOR)

    def _keep_cluster_in_step(self) -> None:
        accounts = self._services.cluster_accounts
        if self._syncing.due():
            accounts.sync(by=SYSTEM)
        elif self._following.due():
            accounts.follow()
