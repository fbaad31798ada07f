"""Datasets over HTTP: make, push, share. Data moves sealed; see vault_objects for the bytes.

`{dataset}` is a name in the project, an id, or `home:name` for a dataset of another project; `{version}` a number, a tag,
`newest`, or an id.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from fastapi import Query

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, nothing_here
from fabriek.schemas.base import DoneOut, PageOut
from fabriek.schemas.vault import (
    AccessRequestIn,
    AccessRequestOut,
    AgreementIn,
    AgreementOut,
    DatasetIn,
    DatasetOut,
    GrantOut,
    OpenedOut,
    RecordOut,
    StepOut,
    UploadIn,
    UploadOut,
    VersionOut,
)
from fabriek.vault.agreeing.agreements import Agreement, is_in_force
from fabriek.vault.agreeing.requests import AccessRequest
from fabriek.vault.care.damage import Damage
from fabriek.vault.datasets import Dataset
from fabriek.vault.keeping.homes import PROMISES
from fabriek.vault.opening import Opened
from fabriek.vault.references import is_id, read_reference
from fabriek.vault.uploads import Upload
from fabriek.vault.versions import Version
from fabriek.web.dependencies import LIMIT_DEFAULT, LIMIT_MAX, CallerDep, FactoryDep
from fabriek.web.router import ANY_TOKEN, SIGNED_IN, Right, Router

if TYPE_CHECKING:
    from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["vault"])


def dataset_out(dataset: Dataset, services: "Services") -> DatasetOut:
    """The dataset as the wire shows it, with its newest version's figures."""
    return datasets_out([dataset], services)[0]


def datasets_out(found: Sequence[Dataset], services: "Services") -> list[DatasetOut]:
    """The same of many: what stands beside them is asked for once, however many they are."""
    ids = [one.id for one in found]
    newest_of, held = services.vault.newest_of(ids), services.vault.erasing.held_among(ids)
    projects = services.access.projects_among({one.project for one in found})
    damage = services.vault.checking.damage_of_versions([one.id for one in newest_of.values()])
    shown = []
    for dataset in found:
        newest = newest_of.get(dataset.id)
        facts = newest.facts if newest else None
        shown.append(
            DatasetOut(
                id=dataset.id,
                project=projects[dataset.project].slug,
                name=dataset.name,
                organisation=dataset.organisation,
                label=dataset.label,
                created_at=dataset.created_at,
                created_by=dataset.created_by,
                newest=newest.number if newest else 0,
                files=facts.files if facts else 0,
                size_bytes=facts.size_bytes if facts else 0,
                is_published=dataset.is_published,
                key_home=str(dataset.key_home),
                promise=PROMISES[dataset.key_home],
                held=dataset.id in held,
                keep_until=dataset.keep_until,
                erase_after=dataset.erase_after,
                erased_at=dataset.erased_at,
                verified_at=newest.verified_at if newest else None,
                damage=damage_said(damage.get(newest.id, ())) if newest else "",
            )
        )
    return shown


def damage_said(found: Sequence[Damage]) -> str:
    """What is wrong with a version, in a few words; empty where nothing is known to be."""
    return f"{found[0].why}" + (f" ({len(found)} places)" if len(found) > 1 else "") if found else ""


def version_out(dataset: Dataset, version: Version, services: "Services") -> VersionOut:
    return versions_out(dataset, [version], services)[0]


def versions_out(dataset: Dataset, found: Sequence[Version], services: "Services") -> list[VersionOut]:
    damage = services.vault.checking.damage_of_versions([one.id for one in found])
    return [
        VersionOut(
            id=one.id, dataset=dataset.id, name=dataset.name, number=one.number, label=facts.label, files=facts.files,
            size_bytes=facts.size_bytes, content_hash=facts.content_hash, created_at=one.created_at, created_by=one.created_by,
            verified_at=one.verified_at, damage=damage_said(damage.get(one.id, ())),
        )
        for one, facts in ((one, one.facts) for one in found)
    ]  # fmt: skip


