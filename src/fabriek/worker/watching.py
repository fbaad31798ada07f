"""Looking how the jobs are that were started, and writing down what changed."""

from fabriek.web.services import Services


def watch_jobs(services: Services) -> int:
    """One look at every started job, those of before a restart among them; how many changed."""
    started = services.compute.started()
    if not started:
        return 0
    handles = [services.compute.handle(job) for job in started]
    changed = 0
    for job, observed in zip(started, services.executor.poll(handles), strict=True):
        changed += services.compute.observe(job.id, observed)
    return changed
