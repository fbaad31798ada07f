"""Jobs over HTTP: submit, look, follow the log, cancel, and ask why."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, fields
from typing import Any

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from fabriek.api.forecasts import start_out
from fabriek.compute.gpus import MILLI, UNNAMED, gpus_of
from fabriek.compute.hosts import hosts_of
from fabriek.compute.jobs import Job, reserved_end
from fabriek.compute.notices.notices import Notice, notice_asked_of
from fabriek.compute.notices.notices import shown as shown_target
from fabriek.compute.receipts import JobReceipt
from fabriek.compute.requests import InputAsked, JobAsked
from fabriek.compute.secrets.secrets import use_of
from fabriek.compute.terms import Network, Terms, after_of
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotAuthenticated, NotFound, NotPermitted
from fabriek.kernel.units import JOULES_PER_KWH
from fabriek.schemas.base import PageOut
from fabriek.schemas.compute import (
    AccountOut,
    DoorOut,
    ExtendIn,
    GpuKindOut,
    JobIn,
    JobOut,
    MachineOut,
    NoticeOut,
    OutcomeOut,
    PlanOut,
    ReceiptLineOut,
    ReceiptOut,
    SignalIn,
    SimulatedOut,
    SimulateIn,
    WhyOut,
    WorkspaceOut,
)
from fabriek.web.addresses import Addresses
from fabriek.web.callers import caller_of_request
from fabriek.web.dependencies import LIMIT_DEFAULT, LIMIT_MAX, CallerDep, FactoryDep
from fabriek.web.plans import plan_out
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["compute"])

LOG_PART_BYTES = 256 * 1024
LOG_PAUSE_SECONDS = 0.02
"""How long a follower waits for more: short enough that the first line feels immediate, long enough to cost nothing."""

STILL_SECONDS = 1.0
"""How long a lost right to read a log lasts for who follows it."""


def jobs_out(project: str, jobs: Sequence[Job], services: Services, *, elements: int = 1) -> list[JobOut]:
    """Jobs of one project."""
    slug = services.access.project(project).slug if jobs else ""
    return [job_out(job, services, elements, slug=slug) for job in jobs]


def job_out(job: Job, services: Services, elements: int = 1, *, slug: str = "") -> JobOut:
    """The job as the wire shows it, with its credits. slug: its project's, where it is known."""
    return JobOut(
        id=job.id,
        project=slug or services.access.project(job.project).slug,
        name=job.name,
        state=job.state,
        reason=job.reason,
        command=list(job.argv),
        inputs=[f"{one.dataset_name}@{one.version}" for one in job.inputs],
        label=job.label,
        purpose=job.purpose,
        share=job.share,
        gpus=_number(job.gpus.milli),
        cpus=job.cpus,
        memory_bytes=job.memory_bytes,
        wall_seconds_max=job.wall_seconds_max,
        priority=job.priority,
        submitted_at=job.submitted_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
        ends_at=reserved_end(job, job.started_at) if job.started_at and not job.has_ended() else None,
        exit_code=job.exit_code,
        run=job.run,
        output=job.output,
        environment_hash=job.environment_hash,
        held=Resource(job.resource).counted(job.held_micro) if job.held_micro else "",
        used=Resource(job.resource).counted(job.used_micro) if job.used_micro else "",
        energy_joules=job.energy_joules,
        energy_kwh=round(job.energy_joules / JOULES_PER_KWH, 6),
        co2_grams=round(job.co2_grams, 3),
        ran_seconds=job.ran_seconds,
        cpu_seconds=job.use.cpu_seconds,
        memory_bytes_peak=job.use.memory_bytes_peak,
        account=AccountOut(**asdict(job.use.account)) if job.use.account else None,
        number=job.short,
        raw_number=str(job.number),
        array=job.array,
        elements=elements,
        parameters=dict(job.terms.parameters),
        after=[f"{one.once}:{one.job}" for one in job.terms.after],
        requeues=job.requeues,
        attempts=job.attempts,
        port=job.terms.port,
        folder=job.terms.folder,
        person=job.person,
        tasks=job.terms.tasks,
        array_index=job.array_index,
        secrets=[one.asked for one in job.secrets],
        notify=[one.shown for one in job.notify],
        nodes=job.nodes,
        gpu_kind=job.gpus.kind or (job.placed.kind if job.placed and job.placed.kind != UNNAMED else ""),
        preemptible=job.terms.preemptible,
        image=job.terms.image,
        serves=str(job.terms.serves or ""),
        work=job.terms.work,
    )