def grant_out(opened: Opened) -> GrantOut:
    facts = opened.facts
    return GrantOut.model_construct(
        grant=opened.grant.id,
        organisation=facts.organisation,
        dataset=facts.dataset,
        version=facts.version,
        number=facts.number,
        manifest_object=facts.manifest,
        manifest_key=opened.manifest_key,
        expires_at=opened.grant.expires_at,
        at_store=opened.at_store,
        record=RecordOut.model_construct(text=opened.record.text, signature=opened.record.signature),
    )


def upload_out(upload: Upload, dataset: Dataset, parent: Opened | None = None) -> UploadOut:
    return UploadOut.model_construct(
        upload=upload.id,
        dataset=dataset.id,
        organisation=dataset.organisation,
        label=upload.label,
        parent=grant_out(parent) if parent else None,
    )


def _opened(upload: Upload, services: "Services", by: Caller) -> UploadOut:
    _, dataset = services.vault.upload(upload.id, by=by)
    return upload_out(upload, dataset, services.vault.parent_of(upload, by=by))


def agreement_out(agreement: Agreement, services: "Services") -> AgreementOut:
    return agreements_out([agreement], services)[0]


def agreements_out(found: Sequence[Agreement], services: "Services") -> list[AgreementOut]:
    projects, today = services.access.projects_among({one.project for one in found}), services.clock.today()
    return [
        AgreementOut(
            id=one.id, dataset=one.dataset, project=projects[one.project].slug, purposes=sorted(one.purposes), right=one.right.value,
            until=one.until, signed_by=one.signed_by, signed_at=one.signed_at, ended_at=one.ended_at, terms=one.terms,
            places=list(one.places), in_force=is_in_force(one, today),
        )
        for one in found
    ]  # fmt: skip


def request_out(request: AccessRequest, services: "Services") -> AccessRequestOut:
    return requests_out([request], services)[0]


def requests_out(found: Sequence[AccessRequest], services: "Services") -> list[AccessRequestOut]:
    names, slugs = names_of((one.person for one in found), services), slugs_of((one.project for one in found), services)
    return [
        AccessRequestOut(
            id=one.id, dataset=one.dataset, project=slugs[one.project], organisation=one.organisation, person=one.person,
            person_name=names[one.person], purpose=one.purpose, right=one.right.value, reason=one.reason, asked_at=one.asked_at,
            state=str(one.state), answers=dict(one.answers),
            steps=[StepOut(state=str(each.state), person=each.person, at=each.at, words=each.words) for each in one.steps],
        )
        for one in found
    ]  # fmt: skip


def name_of(person: str, services: "Services") -> str:
    """What a person is called; empty for nobody in particular."""
    return names_of([person], services)[person]


def names_of(persons: Iterable[str], services: "Services") -> Mapping[str, str]:
    """What each is called."""
    found = services.access.people_among({one for one in persons if one})
    return {"": ""} | {person: one.name for person, one in found.items()}


def slugs_of(projects: Iterable[str], services: "Services") -> Mapping[str, str]:
    """What each is called in addresses; empty where none was acted in."""
    found = services.access.projects_among({one for one in projects if one})
    return {"": ""} | {project: one.slug for project, one in found.items()}


def said(dataset: str, version: str = "") -> str:
    """A path's dataset and version as one reference. Raises NotFound on a version that is not one."""
    if is_id(version, "ver"):
        return version
    name = dataset.replace(":", "/", 1)
    if version in {"", "newest"}:
        return name
    if is_id(name, "ds"):
        raise nothing_here()
    try:
        read_reference(f"{name}@{version}")
    except InvalidInput:
        raise nothing_here() from None
    return f"{name}@{version}"


@router.post("/projects/{project}/datasets", access=Right("data.write"), status_code=201)
def create(project: str, wanted: DatasetIn, caller: CallerDep, factory: FactoryDep) -> DatasetOut:
    """Make a dataset, owned by your organisation."""
    return dataset_out(
        factory.vault.create(project, wanted.name, label=wanted.label, key_home=wanted.key_home, by=caller), factory
    )


