"""Versions over HTTP that stand already: their tags, and the end of one."""

from fabriek.api.vault import said, version_out
from fabriek.schemas.base import DoneOut
from fabriek.schemas.vault import TagIn, TagOut, VersionOut
from fabriek.vault.tags import Tag
from fabriek.vault.versions import Version
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router

router = Router(prefix="/api/v1", tags=["vault"])


def tag_out(tag: Tag, version: Version) -> TagOut:
    return TagOut(tag=tag.name, version=version.id, number=version.number, set_at=tag.set_at, set_by=tag.set_by)


@router.post(
    "/projects/{project}/datasets/{dataset}/versions/{version}/tags", access=Right("data.manage"), status_code=201
)
def tag_version(
    project: str, dataset: str, version: str, wanted: TagIn, caller: CallerDep, factory: FactoryDep
) -> TagOut:
    """Name a version, or move a name to it. The owner's decision."""
    tag = factory.vault.tag(said(dataset, version), wanted.tag, project=project, by=caller)
    return tag_out(tag, factory.vault.resolve(tag.version, project=project, by=caller)[1])


@router.get("/projects/{project}/datasets/{dataset}/tags", access=Right("data.view"))
def list_tags(project: str, dataset: str, caller: CallerDep, factory: FactoryDep) -> list[TagOut]:
    """The dataset's tags, by name."""
    found = factory.vault.tags(said(dataset), project=project, by=caller)
    return [tag_out(tag, factory.vault.resolve(tag.version, project=project, by=caller)[1]) for tag in found]


@router.delete("/projects/{project}/datasets/{dataset}/tags/{tag}", access=Right("data.manage"))
def remove_tag(project: str, dataset: str, tag: str, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """The name stands for nothing again."""
    factory.vault.untag(said(dataset), tag, project=project, by=caller)
    return DoneOut()


@router.delete("/projects/{project}/datasets/{dataset}/versions/{version}", access=Right("data.manage"))
def remove_version(project: str, dataset: str, version: str, caller: CallerDep, factory: FactoryDep) -> VersionOut:
    """Remove a version for good. Refused while a tag names it or somebody has it open."""
    found, _ = factory.vault.resolve(said(dataset, version), project=project, by=caller)
    return version_out(found, factory.vault.remove_version(said(dataset, version), project=project, by=caller), factory)
