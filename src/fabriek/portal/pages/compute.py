"""A job's page, with its log as it grows."""

from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.compute.jobs import Job, State, reserved_end
from fabriek.compute.notices.notices import MAIL, notice_asked_of
from fabriek.compute.notices.notices import shown as shown_target
from fabriek.compute.powering.carbon import in_words
from fabriek.compute.receipts import JobReceipt
from fabriek.compute.requests import InputAsked, JobAsked
from fabriek.compute.terms import Terms
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.portal.forms import read_form
from fabriek.portal.pages.proposals import release_shown
from fabriek.portal.rendering import Pages
from fabriek.schemas.sessions import KINDS, PORT
from fabriek.web.addresses import Addresses
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

HOUR = 3_600
HOURS = ("1", "2", "4", "8")
LOG_SHOWN_BYTES = 256 * 1024


def _facts(services: Services, project: str, job: Job) -> dict[str, Any]:
    inputs = [f"{one.dataset_name}@{one.version} at {one.mount}" for one in job.mounted]
    cost = Resource(job.resource).counted(job.used_micro) if job.settled and job.used_micro else ""
    if not cost and job.held_micro and not job.settled:
        cost = f"at most {Resource(job.resource).counted(job.held_micro)}, held"
    fields = {name: getattr(job, name) for name in Job.__dataclass_fields__}
    return {
        "project": services.access.project(project), "job": fields | {"inputs": inputs}, "cost": cost,
        "energy": in_words(job.energy_joules, job.co2_grams) if job.settled and job.energy_joules else "",
        "why": services.compute.why(job).sentence, "live": not job.has_ended(), "number": job.short,
        "ends_at": reserved_end(job, job.started_at) if job.state is State.RUNNING and job.started_at else None,
        "serves": bool(job.terms.port) and not job.terms.serves and job.state is State.RUNNING,
        "after": [f"{one.once} {one.job}" for one in job.terms.after],
        "parameters": dict(job.terms.parameters), "image": job.terms.image, "work": job.terms.work, "secrets": [one.asked for one in job.secrets],
        "told": [{"occasion": one.occasion, "to": shown_target(one.target), "state": one.standing} for one in services.outbox.of_job(job)],
    }  # fmt: skip


def _log(services: Services, project: str, job: Job, by: Caller) -> tuple[str, int, bool]:
    """The output so far as text, where to go on from, and whether it is withheld."""
    try:
        readable = services.compute.readable_log(project, job.id, by=by)
    except NotPermitted:
        return "", 0, True
    raw = services.logs.part(readable, 0, LOG_SHOWN_BYTES)
    return raw.decode("utf-8", "replace"), len(raw), False


def _receipt(found: JobReceipt) -> dict[str, Any]:
    told = found.receipt
    said: dict[str, Any] = {
        "share": found.share,
        "ground": found.ground,
        "energy": in_words(found.energy_joules, found.job.co2_grams),
        "work": found.job.terms.work,
        "lines": [],
    }
    if told is None:
        return said
    counted = told.resource.counted
    return said | {
        "held": counted(told.held_micro), "charged": counted(told.charged_micro), "given_back": counted(told.given_back_micro),
        "settled": told.settled,
        "lines": [
            {"at": one.at, "what": one.what, "amount": counted(one.amount_micro), "transaction": one.transaction, "reason": one.reason}
            for one in told.lines
        ],
    }  # fmt: skip


def _session_asked(fields: dict[str, str]) -> JobAsked:
    kind = KINDS.get(fields.get("kind", ""))
    if kind is None or fields.get("hours") not in HOURS:
        raise InvalidInput("choose a kind of session and how long it may run", fix="go back and choose")
    data = fields.get("data", "")
    told = (notice_asked_of(MAIL),) if fields.get("notify") == MAIL else ()
    return JobAsked(
        kind.command, name=f"session {fields['kind']}", requirements=kind.requirements, memory_bytes=4 * 2**30,
        inputs=(InputAsked(data, "/data"),) if data else (), notify=told, wall_seconds_max=int(fields["hours"]) * HOUR, terms=Terms(port=PORT),
    )  # fmt: skip


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/projects/{project}/jobs/{job}", access=Right("job.view"))
    def show(request: Request, project: str, job: str, caller: CallerDep) -> Response:
        """State, reason, cost and log."""
        found = services.compute.get(project, job, by=caller)
        log, offset, withheld = _log(services, project, found, caller)
        return pages.render(
            request, "job.html", log=log, log_offset=offset, withheld=withheld,
            release=release_shown(services, project, found, caller), receipt=_receipt(services.receipts.of(project, found.id, by=caller)),
            **_facts(services, project, found),
        )  # fmt: skip

    @made.get("/projects/{project}/jobs/{job}/state", access=Right("job.view"))
    def state(request: Request, project: str, job: str, caller: CallerDep) -> Response:
        """The part of the page that changes."""
        found = services.compute.get(project, job, by=caller)
        return pages.render(request, "job_live.html", **_facts(services, project, found))

    @made.get("/projects/{project}/jobs/{job}/open", access=Right("job.view"))
    def enter(project: str, job: str, caller: CallerDep) -> Response:
        """Into a session, by an address that opens once."""
        found = services.compute.get(project, job, by=caller)
        code = services.doors.code_for(project, found.id, by=caller)
        addresses = Addresses(services.settings.sessions_url, services.settings.sessions_port)
        return RedirectResponse(
            addresses.entrance(found.id, code), status_code=303, headers={"Cache-Control": "no-store"}
        )

    @made.post("/projects/{project}/jobs/{job}/extend", access=Right("job.submit"), once=False)
    async def extend(request: Request, project: str, job: str, caller: CallerDep) -> Response:
        """An hour more, and the page again."""
        await read_form(request)
        await run_in_threadpool(services.doors.extend, project, job, HOUR, by=caller)
        return RedirectResponse(f"/projects/{project}/jobs/{job}", status_code=303)

    @made.post("/projects/{project}/sessions", access=Right("job.submit"), once=False)
    async def start(request: Request, project: str, caller: CallerDep) -> Response:
        """Starts a session of a kind, and shows its page."""
        fields = await read_form(request)
        asked = _session_asked(fields)
        job = await run_in_threadpool(services.compute.submit, project, asked, by=caller)
        return RedirectResponse(f"/projects/{project}/jobs/{job.id}", status_code=303)

    @made.post("/projects/{project}/jobs/{job}/cancel", access=Right("job.cancel"), once=False)
    async def cancel(request: Request, project: str, job: str, caller: CallerDep) -> Response:
        """Stops the job and shows it again."""
        await read_form(request)
        await run_in_threadpool(services.compute.cancel, project, job, by=caller)
        return RedirectResponse(f"/projects/{project}/jobs/{job}", status_code=303)

    return made
