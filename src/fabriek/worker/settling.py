"""After the end: the log sealed, the run closed, the real use charged, the origin signed, the room given back.

Each step is idempotent and the job is marked settled last, so that a worker killed anywhere in between is followed by one that finishes.
"""

from fabriek.assurance.statements import JobFacts
from fabriek.compute.executors.accounts import Account
from fabriek.compute.jobs import Job, State
from fabriek.compute.progress import handle_of
from fabriek.web.services import Services
from fabriek.worker.books import Books


def queue_again(services: Services, books: Books | None = None) -> int:
    """Collects what suspended jobs left and puts them back into the queue; how many."""
    suspended = (books or Books(services)).closed(services.progress.to_queue_again())
    for job, account in suspended:
        log = services.logs.seal(job)
        services.job_secrets.end(job.id)
        services.progress.queue_again(job.id, log, account)
        services.executor.release(handle_of(job))
    return len(suspended)


def settle_jobs(services: Services, books: Books | None = None) -> int:
    """Settles every job that has ended and is not settled yet, as soon as the machine's accounts of it are closed; how many."""
    ended = (books or Books(services)).closed(services.progress.unsettled())
    for job, account in ended:
        settle(services, job, account)
    return len(ended)


def settle(services: Services, job: Job, account: Account | None = None) -> None:
    """What is sealed and signed comes first, then one transaction with all that is written down, then the machine forgets the job."""
    log = services.logs.kept(job) if job.started_at is not None else ""
    if job.state is State.SUCCEEDED and may_have_left(services, job):
        services.assurance.state(facts_of(services, job))
    with services.database.transaction(alone=f"job:{job.id}"):
        if job.run:
            services.lab.close_run(job.run, "FINISHED" if job.state is State.SUCCEEDED else "FAILED")
        services.job_secrets.end(job.id)
        services.vault.end_job(job.id)
        services.progress.settle(job.id, account, log=log)
    services.executor.release(handle_of(job))  # also one that never ran: its inputs may have been opened


def may_have_left(services: Services, job: Job) -> bool:
    """Whether there can be anything for a statement to be about: an output, of an earlier attempt too, or a model of its run."""
    return bool(job.output or job.attempts > 1 or (job.run and services.registry.models_of_run(job.run)))


def facts_of(services: Services, job: Job) -> JobFacts:
    """What the statement says of the job: inputs, code and environment by hash, and what came out."""
    return JobFacts(
        job=job.id,
        project=job.project,
        run=job.run,
        argv=job.argv,
        environment_hash=job.environment_hash,
        code=services.vault.reference(job.code) if job.code else None,
        inputs=tuple(services.vault.reference(one.version_id) for one in job.inputs),
        outputs=services.vault.outputs_of_job(job.id),
        models=services.registry.models_of_run(job.run) if job.run else (),
        params=tuple(services.lab.params_of_run(job.run)) if job.run else (),
        started_at=job.started_at,
        ended_at=job.ended_at,
        label=job.label,
        reached=_reached(services, job) if job.terms.hosts else (),
        base_models=services.base_models.of_job(job.id),
        served=_served(job),
    )


def _served(job: Job) -> tuple[str, str, str] | None:
    serves = job.terms.serves
    return (str(serves), serves.sha256, serves.label) if serves else None


def _reached(services: Services, job: Job) -> tuple[tuple[str, int], ...]:
    """Which of the hosts that it named, and how often: its node counted, and keeps it until the job is released."""
    return tuple(sorted(services.executor.poll([handle_of(job)])[0].reached.items()))