@router.get("/projects/{project}/datasets", access=Right("data.view"))
def list_datasets(
    project: str,
    caller: CallerDep,
    factory: FactoryDep,
    limit: int = Query(LIMIT_DEFAULT, ge=1, le=LIMIT_MAX),
    cursor: str = "",
) -> PageOut[DatasetOut]:
    """The project's datasets, by name."""
    scope = f"datasets:{factory.access.project(project).id}"
    found = factory.vault.list(project, limit=limit + 1, after=factory.cursors.read(scope, cursor), by=caller)
    more = factory.cursors.write(scope, found[limit - 1].name) if len(found) > limit else ""
    return PageOut[DatasetOut](items=datasets_out(found[:limit], factory), next_cursor=more)


@router.get("/projects/{project}/datasets/{dataset}", access=Right("data.view"))
def show(project: str, dataset: str, caller: CallerDep, factory: FactoryDep) -> DatasetOut:
    """One dataset, of this project or one that this project may know of."""
    return dataset_out(factory.vault.find(said(dataset), project=project, by=caller), factory)


@router.get("/datasets/{dataset}", access=SIGNED_IN)
def show_known(dataset: str, caller: CallerDep, factory: FactoryDep) -> DatasetOut:
    """One dataset by id or `home:name`, for those who know of it from the catalogue."""
    return dataset_out(factory.vault.find(said(dataset), by=caller), factory)


@router.get("/projects/{project}/datasets/{dataset}/versions", access=Right("data.view"))
def list_versions(project: str, dataset: str, caller: CallerDep, factory: FactoryDep) -> list[VersionOut]:
    """Its versions, newest first."""
    found = factory.vault.find(said(dataset), project=project, by=caller)
    return versions_out(found, factory.vault.versions(found.id, by=caller), factory)


@router.get("/projects/{project}/datasets/{dataset}/versions/{version}", access=Right("data.view"))
def show_version(project: str, dataset: str, version: str, caller: CallerDep, factory: FactoryDep) -> VersionOut:
    """One version."""
    return version_out(*factory.vault.resolve(said(dataset, version), project=project, by=caller), factory)


# Answers with a key in them are never kept: `once=False` leaves the store of answers out.


@router.post("/projects/{project}/datasets/{dataset}/uploads", access=Right("data.write"), status_code=201, once=False)
def open_upload(project: str, dataset: str, wanted: UploadIn, caller: CallerDep, factory: FactoryDep) -> UploadOut:
    """Begin a version. Only the owner's people push."""
    return _opened(factory.vault.open_upload(project, said(dataset), label=wanted.label, by=caller), factory, caller)


@router.post("/projects/{project}/code", access=Right("job.submit"), status_code=201, once=False)
def open_code_upload(project: str, caller: CallerDep, factory: FactoryDep) -> UploadOut:
    """Begin a version of your own code for jobs in this project."""
    return _opened(factory.vault.open_code_upload(project, by=caller), factory, caller)


@router.post(
    "/projects/{project}/datasets/{dataset}/versions/{version}/grants",
    access=Right("data.view"),
    status_code=201,
    once=False,
)
def open_version(project: str, dataset: str, version: str, caller: CallerDep, factory: FactoryDep) -> GrantOut:
    """Open a version outside any job, acting in this project: that needs the right take_away."""
    return grant_out(factory.vault.open(said(dataset, version), project=project, by=caller))


@router.post("/datasets/{dataset}/versions/{version}/grants", access=ANY_TOKEN, status_code=201, once=False)
def open_known(dataset: str, version: str, caller: CallerDep, factory: FactoryDep) -> GrantOut:
    """The same by id or `home:name`, acting in whichever of your projects will do."""
    return grant_out(factory.vault.open(said(dataset, version), by=caller))


