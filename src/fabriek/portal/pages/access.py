"""Signing in and out, and my work."""

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.access.applying.applications import ApplicationState as S
from fabriek.access.joining.classes import closes_on
from fabriek.access.reviewing.words import MEANS
from fabriek.kernel.callers import Caller
from fabriek.kernel.units import shown, shown_short
from fabriek.portal.entering import entered, sign_in_page
from fabriek.portal.forms import check_same_site, read_form
from fabriek.portal.pages.duties import owed_shown
from fabriek.portal.pages.models import promotions_waiting
from fabriek.portal.pages.policy import changes_waiting
from fabriek.portal.pages.proposals import waiting_shown
from fabriek.portal.rendering import Pages
from fabriek.web.callers import SESSION_COOKIE
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import PUBLIC, SIGNED_IN, Router
from fabriek.web.services import Services

RECENT = 8
ENDED = frozenset({S.AWARDED, S.REFUSED, S.WITHDRAWN})


def left_of(services: Services, project_id: str) -> list[dict[str, str]]:
    """A project's credits as the pages show them."""
    return [
        {
            "resource": one.resource,
            "granted": shown_short(one.granted),
            "held": shown_short(one.held),
            "left": shown_short(one.left),
            "used": shown_short(one.used),
            "owed": shown(one.owed) if one.owed else "",
        }
        for one in services.funding.left(project_id)
    ]


def applications_shown(services: Services, by: Caller) -> list[dict[str, str]]:
    """One's own applications that have not ended: what each is, how it stands and what comes next."""
    mine = [one for one in services.intake.list(own=True, by=by) if one.person == by.person and one.state not in ENDED]
    return [
        {
            "id": one.id,
            "title": str(one.answers.get("title") or one.call),
            "state": one.state,
            "next": MEANS[one.state][1],
        }
        for one in mine[:RECENT]
    ]


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/", access=SIGNED_IN)
    def my_work(request: Request, caller: CallerDep) -> Response:
        """What waits for an answer, projects with what is left, and the latest jobs."""
        taught, attended = services.teaching.list(by=caller), services.teaching.attended(by=caller)
        # A teacher leads a project for each student: those stand on the class's own page.
        students = services.teaching.student_projects(taught)
        projects = [one for one in services.access.projects_of(caller) if one.id not in students]
        slugs = {project.id: project.slug for project in projects}
        jobs = [
            job
            for project in projects
            for job in services.compute.list(project.slug, limit=RECENT, cursor="", by=caller).items
        ]
        jobs.sort(key=lambda job: job.submitted_at, reverse=True)
        left = {project.id: left_of(services, project.id) for project in projects}
        return pages.render(
            request,
            "my_work.html",
            projects=projects,
            left=left,
            trouble=services.running_out.in_trouble(by=caller),
            taught=taught,
            attended=[(one, closes_on(one)) for one, _ in attended],
            recent=jobs[:RECENT],
            invitations=services.joining.inviting.mine(by=caller),
            body=services.access.organisation(caller.organisation),
            applications=applications_shown(services, caller),
            waiting=[
                *waiting_shown(services, caller),
                *promotions_waiting(services, caller),
                *changes_waiting(services, caller),
            ],
            owed=owed_shown(services, [one for one in services.duties.reporting.mine(by=caller) if one.is_open]),
            to_decide=owed_shown(services, services.duties.reporting.to_decide(by=caller)),
            oversees=len(services.joining.steering.waiting(by=caller)) if caller.may("project.oversee") else 0,
            project_of=lambda job: slugs[job.project],
            without_factor=not services.accounts.held(by=caller).count
            and not services.by_provider.signing_in.linked(by=caller),
        )

    @made.get("/sign-in", access=PUBLIC)
    def sign_in(request: Request) -> Response:
        """How to get in."""
        return sign_in_page(request, services, pages)

    @made.get("/sign-in/{code}", access=PUBLIC)
    def sign_in_with(request: Request, code: str) -> Response:
        """The link's page: looking at it uses nothing up, so that a mail scanner cannot."""
        return sign_in_page(request, services, pages, code=code)

    @made.post("/sign-in/{code}", access=PUBLIC)
    def redeem(request: Request, code: str) -> Response:
        """The link against a session. A fresh cookie each time: one that was there before is worth nothing."""
        check_same_site(request)
        _, cookie = services.identity.redeem(code, session=True)
        return entered(request, services, cookie)

    @made.post("/sign-out", access=SIGNED_IN, once=False)
    async def sign_out(request: Request) -> Response:
        """Ends the session."""
        await read_form(request)
        await run_in_threadpool(services.identity.end, request.cookies[SESSION_COOKIE])
        answer = RedirectResponse("/sign-in", status_code=303)
        answer.delete_cookie(SESSION_COOKIE, path="/")
        return answer

    return made
