"""What a job is charged for where the machine keeps accounts of its own.

It is the time that the supervisor wrote, from the first instant of the command to its last: opening inputs and sealing results are the
factory's. The accounts hold the whole batch job, so they are the larger; where they are the smaller a clock jumped or somebody wrote what was
not so, and the smaller is charged. What vanished left no end: there the accounts say when. Where the machine lost it,
nothing is charged at all: there is nothing to show for it.
"""

from dataclasses import replace

from fabriek.compute.executors.accounts import Account
from fabriek.compute.jobs import Job, State

WHOLE_SECONDS = 1.0
"""Accounts count whole seconds: from the last instant of one to the first of another they may lack so much."""


def accounted(job: Job, account: Account) -> Job:
    """The job with its latest attempt bounded by the accounts of it."""
    bound = account.elapsed_seconds + WHOLE_SECONDS
    if job.state is State.LOST:
        job = _with_its_end(job, account)
        if job.started_at is not None:
            bound = min(bound, (account.ended_at - job.started_at).total_seconds() + WHOLE_SECONDS)
    use = job.use
    over = max(0.0, use.ran_seconds - max(0.0, bound))
    lost = job.state is State.LOST
    return replace(
        job,
        ran_seconds=job.ran_seconds - over,
        use=replace(
            use,
            cpu_seconds=use.cpu_seconds + (account.cpu_seconds if lost else 0.0),
            memory_bytes_peak=max(use.memory_bytes_peak, account.memory_bytes_peak if lost else 0),
            account=account,
        ),
    )


OWN_FAULT = frozenset({"CANCELLED", "OUT_OF_MEMORY", "TIMEOUT", "DEADLINE"})
"""Words of a machine's accounts for an end that the job, or somebody, brought about. Source: sacct of Slurm, JOB STATE CODES."""


def was_lost_by_the_machine(job: Job, *, walls: bool) -> bool:
    """Whether it owes nothing for what it ran: it vanished, and by no fault of its own or of whoever sent it.

    walls: whether jobs run within walls. A job without them could end its own supervisor just before its end, and be free.
    """
    account = job.use.account
    blamed = account is not None and (bool(account.cancelled_by) or account.state.partition(" ")[0] in OWN_FAULT)
    return job.state is State.LOST and walls and not blamed


def _with_its_end(job: Job, account: Account) -> Job:
    """When it ended, and who ended it: what we saw was only that it is gone."""
    reason = f"its batch job {account.batch_job} was cancelled by {account.cancelled_by}" if account.cancelled_by else job.reason  # fmt: skip
    began = job.started_at or job.submitted_at
    return replace(job, reason=reason, ended_at=max(began, account.ended_at))
