"""Looking how the jobs are that were started, and writing down what changed."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from fabriek.compute.executors.contract import Executor, Handle, Hears, ObservedState
from fabriek.compute.progress import handle_of, says_more
from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.node import PREEMPT
from fabriek.web.services import Services

log = logging.getLogger("fabriek.worker")

T = TypeVar("T")


def watch_jobs(services: Services) -> int:
    """One look at every started job, those of before a restart among them; how many changed."""
    started = services.progress.started()
    if not started:
        return 0
    executor, handles = services.executor, [handle_of(job) for job in started]
    for job, handle in zip(started, handles, strict=True):
        if job.cancelling:
            _unless_refused(handle, executor.cancel)
        elif job.preempting and isinstance(executor, Hears):
            executor.tell(handle, PREEMPT)
    changed = 0
    for job, observed in zip(started, _seen(executor, handles), strict=True):
        if observed is not None and says_more(job, observed):
            changed += services.progress.observe(job.id, observed)
    return changed


def _seen(executor: Executor, handles: Sequence[Handle]) -> Sequence[ObservedState | None]:
    """None for one about which the executor refused to answer; asked for all at once it does not say which one that is."""
    try:
        return executor.poll(handles)
    except InvalidInput:
        return [_unless_refused(handle, lambda one: executor.poll([one])[0]) for handle in handles]


def _unless_refused(handle: Handle, ask: Callable[[Handle], T]) -> T | None:
    """A job with which the executor will have nothing to do keeps no other from being watched; the next round asks again."""
    try:
        return ask(handle)
    except InvalidInput as error:
        log.warning("watch %s: %s", handle.job, error.detail)
        return None