@router.post("/projects/{project}/datasets/{dataset}/agreements", access=Right("data.manage"), status_code=201)
def agree(project: str, dataset: str, wanted: AgreementIn, caller: CallerDep, factory: FactoryDep) -> AgreementOut:
    """Let a project use the data. The owner's decision."""
    agreement = factory.vault.agree(
        said(dataset), home=project, project=wanted.project, purposes=wanted.purposes, right=wanted.right,
        until=wanted.until, places=wanted.places, by=caller,
    )  # fmt: skip
    return agreement_out(agreement, factory)


@router.get("/projects/{project}/datasets/{dataset}/agreements", access=Right("data.view"))
def list_agreements(project: str, dataset: str, caller: CallerDep, factory: FactoryDep) -> list[AgreementOut]:
    """The agreements on a dataset; of others' data, those of your own projects."""
    found = factory.vault.agreements_on(said(dataset), project=project, by=caller)
    return agreements_out(found, factory)


@router.post("/agreements/{agreement}/end", access=SIGNED_IN)
def end_agreement(agreement: str, caller: CallerDep, factory: FactoryDep) -> AgreementOut:
    """End an agreement. What the project has open closes, nothing opens any more, and what jobs mounted closes within a minute."""
    return agreement_out(factory.vault.end_agreement(agreement, by=caller), factory)


@router.post("/projects/{project}/datasets/{dataset}/access-requests", access=Right("data.view"), status_code=201)
def request_access(
    project: str, dataset: str, wanted: AccessRequestIn, caller: CallerDep, factory: FactoryDep
) -> AccessRequestOut:
    """Ask the owner for access from this project."""
    asked = wanted.model_dump()
    return request_out(factory.vault.request_access(said(dataset), project=project, **asked, by=caller), factory)


@router.post("/datasets/{dataset}/access-requests", access=Right("access.request"), status_code=201)
def request_known(dataset: str, wanted: AccessRequestIn, caller: CallerDep, factory: FactoryDep) -> AccessRequestOut:
    """Ask the owner for access without a project yet."""
    return request_out(factory.vault.request_access(said(dataset), **wanted.model_dump(), by=caller), factory)


@router.get("/projects/{project}/datasets/{dataset}/access-requests", access=Right("data.manage"))
def list_requests(project: str, dataset: str, caller: CallerDep, factory: FactoryDep) -> list[AccessRequestOut]:
    """What was asked of you, the owner."""
    found = factory.vault.requests_on(said(dataset), project=project, by=caller)
    return requests_out(found, factory)


@router.get("/projects/{project}/datasets/{dataset}/log", access=Right("data.manage"))
def log(
    project: str,
    dataset: str,
    caller: CallerDep,
    factory: FactoryDep,
    limit: int = Query(LIMIT_DEFAULT, ge=1, le=LIMIT_MAX),
) -> list[OpenedOut]:
    """Who opened the data, newest first. For its owner."""
    found = factory.vault.opened(said(dataset), project=project, limit=limit, by=caller)
    numbers = {one.id: one.number for one in factory.vault.versions(said(dataset), project=project, by=caller)}
    names, slugs = names_of((one.person for one in found), factory), slugs_of((one.project for one in found), factory)
    return [
        OpenedOut(
            grant=grant.id,
            version=grant.version,
            number=numbers.get(grant.version, 0),
            right=grant.right.value,
            person=grant.person,
            person_name=names[grant.person],
            job=grant.job,
            project=slugs[grant.project],
            opened_at=grant.opened_at,
            ended_at=grant.ended_at,
        )
        for grant in found
    ]


@router.post("/projects/{project}/datasets/{dataset}/epochs", access=Right("data.manage"), status_code=201)
def begin_epoch(project: str, dataset: str, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """A new wrapping key for what is pushed from now on."""
    found = factory.vault.find(said(dataset), project=project, by=caller)
    factory.vault.new_epoch(found.id, by=caller)
    return DoneOut()
