"""Packs over HTTP: pack a job for a machine that we do not run, and take back what it made."""

import base64

from fabriek.api.compute import asked_of
from fabriek.api.foreign import told
from fabriek.api.vault import upload_out
from fabriek.compute.packs.packs import Pack
from fabriek.schemas.assurance import StatementOut
from fabriek.schemas.base import PageOut
from fabriek.schemas.packs import PackedInputOut, PackIn, PackOut, ResultsIn, ResultsOut, ReturnIn, SealIn
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["packs"])


def pack_out(pack: Pack, services: Services) -> PackOut:
    """The pack as the wire shows it."""
    back = pack.returned
    return PackOut(
        id=pack.id, project=services.access.project(pack.project).slug, name=pack.name, state=pack.state, purpose=pack.purpose,
        label=pack.label, command=list(pack.argv), cpus=pack.cpus, gpus=pack.gpus, memory_bytes=pack.memory_bytes,
        wall_seconds_max=pack.wall_seconds_max, packed_at=pack.packed_at, code=pack.code, environment=pack.environment,
        requirements=pack.requirements, job=pack.job, stays=pack.stays, checksums=pack.checksums, site=back.site if back else "",
        exit_code=back.exit_code if back else None, output=back.output if back else "",
        inputs=[
            PackedInputOut(
                dataset=one.dataset_name, version=one.version, version_id=one.version_id, label=one.label, content_hash=one.content_hash,
                mount=one.mount,
            )
            for one in pack.inputs
        ],
    )  # fmt: skip


@router.post("/projects/{project}/packs", access=Right("job.submit"), status_code=201)
def make(project: str, wanted: PackIn, caller: CallerDep, factory: FactoryDep) -> PackOut:
    """Pack a job. Right, label, agreement and purpose are checked as at a submission; credits and room are not asked for."""
    if wanted.job is not None:
        made = factory.packing.pack(project, asked_of(wanted.job), with_data=wanted.data, by=caller)
    else:
        job = factory.compute.get(project, wanted.of_job, by=caller)
        made = factory.packing.pack_job(project, job, with_data=wanted.data, by=caller)
    return pack_out(made, factory)


@router.get("/projects/{project}/packs", access=Right("job.view"))
def list_packs(project: str, caller: CallerDep, factory: FactoryDep) -> PageOut[PackOut]:
    """The project's packs, newest first."""
    return PageOut[PackOut](items=[pack_out(one, factory) for one in factory.packing.list(project, by=caller)])


@router.get("/projects/{project}/packs/{pack}", access=Right("job.view"))
def show(project: str, pack: str, caller: CallerDep, factory: FactoryDep) -> PackOut:
    """One pack."""
    return pack_out(factory.packing.get(project, pack, by=caller), factory)


@router.post("/projects/{project}/packs/{pack}/seal", access=Right("job.submit"))
def seal(project: str, pack: str, wanted: SealIn, caller: CallerDep, factory: FactoryDep) -> StatementOut:
    """The folder is written: the signed statement that binds it to the pack and its purpose."""
    sealed = factory.packing.seal(project, pack, wanted.checksums, by=caller)
    return _statement(sealed.id, factory.assurance.state_pack(sealed), factory)


@router.post("/projects/{project}/packs/{pack}/withdraw", access=Right("job.submit"))
def withdraw(project: str, pack: str, caller: CallerDep, factory: FactoryDep) -> PackOut:
    """Take nothing back from a pack any more."""
    return pack_out(factory.packing.withdraw(project, pack, by=caller), factory)


@router.post("/projects/{project}/packs/{pack}/results", access=Right("job.submit"), status_code=201, once=False)
def receive(project: str, pack: str, wanted: ResultsIn, caller: CallerDep, factory: FactoryDep) -> ResultsOut:
    """Where results are sealed to, under the label of what the job read; or the version that holds them already."""
    coming = factory.packing.receive(project, pack, wanted.content_hash, by=caller)
    if coming.upload is None:
        return ResultsOut(version=coming.version)
    upload, dataset = factory.vault.upload(coming.upload.id, by=caller)
    return ResultsOut.model_construct(upload=upload_out(upload, dataset), version="")


@router.post("/projects/{project}/packs/{pack}/return", access=Right("job.submit"))
def take_back(project: str, pack: str, wanted: ReturnIn, caller: CallerDep, factory: FactoryDep) -> PackOut:
    """The results are sealed: the pack has come back, with a statement that nobody of ours saw it run. The same again changes nothing."""
    back = factory.packing.take_back(
        project, pack, wanted.site, wanted.exit_code, wanted.results, wanted.version, by=caller
    )
    assert back.returned is not None, f"{back.id} was taken back"
    factory.assurance.state_return(back, factory.vault.reference(back.returned.output))
    if wanted.usage is not None:
        factory.bridge.claim(project, told(wanted.site, wanted.usage), by=caller)
    return pack_out(back, factory)


@router.get("/projects/{project}/packs/{pack}/statement", access=Right("job.view"))
def statement(project: str, pack: str, caller: CallerDep, factory: FactoryDep) -> StatementOut:
    """The signed statement of what came back of a pack; of the pack itself while nothing has."""
    found = factory.packing.get(project, pack, by=caller)
    return _statement(found.id, factory.assurance.of_pack(found, by=caller), factory)


def _statement(pack: str, envelope: str, services: Services) -> StatementOut:
    key = base64.b64encode(services.assurance.public_key()).decode()
    return StatementOut(job=pack, envelope=envelope, public_key=key)