def receipt_out(found: JobReceipt) -> ReceiptOut:
    """The receipt as the wire shows it."""
    told = found.receipt
    counted = told.resource.counted if told else str
    return ReceiptOut(
        job=found.job.id, number=found.job.short, state=found.job.state, share=found.share, settled=bool(told and told.settled),
        ground=found.ground, held=counted(told.held_micro) if told else "", charged=counted(told.charged_micro) if told else "",
        given_back=counted(told.given_back_micro) if told else "", ran_seconds=found.job.ran_seconds,
        energy_kwh=round(found.energy_joules / JOULES_PER_KWH, 6), co2_grams=round(found.job.co2_grams, 3),
        work=found.job.terms.work,
        lines=[ReceiptLineOut(what=one.what, amount=counted(one.amount_micro), at=one.at, transaction=one.transaction, reason=one.reason)
               for one in (told.lines if told else ())],
    )  # fmt: skip


def _notice_out(notice: Notice) -> NoticeOut:
    return NoticeOut(
        id=notice.id, occasion=notice.occasion, to=shown_target(notice.target), state=notice.standing, tries=notice.tries, error=notice.error,
        sent_at=notice.sent_at,
    )  # fmt: skip


def _number(milli: int) -> int | float:
    """GPUs as JSON has them: 2, 0.25."""
    return milli / MILLI if milli % MILLI else milli // MILLI


@router.post("/projects/{project}/jobs", access=Right("job.submit"), status_code=201)
def submit(project: str, wanted: JobIn, caller: CallerDep, factory: FactoryDep) -> JobOut:
    """Submit a job. Right, label, agreement, purpose and credits are checked in one transaction; a refusal names its rule.

    Of an array the answer is the first element.
    """
    new = factory.compute.submit_each(project, asked_of(wanted), by=caller)
    return job_out(new[0], factory, len(new))


@router.post("/projects/{project}/plans", access=Right("job.submit"), once=False)
def plan(project: str, wanted: JobIn, caller: CallerDep, factory: FactoryDep) -> PlanOut:
    """What would become of a job, by the code that submits and admits, and nothing of it stays. What would stop it is the answer's error."""
    return plan_out(factory.planner.plan(project, asked_of(wanted), by=caller), factory)


PLAIN = {one.name for one in fields(JobAsked)} & set(JobIn.model_fields) - {"inputs", "secrets", "notify", "gpus"}
"""Names that mean the same on the wire and in a request."""


def asked_of(wanted: JobIn) -> JobAsked:
    """The request as the rules read it."""
    signal, _, before = wanted.signal.partition("@")
    return JobAsked(
        **{name: value for name, value in wanted.model_dump().items() if name in PLAIN},
        gpus=gpus_of(wanted.gpus),
        argv=tuple(wanted.command),
        inputs=tuple(InputAsked(one.dataset, one.mount) for one in wanted.inputs),
        secrets=tuple(use_of(one) for one in wanted.secrets),
        notify=tuple(notice_asked_of(one) for one in wanted.notify),
        terms=Terms(
            after=tuple(one for text in wanted.after for one in after_of(text)),
            not_before=wanted.not_before, deadline=wanted.deadline, requeues_max=wanted.requeues_max, signal=signal,
            signal_seconds=int(before or 0), grace_seconds=wanted.grace_seconds, preemptible=wanted.preemptible,
            **_network(wanted.network), folder=wanted.folder, port=wanted.port, tasks=wanted.tasks, batch=wanted.batch,
            image=wanted.image, work=wanted.work,
        ),
    )  # fmt: skip


def _network(said: str) -> dict[str, Any]:
    if said in {Network.NONE, Network.HOST}:
        return {"network": Network(said)}
    return {"network": Network.HOSTS, "hosts": hosts_of(said)}


