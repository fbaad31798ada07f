"""Looking how the jobs are that were started, and writing down what changed."""

from fabriek.compute.executors.contract import Hears
from fabriek.compute.progress import handle_of, says_more
from fabriek.schemas.node import PREEMPT
from fabriek.web.services import Services


def watch_jobs(services: Services) -> int:
    """One look at every started job, those of before a restart among them; how many changed."""
    started = services.progress.started()
    if not started:
        return 0
    handles = [handle_of(job) for job in started]
    for job, handle in zip(started, handles, strict=True):
        if job.cancelling:
            services.executor.cancel(handle)
        elif job.preempting and isinstance(services.executor, Hears):
            services.executor.tell(handle, PREEMPT)
    changed = 0
    for job, observed in zip(started, services.executor.poll(handles), strict=True):
        if says_more(job, observed):
            changed += services.progress.observe(job.id, observed)
    return changed
