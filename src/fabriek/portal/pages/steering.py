"""Another purpose or ceiling of a project: its lead proposes, and who oversees projects signs or refuses. And what waits for who oversees."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.access.joining.steering import REASON_MAX, Change
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotPermitted, WrongState
from fabriek.kernel.purposes import Purpose
from fabriek.portal.forms import read_form
from fabriek.portal.named import names_of
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.problems import problem_of, request_id
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

OF_A_PROJECT = "/projects/{project}/proposals"
OVERSEES = Right("project.oversee")


def changes_shown(services: Services, changes: Sequence[Change], by: Caller) -> list[dict[str, Any]]:
    """What waits, with who proposed it and what it is now."""
    names = names_of(services, [one.proposed_by for one in changes])
    projects = services.access.projects_among({one.project for one in changes})
    return [
        {
            "change": one, "project": (project := projects[one.project]), "by": names.get(one.proposed_by, one.proposed_by),
            "now": project.purpose if one.what == "purpose" else project.label_ceiling, "mine": one.proposed_by == by.person,
        }
        for one in changes
    ]  # fmt: skip


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)
    steering = services.joining.steering

    def page(
        request: Request, name: str, caller: Caller, *, status: int = 200, problem: Mapping[str, Any] | None = None,
        filled: Mapping[str, str] | None = None,
    ) -> Response:  # fmt: skip
        project = services.access.project(name)
        waiting = changes_shown(services, steering.waiting(name, by=caller), caller)
        return pages.render(
            request, "project_proposals.html", status=status, project=project, waiting=waiting, problem=problem, filled=filled or {},
            manages=caller.may("project.manage", project=project.id), reason_max=REASON_MAX,
            purposes=[str(one) for one in Purpose if one != project.purpose],
            labels=[one for one in services.vault.labels.names if one != project.label_ceiling],
        )  # fmt: skip

    @made.get(OF_A_PROJECT, access=Right("project.view"))
    def proposals(request: Request, project: str, caller: CallerDep) -> Response:
        """What was proposed and waits, and for its leads the forms."""
        return page(request, project, caller)

    @made.post(OF_A_PROJECT, access=Right("project.manage"), once=False)
    async def propose(request: Request, project: str, caller: CallerDep) -> Response:
        """Proposes; what is refused comes back with the reason above it, and with what was typed."""
        said = await read_form(request)
        given = [said.get(name, "") for name in ("what", "value", "why")]
        try:
            await run_in_threadpool(steering.propose, project, *given, by=caller)
        except (InvalidInput, WrongState, NotPermitted) as error:
            problem = problem_of(error, request_id(request))
            return await run_in_threadpool(
                page, request, project, caller, status=error.meaning.http, problem=problem, filled=said
            )
        return RedirectResponse(f"/projects/{project}/proposals", status_code=303)

    @made.get("/oversight", access=OVERSEES)
    def oversight(request: Request, caller: CallerDep) -> Response:
        """What waits for who oversees projects: proposals, and proofs whose day has passed."""
        waiting = changes_shown(services, steering.waiting(by=caller), caller)
        overdue = services.joining.proving.due(by=caller) if caller.may("person.view") else []
        return pages.render(request, "oversight.html", waiting=waiting, overdue=overdue)

    @made.post("/oversight/proposals", access=OVERSEES, once=False)
    async def decide(request: Request, caller: CallerDep) -> Response:
        """Signs or refuses what somebody else proposed."""
        said = await read_form(request)
        if said.get("act") not in {"sign", "refuse"}:
            raise InvalidInput("there is no such act on a proposal", fix="open the page again")
        agree = said["act"] == "sign"
        await run_in_threadpool(steering.decide, said.get("proposal", ""), agree=agree, by=caller)
        return RedirectResponse("/oversight", status_code=303)

    return made