@router.get("/projects/{project}/jobs", access=Right("job.view"))
def list_jobs(
    project: str,
    caller: CallerDep,
    factory: FactoryDep,
    limit: int = Query(LIMIT_DEFAULT, ge=1, le=LIMIT_MAX),
    cursor: str = "",
    array: str = "",
    named: str = Query("", max_length=20_000),
    *,
    active: bool = False,
) -> PageOut[JobOut]:
    """The project's jobs, newest first. `active`: only those that have not ended. `array`: the elements of one, by their index. `named`: jobs
    by number or id, `17,18_3`, an array's number or id for all of it; what is not there is left out.
    """
    if named:
        return PageOut[JobOut](
            items=jobs_out(project, factory.compute.named(project, named.split(","), by=caller), factory)
        )
    if array:
        elements = factory.compute.array(project, array, by=caller)
        return PageOut[JobOut](items=jobs_out(project, elements, factory, elements=len(elements)), next_cursor="")
    page = factory.compute.list(project, limit=limit, cursor=cursor, active=active, by=caller)
    return PageOut[JobOut](items=jobs_out(project, page.items, factory), next_cursor=page.next_cursor)


@router.get("/projects/{project}/jobs/{job}", access=Right("job.view"))
def show(project: str, job: str, caller: CallerDep, factory: FactoryDep) -> JobOut:
    """One job, with what became of its notices."""
    found = factory.compute.get(project, job, by=caller)
    told = [_notice_out(one) for one in factory.outbox.of_job(found)]
    return job_out(found, factory).model_copy(update={"notices": told})


@router.get("/projects/{project}/jobs/{job}/why", access=Right("job.view"))
def why(project: str, job: str, caller: CallerDep, factory: FactoryDep) -> WhyOut:
    """One sentence: why the job is where it is."""
    found = factory.compute.get(project, job, by=caller)
    told = factory.compute.why(found)
    start = start_out(told.forecast, factory) if told.forecast is not None else None
    return WhyOut(job=found.id, state=found.state, why=told.sentence, until=told.until, start=start)


@router.get("/projects/{project}/jobs/{job}/receipt", access=Right("job.view"))
def receipt(project: str, job: str, caller: CallerDep, factory: FactoryDep) -> ReceiptOut:
    """What was held for a job, charged and given back, which share paid, and what energy it took."""
    return receipt_out(factory.receipts.of(project, job, by=caller))


@router.post("/projects/{project}/jobs/{job}/cancel", access=Right("job.cancel"))
def cancel(project: str, job: str, caller: CallerDep, factory: FactoryDep) -> JobOut:
    """Stop a job. One that has not started ends at once; a running one is asked, then killed, and its use is settled."""
    return job_out(factory.compute.cancel(project, job, by=caller), factory)


@router.post("/projects/{project}/arrays/{array}/cancel", access=Right("job.cancel"))
def cancel_array(project: str, array: str, caller: CallerDep, factory: FactoryDep) -> PageOut[JobOut]:
    """Stop every element of an array that has not ended."""
    elements = factory.compute.cancel_array(project, array, by=caller)
    return PageOut[JobOut](items=jobs_out(project, elements, factory, elements=len(elements)), next_cursor="")


@router.post("/projects/{project}/jobs/{job}/signal", access=Right("job.cancel"))
def signal(project: str, job: str, wanted: SignalIn, caller: CallerDep, factory: FactoryDep) -> JobOut:
    """Send a signal to a job that runs."""
    return job_out(factory.reaching.signal(project, job, wanted.signal, by=caller), factory)


@router.post("/projects/{project}/jobs/{job}/requeue", access=Right("job.cancel"))
def requeue(project: str, job: str, caller: CallerDep, factory: FactoryDep) -> JobOut:
    """Stop a job that runs and put it back into the queue, as often as it was submitted to be."""
    return job_out(factory.reaching.run_again(project, job, by=caller), factory)


@router.post("/projects/{project}/jobs/{job}/door", access=Right("job.submit"), once=False)
def door(project: str, job: str, caller: CallerDep, factory: FactoryDep) -> DoorOut:
    """A way into a session or a shell of a running job, for who started it: an address that opens once."""
    found = factory.compute.get(project, job, by=caller)
    code = factory.doors.code_for(project, found.id, by=caller)
    settings, address = factory.settings, Addresses(factory.settings.sessions_url, factory.settings.sessions_port)
    return DoorOut(
        url=address.entrance(found.id, code),
        host=settings.host,
        port=address.port,
        name=address.host(found.id),
        code=code,
    )


