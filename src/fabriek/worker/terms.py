"""The end of a class's term: budgets go back, jobs that wait are stopped, and those that run finish on what was set aside for them."""

from fabriek.kernel.callers import SYSTEM
from fabriek.kernel.errors import WrongState
from fabriek.web.services import Services
from fabriek.worker.beside import tried

JOBS_AT_ONCE = 200


def end_terms(services: Services) -> None:
    """Any number of workers may do this; each act is idempotent. One class that fails keeps no other from its end."""
    for course in services.teaching.unfinished():
        tried(f"end the term of {course.id}", lambda: _end_term(services, course.id))  # noqa: B023  # called at once


def _end_term(services: Services, course: str) -> None:
    for place in services.teaching.end_term(course):
        waiting = services.compute.list(place.project, limit=JOBS_AT_ONCE, cursor="", active=True, by=SYSTEM).items
        for job in waiting:
            if job.started_at is None:
                _stop(services, place.project, job.id)


def _stop(services: Services, project: str, job: str) -> None:
    try:
        services.compute.cancel(project, job, by=SYSTEM)
    except WrongState:
        return  # it ended by itself meanwhile
