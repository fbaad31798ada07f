"""Packages and requests for them over HTTP."""

from collections.abc import Sequence

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput
from fabriek.packages.files import EVERYBODY, Listed
from fabriek.packages.names import read_pinned
from fabriek.packages.requests import Request as Asked
from fabriek.schemas.base import PageOut
from fabriek.schemas.packages import (
    ApproveIn,
    FindingOut,
    PackageFileOut,
    PackageRequestIn,
    PackageRequestOut,
    RefuseIn,
    WithdrawIn,
)
from fabriek.web.bodies import arriving
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["packages"])


def file_out(listed: Listed, services: Services) -> PackageFileOut:
    file, approvals = listed.file, listed.approvals
    last = approvals[-1] if approvals else None
    return PackageFileOut(
        file=file.name, package=file.package, version=file.version, standing=listed.standing,
        everybody=any(one.project == EVERYBODY for one in approvals),
        projects=[services.access.project(one.project).slug for one in approvals if one.project != EVERYBODY],
        approved_by=services.access.person(last.by).name if last else "", approved_at=last.at if last else None, sha256=file.sha256,
        size_bytes=file.size_bytes, tags=file.tags, requires_python=file.requires_python, licence=file.licence, summary=file.summary,
        findings=[FindingOut(rule=one.rule, weight=one.weight, says=one.says) for one in file.findings],
        withdrawn_for=file.withdrawn_for,
    )  # fmt: skip


def request_out(asked: Asked, services: Services, page: str, files: Sequence[Listed] = ()) -> PackageRequestOut:
    return PackageRequestOut(
        id=asked.id, package=str(asked.package), project=services.access.project(asked.project).slug if asked.project else "",
        by=services.access.person(asked.person).name, reason=asked.reason, state=asked.state, asked_at=asked.asked_at,
        trouble=asked.trouble, decided_by=services.access.person(asked.decided_by).name if asked.decided_by else "",
        decided_at=asked.decided_at, decision=asked.decision, page=f"{page}packages/requests/{asked.id}",
        files=[file_out(one, services) for one in files],
    )  # fmt: skip


def _shown(asked: Asked, request: Request, caller: Caller, services: Services) -> PackageRequestOut:
    known = services.packages.request(asked.id, by=caller)
    return request_out(known, services, str(request.base_url), services.packages.files_of(known, by=caller))


@router.get("/packages", access=SIGNED_IN)
def list_packages(
    caller: CallerDep, factory: FactoryDep, q: str = Query("", max_length=100)
) -> PageOut[PackageFileOut]:
    """What you may install, and for who approves everything that is kept; `q`: those whose name or summary holds it."""
    listed = factory.packages.shelf.listed(by=caller)
    asked = q.lower().strip()
    found = [one for one in listed if asked in one.file.package or asked in one.file.summary.lower()]
    return PageOut[PackageFileOut](items=[file_out(one, factory) for one in found])


@router.get("/packages/{name}", access=SIGNED_IN)
def show_package(name: str, caller: CallerDep, factory: FactoryDep) -> PageOut[PackageFileOut]:
    """Every file of one package that you may know of, with what was found."""
    listed = factory.packages.shelf.listed(name, by=caller)
    return PageOut[PackageFileOut](items=[file_out(one, factory) for one in listed])


@router.post("/packages/withdraw", access=Right("package.approve"))
def withdraw(asked: WithdrawIn, caller: CallerDep, factory: FactoryDep) -> PageOut[PackageFileOut]:
    """Take a version off every index: nobody installs it from now on."""
    gone = factory.packages.shelf.withdraw(read_pinned(asked.package), asked.reason, by=caller)
    return PageOut[PackageFileOut](items=[file_out(Listed(one), factory) for one in gone])


@router.post("/projects/{project}/package-requests", access=Right("package.ask"), status_code=201)
def ask(
    project: str, asked: PackageRequestIn, request: Request, caller: CallerDep, factory: FactoryDep
) -> PackageRequestOut:
    """Ask for a package in a project. One that waits already is given again, and its files are looked for anew."""
    made = factory.packages.ask(project, asked.package, asked.reason, by=caller)
    return _shown(made, request, caller, factory)


@router.get("/projects/{project}/package-requests", access=Right("package.ask"))
def list_of_project(
    project: str, request: Request, caller: CallerDep, factory: FactoryDep
) -> PageOut[PackageRequestOut]:
    """What the project asked for, newest first."""
    found = factory.packages.requests(project, by=caller)
    return PageOut[PackageRequestOut](items=[request_out(one, factory, str(request.base_url)) for one in found])


@router.get("/package-requests", access=Right("package.approve"))
def list_all(request: Request, caller: CallerDep, factory: FactoryDep) -> PageOut[PackageRequestOut]:
    """What everybody asked for, newest first."""
    found = factory.packages.requests(by=caller)
    return PageOut[PackageRequestOut](items=[request_out(one, factory, str(request.base_url)) for one in found])


@router.post("/package-requests", access=Right("package.add"), status_code=201)
def carry(asked: PackageRequestIn, request: Request, caller: CallerDep, factory: FactoryDep) -> PackageRequestOut:
    """As an operator: open a request for all, whose files you bring."""
    return _shown(factory.packages.carry(asked.package, asked.reason, by=caller), request, caller, factory)


@router.get("/package-requests/{package_request}", access=SIGNED_IN)
def show(package_request: str, request: Request, caller: CallerDep, factory: FactoryDep) -> PackageRequestOut:
    """One request with its files and what was found."""
    return _shown(factory.packages.request(package_request, by=caller), request, caller, factory)


@router.put("/package-requests/{package_request}/files/{name}", access=Right("package.add"))
async def put_file(
    package_request: str, name: str, request: Request, caller: CallerDep, factory: FactoryDep
) -> PackageFileOut:
    """One wheel of a request, as the whole body. It is sealed as it comes, looked through, and kept only if it is sound."""
    try:
        kept = await run_in_threadpool(factory.packages.take, package_request, name, arriving(request), by=caller)
    except ClientDisconnect:
        raise InvalidInput("the file broke off before its end", fix="send it again") from None
    return await run_in_threadpool(file_out, Listed(kept), factory)


@router.post("/package-requests/{package_request}/ready", access=Right("package.add"))
def ready(package_request: str, request: Request, caller: CallerDep, factory: FactoryDep) -> PackageRequestOut:
    """All files are there: it can be decided."""
    return _shown(factory.packages.ready(package_request, by=caller), request, caller, factory)


@router.post("/package-requests/{package_request}/approve", access=Right("package.approve"))
def approve(
    package_request: str, asked: ApproveIn, request: Request, caller: CallerDep, factory: FactoryDep
) -> PackageRequestOut:
    """Put it and all that it needs on the index. Never by who asked."""
    done = factory.packages.approve(package_request, everybody=asked.everybody, despite=asked.despite, by=caller)
    return _shown(done, request, caller, factory)


@router.post("/package-requests/{package_request}/refuse", access=Right("package.approve"))
def refuse(
    package_request: str, asked: RefuseIn, request: Request, caller: CallerDep, factory: FactoryDep
) -> PackageRequestOut:
    """Refuse it, and say why."""
    return _shown(factory.packages.refuse(package_request, asked.reason, by=caller), request, caller, factory)


@router.post("/package-requests/{package_request}/withdraw", access=SIGNED_IN)
def take_back(package_request: str, request: Request, caller: CallerDep, factory: FactoryDep) -> PackageRequestOut:
    """Take back what you asked for."""
    return _shown(factory.packages.take_back(package_request, by=caller), request, caller, factory)
