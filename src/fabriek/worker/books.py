"""Waiting for the machine's own accounts before a job is settled, where it keeps any."""

from collections.abc import Sequence
from datetime import timedelta

from fabriek.compute.executors.accounts import Account
from fabriek.compute.executors.contract import KeepsAccounts
from fabriek.compute.jobs import Job, State
from fabriek.compute.progress import handle_of
from fabriek.kernel.errors import NotFound, Unavailable
from fabriek.web.services import Services
from fabriek.worker.rhythm import Rhythm

ASK_SECONDS = 1.0
PATIENCE = timedelta(minutes=10)
"""Accounts that are silent for longer do not keep a project from its credits: what the supervisor wrote is charged."""


class Books:
    """Asks for all jobs in one question, and at most once a second."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._rhythm = Rhythm(services.clock, ASK_SECONDS)

    def closed(self, jobs: Sequence[Job]) -> list[tuple[Job, Account | None]]:
        """Those that can be settled now, each with what the accounts say of its latest attempt; None where they say nothing, or nothing
        depends on it.
        """
        executor = self._services.executor
        billed = [job for job in jobs if job.use.ran_seconds or job.state is State.LOST]
        if not isinstance(executor, KeepsAccounts) or not billed:
            return [(job, None) for job in jobs]
        said = self._asked(executor, billed) if self._rhythm.due() else {}
        if said is None:
            return [(job, None) for job in jobs]
        waiting = {job.id for job in billed if job.id not in said and self._may_wait(job)}
        return [(job, said.get(job.id)) for job in jobs if job.id not in waiting]

    def _asked(self, executor: KeepsAccounts, jobs: Sequence[Job]) -> dict[str, Account] | None:
        """None where no accounts are kept."""
        try:
            found = executor.accounts([handle_of(job) for job in jobs])
        except NotFound:
            return None
        except Unavailable:
            return {}
        return {job.id: account for job, account in zip(jobs, found, strict=True) if account is not None}

    def _may_wait(self, job: Job) -> bool:
        assert job.changed_at is not None, f"{job.id} ended, and nobody wrote when"
        return self._services.clock.now() - job.changed_at < PATIENCE
