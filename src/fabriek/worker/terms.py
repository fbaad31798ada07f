"""The end of a class's term: budgets go back, jobs that wait are stopped, and those that run finish on what was set aside for them."""

from fabriek.kernel.callers import SYSTEM
from fabriek.kernel.errors import WrongState
from fabriek.web.services import Services

JOBS_AT_ONCE = 200


def end_terms(services: Services) -> int:
    """How many waiting jobs were stopped. Any number of workers may do this; each act is idempotent."""
    stopped = 0
    for _, place in services.teaching.end_terms():
        waiting = services.compute.list(place.project, limit=JOBS_AT_ONCE, cursor="", active=True, by=SYSTEM).items
        for job in waiting:
            if job.started_at is not None:
                continue
            try:
                services.compute.cancel(place.project, job.id, by=SYSTEM)
            except WrongState:
                continue  # it ended by itself meanwhile
            stopped += 1
    return stopped
