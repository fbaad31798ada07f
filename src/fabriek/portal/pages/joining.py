"""Coming in by an invitation; a project's people and invitations."""

from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.access.joining.invitations import Invitation, state_at
from fabriek.access.roles import PROJECT
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotAuthenticated, NotFound
from fabriek.portal.entering import entered
from fabriek.portal.forms import check_same_site, read_form
from fabriek.portal.rendering import Pages
from fabriek.web.callers import SESSION_COOKIE
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import PUBLIC, SIGNED_IN, Right, Router
from fabriek.web.services import Services

SHOWN = 50


def shown(one: Invitation, services: Services) -> dict[str, Any]:
    """An invitation as the pages show it."""
    inviting = services.joining.inviting
    inviter = services.access.person(one.invited_by)
    return {
        "id": one.id, "address": one.email or (services.access.person(one.person).name if one.person else "(forgotten)"),
        "state": state_at(one, services.clock.now()), "role": one.role, "by": inviter.name, "stands": inviting.holds(one),
        "from": services.access.organisation(inviter.organisation).name, "vouched": inviting.is_vouched(one),
        "organisation": services.access.organisation(one.organisation).name, "expires_at": one.expires_at,
        "project": services.access.project(one.project) if one.project else None, "roles": sorted(one.roles),
    }  # fmt: skip


def people_shown(services: Services, project: str, by: Caller) -> dict[str, Any]:
    """What a project's page shows of its people: invitations for its leads."""
    members = [
        {
            "id": person.id, "name": person.name, "role": one.role, "me": person.id == by.person,
            "organisation": services.access.organisation(person.organisation).name,
        }
        for one, person in services.access.members(project, by=by)
    ]  # fmt: skip
    manages = by.may("project.manage", project=services.access.project(project).id)
    invited = services.joining.inviting.of_project(project, by=by)[:SHOWN] if manages else []
    return {
        "members": members,
        "invitations": [shown(one, services) for one in invited],
        "review": review_shown(services, project, by) if manages else None,
        "project_roles": sorted(PROJECT, reverse=True),
        "bodies": services.access.organisations(by=by) if manages else [],
    }


def review_shown(services: Services, project: str, by: Caller) -> dict[str, Any] | None:
    """The newest review, while somebody waits or stands still in it."""
    try:
        review, items = services.joining.quarterly.of_project(project, by=by)
    except NotFound:
        return None
    asked = [one for one in items if one.decision in {"waiting", "suspended"}]
    names = services.access.people_among({one.person for one in asked})
    listed = [
        {"id": one.person, "name": names[one.person].name, "role": one.role, "decision": one.decision} for one in asked
    ]
    return {"due_on": review.due_on, "open": review.closed_at is None, "items": listed} if asked else None


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)
    _invitations(made, services, pages)
    _people(made, services, pages)
    return made


def _invitations(made: Router, services: Services, pages: Pages) -> None:
    inviting = services.joining.inviting

    def signed_in(request: Request) -> Caller | None:
        try:
            return services.identity.caller_of_session(request.cookies.get(SESSION_COOKIE, ""))
        except NotAuthenticated:
            return None

    @made.get("/invitations/{code}", access=PUBLIC)
    def look(request: Request, code: str) -> Response:
        """What it is for. Looking uses nothing up, so that a mail scanner cannot; nor does it tell to whom it went, or the project's name."""
        found = inviting.look(code)
        request.state.caller = caller = signed_in(request)
        return pages.render(
            request, "invitation.html", code=code, invitation=shown(found, services), asks_name=not found.name, visitor=caller
        )  # fmt: skip

    @made.post("/invitations/{code}", access=PUBLIC)
    async def join(request: Request, code: str) -> Response:
        """For who is not here yet: a session of their own. A fresh cookie each time: one that was there before is worth nothing."""
        check_same_site(request)
        raw = await request.form(max_files=0, max_fields=5)
        name = raw.get("name", "")
        told = name[:200] if isinstance(name, str) else ""
        _, cookie = await run_in_threadpool(inviting.join, code, name=told, session=True)
        return await run_in_threadpool(entered, request, services, cookie)

    @made.post("/invitations/{code}/accept", access=SIGNED_IN, once=False)
    async def accept(request: Request, code: str, caller: CallerDep) -> Response:
        """For who is here: into the project."""
        await read_form(request)
        accepted = await run_in_threadpool(inviting.accept, code, by=caller)
        joined = await run_in_threadpool(services.access.project, accepted.project)
        return RedirectResponse(f"/projects/{joined.slug}", status_code=303)

    @made.post("/invitations/{invitation}/withdraw", access=SIGNED_IN, once=False)
    async def withdraw(request: Request, invitation: str, caller: CallerDep) -> Response:
        """It opens nothing any more; back to the list that it was on."""
        fields = await read_form(request)
        done = await run_in_threadpool(inviting.withdraw, invitation, by=caller)
        return RedirectResponse(await run_in_threadpool(list_of, done, fields.get("from", "")), status_code=303)

    @made.post("/invitations/{invitation}/vouch", access=SIGNED_IN, once=False)
    async def vouch(request: Request, invitation: str, caller: CallerDep) -> Response:
        """The caller stands for it; back to the list that it was on."""
        fields = await read_form(request)
        done = await run_in_threadpool(inviting.vouch, invitation, by=caller)
        return RedirectResponse(await run_in_threadpool(list_of, done, fields.get("from", "")), status_code=303)

    def list_of(one: Invitation, said: str) -> str:
        if said == "project" and one.project:
            return f"/projects/{services.access.project(one.project).slug}#people"
        return f"/organisations/{services.access.organisation(one.organisation).slug}"


def _people(made: Router, services: Services, pages: Pages) -> None:
    inviting = services.joining.inviting

    @made.post("/projects/{project}/invitations", access=Right("project.manage"), once=False)
    async def invite(request: Request, project: str, caller: CallerDep) -> Response:
        """Invites, and shows the link where no mail took it."""
        fields = await read_form(request)
        sent = await run_in_threadpool(
            inviting.to_project, project, fields.get("address", ""), fields.get("role", ""), organisation=fields.get("organisation", ""),
            name=fields.get("name", "")[:200], by=caller,
        )  # fmt: skip
        return pages.render(request, "invited.html", sent=sent, back=f"/projects/{project}#people")

    @made.post("/projects/{project}/people/{person}", access=Right("project.view"), once=False)
    async def change(request: Request, project: str, person: str, caller: CallerDep) -> Response:
        """Another role for somebody, or none: then what they had open there ends."""
        fields = await read_form(request)
        if fields.get("role") == "none":
            await run_in_threadpool(services.vault.remove_member, project, person, by=caller)
            return RedirectResponse("/" if person == caller.person else f"/projects/{project}#people", status_code=303)
        await run_in_threadpool(services.access.add_member, project, person, fields.get("role", ""), by=caller)
        return RedirectResponse(f"/projects/{project}#people", status_code=303)

    @made.post("/projects/{project}/review/{person}", access=Right("project.manage"), once=False)
    async def look_over(request: Request, project: str, person: str, caller: CallerDep) -> Response:
        """Keeps somebody, or removes them."""
        fields = await read_form(request)
        which = {"remove" if fields.get("act") == "remove" else "keep": [person]}
        await run_in_threadpool(lambda: services.joining.quarterly.decide(project, by=caller, **which))
        return RedirectResponse(f"/projects/{project}#people", status_code=303)
