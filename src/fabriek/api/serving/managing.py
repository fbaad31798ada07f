"""What people do with served models over HTTP: serve, look, stop; make, list and end keys."""

from fabriek.api.compute import asked_of
from fabriek.compute.jobs import Job, reserved_end
from fabriek.compute.serving.keys import ServingKey, as_of, left, standing
from fabriek.compute.serving.served import Kind, Served
from fabriek.compute.serving.service import ServeAsked
from fabriek.schemas.base import PageOut
from fabriek.schemas.compute import JobIn
from fabriek.schemas.serving import KeyIn, KeyOut, NewKeyOut, ServedOut, ServeIn
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["serving"])

SHAPE = {"code", "inputs", "environment", "requirements", "gpus", "cpus", "memory_bytes", "wall_seconds_max"}
"""What of a request is the job's."""


def endpoint_of(served: Served, project: str, services: Services) -> str:
    """The address for programs."""
    base = services.settings.portal_url or f"http://localhost:{services.settings.port}"
    return f"{base}/serve/{project}/{served.name}" + ("/v1" if served.kind is Kind.OPENAI else "")


def served_out(served: Served, job: Job, project: str, services: Services) -> ServedOut:
    return ServedOut(
        name=served.name, model=served.model, version=served.version, sha256=served.sha256, label=served.label, kind=served.kind,
        endpoint=endpoint_of(served, project, services), job=job.id, job_number=job.short, state=job.state,
        why=services.compute.why(job).sentence, changed_at=served.changed_at,
        ends_at=reserved_end(job, job.started_at) if job.started_at and not job.has_ended() else None,
    )  # fmt: skip


def key_out(key: ServingKey, services: Services) -> KeyOut:
    now = as_of(key, services.clock.today())
    return KeyOut(
        id=now.id, name=now.name, hint=now.hint, person=services.access.person(now.person).name, budget=str(now.budget), used=now.used,
        left=left(now), requests=now.requests, tokens_in=now.tokens_in, tokens_out=now.tokens_out,
        state=standing(now, services.clock.now()), created_at=now.created_at, expires_at=now.expires_at, used_at=now.used_at,
        paid_by=services.access.project(now.payer).slug if now.payer else "",
    )  # fmt: skip


@router.post("/projects/{project}/served", access=Right("job.submit"), status_code=201)
def serve(project: str, wanted: ServeIn, caller: CallerDep, factory: FactoryDep) -> ServedOut:
    """Start a job that serves exactly the version that the alias names now. Right, label, purpose and credits are those of any job."""
    shape = JobIn(command=["serve"], **{name: getattr(wanted, name) for name in SHAPE})
    asked = ServeAsked(wanted.model, wanted.name, wanted.kind, tuple(wanted.command))
    made = factory.serving.serve(project, asked, asked_of(shape), by=caller)
    return served_out(made, factory.compute.get(project, made.job, by=caller), project, factory)


@router.get("/projects/{project}/served", access=Right("job.view"))
def list_served(project: str, caller: CallerDep, factory: FactoryDep) -> PageOut[ServedOut]:
    """The project's served models, each with its newest job."""
    found = factory.serving.list(project, by=caller)
    return PageOut[ServedOut](items=[served_out(one, job, project, factory) for one, job in found])


@router.get("/projects/{project}/served/{served}", access=Right("job.view"))
def show(project: str, served: str, caller: CallerDep, factory: FactoryDep) -> ServedOut:
    """One of them."""
    return served_out(*factory.serving.get(project, served, by=caller), project, factory)


@router.post("/projects/{project}/served/{served}/stop", access=Right("job.cancel"))
def stop(project: str, served: str, caller: CallerDep, factory: FactoryDep) -> ServedOut:
    """End its job. The address and its keys stay, and answer again when a version is served under that name."""
    factory.serving.stop(project, served, by=caller)
    return served_out(*factory.serving.get(project, served, by=caller), project, factory)


# Not kept to be answered again: the answer holds the secret.
@router.post("/projects/{project}/served/{served}/keys", access=Right("job.submit"), status_code=201, once=False)
def create_key(project: str, served: str, wanted: KeyIn, caller: CallerDep, factory: FactoryDep) -> NewKeyOut:
    """A key to this one address, with a budget and an end. Its secret is in this answer and nowhere else."""
    made, secret = factory.serving.create_key(
        project, served, budget=wanted.budget, days=wanted.days, called=wanted.name, paid_by=wanted.paid_by, by=caller
    )
    found, _ = factory.serving.get(project, served, by=caller)
    return NewKeyOut(key=key_out(made, factory), secret=secret, endpoint=endpoint_of(found, project, factory))


@router.get("/projects/{project}/served/{served}/keys", access=Right("job.view"))
def list_keys(project: str, served: str, caller: CallerDep, factory: FactoryDep) -> PageOut[KeyOut]:
    """Its keys, newest first, with what each has used; no secrets."""
    found = factory.serving.keys(project, served, by=caller)
    return PageOut[KeyOut](items=[key_out(one, factory) for one in found])


@router.delete("/projects/{project}/served/{served}/keys/{serving_key}", access=Right("job.submit"))
def end_key(project: str, served: str, serving_key: str, caller: CallerDep, factory: FactoryDep) -> KeyOut:
    """End one's own key, or anybody's for who manages the project."""
    return key_out(factory.serving.end_key(project, served, serving_key, by=caller), factory)
