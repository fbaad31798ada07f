"""Who speaks one of others' dialects, which name a project in their path: a member of it, or on the jobs' socket a job of it."""

from collections.abc import Callable
from dataclasses import replace

from starlette.requests import Request

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import FabriekError, NotAuthenticated, nothing_here
from fabriek.web.callers import caller_of_request, project_id_of, token_of
from fabriek.web.services import Services


def member_of_path(
    request: Request, services: Services, *, absent: Callable[[], FabriekError] = nothing_here
) -> tuple[Caller, str]:
    """(who asks, the project's id). absent: what a stranger is told, in the dialect's words. Raises NotAuthenticated, also for a job's token."""
    caller = caller_of_request(request, services.identity)
    if caller.job:
        raise NotAuthenticated("this token does one job's work and opens nothing else", fix="use your own token")
    project = project_id_of(request.path_params["project"], caller, services.access)
    if not caller.is_member_of(project):
        raise absent()
    return caller, project


def job_of_token(request: Request, services: Services, rights: frozenset[str]) -> tuple[Caller, str]:
    """(the job, its project's id), with these rights in it and no others. Raises NotAuthenticated."""
    caller = services.identity.caller_of_lab_token(token_of(request))
    (project,) = caller.project_rights
    return replace(caller, project_rights={project: rights}), project
