"""Base models over HTTP, in our own words: how they come in. Read they are in the dialect of the Hugging Face Hub, see `hub`."""

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.base_models.models import MAIN, BaseModel, ModelFile, Pushed, Revision
from fabriek.schemas.base import DoneOut, PageOut
from fabriek.schemas.base_models import (
    BaseModelFileOut,
    BaseModelIn,
    BaseModelOut,
    BaseModelPageOut,
    PlanOut,
    PushedOut,
)
from fabriek.web.bodies import arriving
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router

router = Router(prefix="/api/v1", tags=["base models"])


@router.post("/projects/{project}/base-models/plan", access=Right("lab.write"), once=False)
def plan(project: str, asked: BaseModelIn, caller: CallerDep, factory: FactoryDep) -> PlanOut:
    """What must be sent for a push, and whether it would be refused."""
    planned = factory.base_models.plan(factory.access.project(project).id, _pushed(asked), by=caller)
    return PlanOut(missing=list(planned.missing), label=planned.label, licence=planned.licence)


@router.put("/projects/{project}/base-models/contents/{sha256}", access=Right("lab.write"))
async def put_content(
    project: str,
    sha256: str,
    request: Request,
    caller: CallerDep,
    factory: FactoryDep,
    name: str = Query(max_length=96),
    size: int = Query(ge=0),
    *,
    allow_code: bool = False,
) -> DoneOut:
    """The bytes of one file of a push, as the whole body. They are sealed as they come."""

    def take() -> None:
        home = factory.access.project(project).id
        factory.base_models.take(home, name, sha256, size, arriving(request), allow_code=allow_code, by=caller)

    try:
        await run_in_threadpool(take)
    except ClientDisconnect:
        raise InvalidInput("the file broke off before its end", fix="push again") from None
    return DoneOut()


@router.post("/projects/{project}/base-models", access=Right("lab.write"), once=False)
def push(project: str, asked: BaseModelIn, caller: CallerDep, factory: FactoryDep) -> PushedOut:
    """Make what was sent a revision of a base model. The same files again are the same revision."""
    home = factory.access.project(project).id
    revision, is_new = factory.base_models.push(home, _pushed(asked), by=caller)
    model = factory.base_models.get(home, asked.name, by=caller)
    return PushedOut(**shown(model, revision).model_dump(), new=is_new)


@router.get("/projects/{project}/base-models", access=Right("lab.view"))
def list_base_models(project: str, caller: CallerDep, factory: FactoryDep) -> PageOut[BaseModelOut]:
    """The project's base models by name, each at its main revision."""
    found = factory.base_models.all(factory.access.project(project).id, by=caller)
    return PageOut[BaseModelOut](items=[shown(one, factory.base_models.newest(one)) for one in found])


@router.get("/projects/{project}/base-models/{base_model:path}", access=Right("lab.view"))
def show_base_model(
    project: str, base_model: str, caller: CallerDep, factory: FactoryDep, revision: str = Query(MAIN, max_length=100)
) -> BaseModelPageOut:
    """One base model with its card and its files."""
    model, found = factory.base_models.revision(factory.access.project(project).id, base_model, revision, by=caller)
    files = factory.base_models.files(found, by=caller)
    return BaseModelPageOut(
        **shown(model, found).model_dump(),
        card=found.card,
        listed=[
            BaseModelFileOut(path=one.path, sha256=one.sha256, size_bytes=one.size, code=one.is_code) for one in files
        ],
    )


@router.delete("/projects/{project}/base-models/{base_model:path}", access=Right("data.manage"))
def remove_base_model(project: str, base_model: str, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """Remove a base model with all its revisions; its keys are destroyed. That it was read stays on record."""
    factory.base_models.remove(factory.access.project(project).id, base_model, by=caller)
    return DoneOut()


def shown(model: BaseModel, revision: Revision) -> BaseModelOut:
    return BaseModelOut(
        name=model.name, commit=revision.commit, label=model.label, licence=revision.licence, size_bytes=revision.size,
        files=revision.files, code=revision.has_code, branches=dict(model.branches), pushed_at=revision.created_at,
    )  # fmt: skip


def _pushed(asked: BaseModelIn) -> Pushed:
    return Pushed(
        asked.name, asked.revision, asked.licence, asked.label, asked.allow_code, asked.card,
        tuple(ModelFile(one.path, one.sha256, one.size_bytes) for one in asked.files),
    )  # fmt: skip