@router.post("/projects/{project}/jobs/{job}/extend", access=Right("job.submit"))
def extend(project: str, job: str, wanted: ExtendIn, caller: CallerDep, factory: FactoryDep) -> JobOut:
    """More time for a running job, if its credits cover it and nobody waits for the room."""
    found = factory.compute.get(project, job, by=caller)
    return job_out(factory.doors.extend(project, found.id, wanted.seconds, by=caller), factory)


@router.get("/projects/{project}/workspace", access=Right("job.view"))
def workspace(project: str, caller: CallerDep, factory: FactoryDep) -> WorkspaceOut:
    """The folder that the project's jobs and people share."""
    return WorkspaceOut(path=factory.compute.workspace(project, by=caller))


@router.get("/machine", access=SIGNED_IN)
def machine(caller: CallerDep, factory: FactoryDep) -> MachineOut:  # noqa: ARG001  # whoever is signed in
    """What the machine has, and what jobs take of it now: amounts only, nobody's jobs."""
    found = factory.compute.machine_outlook()
    return MachineOut(
        nodes=found.nodes, cpus=found.cpus, cpus_used=found.cpus_used, gpus=found.gpus, gpus_used=_number(found.gpus_used_milli),
        memory_bytes=found.memory_bytes, memory_bytes_used=found.memory_bytes_used, running=found.running, queued=found.queued,
        gpu_kinds=[
            GpuKindOut(
                kind=one.kind.name, count=one.kind.count, used=_number(one.used_milli), smallest=_number(one.kind.slice_milli)
            )
            for one in found.kinds
        ],
    )  # fmt: skip


@router.get("/projects/{project}/jobs/{job}/log", access=Right("job.view"), response_class=StreamingResponse)
async def log(
    request: Request,
    project: str,
    job: str,
    caller: CallerDep,
    factory: FactoryDep,
    offset: int = Query(0, ge=0),
    *,
    follow: bool = False,
) -> StreamingResponse:
    """The job's output as bytes from an offset on; with `follow`, until the attempt has ended. 403 where the label withholds it."""
    found = await run_in_threadpool(factory.compute.readable_log, project, job, by=caller)
    headers = {"X-Log-Offset": str(offset), "Content-Disposition": "attachment; filename=log.txt"}
    parts = _parts(request, factory, project, found, caller, offset, follow=follow)
    return StreamingResponse(parts, media_type="text/plain; charset=utf-8", headers=headers)


async def _parts(
    request: Request, services: Services, project: str, job: Job, by: Caller, offset: int, *, follow: bool
) -> AsyncIterator[bytes]:
    asked = services.clock.monotonic()
    while True:
        ended = job.has_ended()
        while part := await run_in_threadpool(services.logs.part, job, offset, LOG_PART_BYTES):
            offset += len(part)
            yield part
        if ended or not follow:
            return
        await asyncio.sleep(LOG_PAUSE_SECONDS)
        try:
            if services.clock.monotonic() - asked >= STILL_SECONDS:
                by, asked = await run_in_threadpool(_again, request, services), services.clock.monotonic()
                await run_in_threadpool(services.compute.readable_log, project, job.id, by=by)
            job = await run_in_threadpool(services.compute.get, project, job.id, by=by)
        except (NotAuthenticated, NotPermitted, NotFound):
            return  # what the follower came in by has ended, or their right has


def _again(request: Request, services: Services) -> Caller:
    """Who follows, with the rights of now. Raises NotAuthenticated."""
    return caller_of_request(request, services.identity)


@router.post("/simulations", access=Right("simulate"))
def simulate(wanted: SimulateIn, caller: CallerDep, factory: FactoryDep) -> SimulatedOut:
    """Replay the finished jobs through the same admission code, as shares are and as they would be."""
    outcomes = factory.simulator.compare(wanted.scale, by=caller)
    names = factory.simulator.names()
    return SimulatedOut(
        outcomes=[
            OutcomeOut(
                policy=name,
                jobs=outcome.jobs,
                wait_seconds_mean=outcome.wait_seconds_mean,
                wait_seconds_max=outcome.wait_seconds_max,
                makespan_seconds=outcome.makespan_seconds,
                used_by_share={names.get(share, share): used for share, used in outcome.used_by_share.items()},
            )
            for name, outcome in outcomes
        ]
    )
