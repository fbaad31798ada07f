"""A project's jobs: the list of them, an array as one, and the form for a new one."""

import shlex
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.compute.gpus import gpus_of
from fabriek.compute.jobs import ENDED, Job, Priority
from fabriek.compute.planning import Plan
from fabriek.compute.requests import InputAsked, JobAsked
from fabriek.compute.terms import Terms, after_of
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import FabriekError, InvalidInput
from fabriek.kernel.units import parse_bytes, parse_seconds, written_bytes, written_seconds
from fabriek.portal.forms import read_form
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.problems import problem_of, request_id
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

SHOWN = 50
ELEMENTS_SHOWN = 500
DATASETS_OFFERED = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What stands in the form, as it was written: a refused form comes back with every word that was in it."""

    command: str = ""
    name: str = ""
    data: str = ""
    mount: str = "/data"
    cpus: str = "1"
    gpus: str = "0"
    nodes: str = "1"
    memory: str = "2GiB"
    time: str = "1h"
    priority: str = "normal"
    array: str = ""
    after: str = ""
    requirements: str = ""
    code: str = field(default="")
    image: str = ""
    work: str = ""

    @classmethod
    def of(cls, job: Job) -> "Wanted":
        """To run a job again, with its code and its first input."""
        first = job.mounted[0] if job.mounted else None
        return cls(
            shlex.join(job.argv), job.name, f"{first.dataset_name}@{first.version}" if first else "", first.mount if first else "/data",
            str(job.cpus), str(job.gpus), str(job.nodes), written_bytes(job.memory_bytes), written_seconds(job.wall_seconds_max), str(job.priority),
            requirements=job.requirements, code=job.code, image=job.terms.image, work=job.terms.work,
        )  # fmt: skip

    def asked(self) -> JobAsked:
        """Raises InvalidInput, naming the field."""
        try:
            argv = tuple(shlex.split(self.command))
        except ValueError as error:
            raise InvalidInput(f"the command cannot be cut into words: {error}", fix="close the quotes") from None
        after = tuple(one for text in self.after.replace(",", " ").split() for one in after_of(text))
        return JobAsked(
            argv, name=self.name, code=self.code, inputs=(InputAsked(self.data, self.mount),) if self.data else (),
            requirements=self.requirements, gpus=gpus_of(self.gpus), nodes=_count(self.nodes, "nodes"), cpus=_count(self.cpus, "CPUs"),
            memory_bytes=parse_bytes(self.memory), wall_seconds_max=parse_seconds(self.time), priority=_priority(self.priority),
            array=self.array, terms=Terms(after=after, image=self.image.strip(), work=self.work),
        )  # fmt: skip


NAMES = frozenset(one.name for one in fields(Wanted))


def _count(text: str, what: str) -> int:
    if not text.strip().isascii() or not text.strip().isdigit():
        raise InvalidInput(f"{text!r} is no number of {what}", fix="write a whole number")
    return int(text)


def _priority(text: str) -> str:
    if text not in tuple(Priority):
        raise InvalidInput(f"there is no priority {text!r}", fix="choose eco, normal or urgent")
    return text


def _planned(plan: Plan) -> dict[str, Any]:
    resource = Resource(plan.job.resource)
    return {
        "why": plan.reason, "starts_now": plan.starts_now, "until": plan.until, "elements": plan.elements, "label": plan.job.label,
        "held": resource.counted(plan.held_micro), "left": resource.counted(plan.left_micro),
    }  # fmt: skip


def _works(services: Services, wanted: Wanted) -> list[str]:
    """Kinds of work to choose from; one that is no longer known stays in the form, to be refused in words."""
    known = [one.work.name for one in services.compute.works()]
    return known if not wanted.work or wanted.work in known else [wanted.work, *known]


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    def form(request: Request, project: str, wanted: Wanted, caller: Caller, **shown_too: Any) -> Response:
        offered = [
            f"{one.name}@{newest.number}"
            for one in services.vault.list(project, limit=DATASETS_OFFERED, by=caller)
            if (newest := services.vault.newest(one.id))
        ]
        if wanted.data and wanted.data not in offered:
            offered.insert(0, wanted.data)
        known = {"plan": None, "problem": None, "status": 200} | shown_too
        return pages.render(
            request, "new_job.html", project=services.access.project(project), wanted=wanted, datasets=offered,
            priorities=[str(one) for one in Priority], works=_works(services, wanted), **known,
        )  # fmt: skip

    @made.get("/projects/{project}/jobs", access=Right("job.view"))
    def listed(request: Request, project: str, caller: CallerDep, cursor: str = "", show: str = "all") -> Response:
        """Newest first, with why each is where it is."""
        active = show == "active"
        page = services.compute.list(project, limit=SHOWN, cursor=cursor, active=active, by=caller)
        rows = [{"job": job, "why": services.compute.why(job).sentence} for job in page.items]
        found = services.access.project(project)
        return pages.render(request, "jobs.html", project=found, rows=rows, next_cursor=page.next_cursor, active=active)

    @made.get("/projects/{project}/jobs/new", access=Right("job.submit"))
    def new(request: Request, project: str, caller: CallerDep, like: str = "") -> Response:
        """An empty form, or one filled in like a job that ran."""
        wanted = Wanted.of(services.compute.get(project, like, by=caller)) if like else Wanted()
        return form(request, project, wanted, caller)

    @made.post("/projects/{project}/jobs/new", access=Right("job.submit"), once=False)
    async def submit(request: Request, project: str, caller: CallerDep) -> Response:
        """Says what would become of it, or submits it; what is refused comes back with the reason above it."""
        said = await read_form(request)
        wanted = Wanted(**{name: value for name, value in said.items() if name in NAMES})
        try:
            if said.get("do") == "plan":
                plan = await run_in_threadpool(services.planner.plan, project, wanted.asked(), by=caller)
                return await run_in_threadpool(form, request, project, wanted, caller, plan=_planned(plan))
            job = await run_in_threadpool(services.compute.submit, project, wanted.asked(), by=caller)
        except FabriekError as error:
            problem = {"rule": "", **problem_of(error, request_id(request))}
            status = error.meaning.http
            return await run_in_threadpool(form, request, project, wanted, caller, problem=problem, status=status)
        place = f"arrays/{job.array}" if job.array else f"jobs/{job.id}"
        return RedirectResponse(f"/projects/{project}/{place}", status_code=303)

    @made.get("/projects/{project}/arrays/{array}", access=Right("job.view"))
    def array(request: Request, project: str, array: str, caller: CallerDep) -> Response:
        """How far an array is, and each of its elements."""
        elements = services.compute.array(project, array, by=caller)
        counts = Counter(str(job.state) for job in elements)
        live = any(job.state not in ENDED for job in elements)
        return pages.render(
            request, "array.html", project=services.access.project(project), array=array, elements=elements, counts=counts, live=live,
            shown=ELEMENTS_SHOWN,
        )  # fmt: skip

    @made.post("/projects/{project}/arrays/{array}/cancel", access=Right("job.cancel"), once=False)
    async def cancel_array(request: Request, project: str, array: str, caller: CallerDep) -> Response:
        """Stops what has not ended of it, and shows it again."""
        await read_form(request)
        await run_in_threadpool(services.compute.cancel_array, project, array, by=caller)
        return RedirectResponse(f"/projects/{project}/arrays/{array}", status_code=303)

    return made
