"""tus 1.0: how an upload that breaks off goes on, as released clients speak it. Files come in plain and are sealed as they arrive.

A file that is sent to a dataset becomes a version by itself, beside what the newest one holds. Several are sent to one upload, which is
then finished. Source: the specification tus.io/protocols/resumable-upload, version 1.0.0, with creation, creation-with-upload, expiration,
checksum and termination.
"""

from email.utils import format_datetime

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from fabriek.api.tus_said import (
    OFFSET_TYPE,
    VERSION,
    TusRoute,
    Unspoken,
    arriving_until_broken,
    checksum_of,
    length_of,
    offset_of,
    path_of,
    refusal,
    told_of,
)
from fabriek.api.vault import said, version_out
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import FabriekError
from fabriek.schemas.base import DoneOut
from fabriek.schemas.vault import ArrivalOut, GatheringOut, VersionOut
from fabriek.vault.intake.arrivals import FILE_BYTES_MAX, Arrival
from fabriek.vault.uploads import Upload
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import HOLDER, PUBLIC, Right, Router
from fabriek.web.services import Services

CHECKSUMS = ("sha1", "sha256", "md5")
OFFERED = {
    "Tus-Version": VERSION,
    "Tus-Extension": "creation,creation-with-upload,expiration,checksum,termination",
    "Tus-Max-Size": str(FILE_BYTES_MAX),
    "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
}

router = Router(prefix="/api/v1", tags=["tus"], route_class=TusRoute)


@router.post("/projects/{project}/datasets/{dataset}/file-uploads", access=Right("data.write"), status_code=201)
def gather(project: str, dataset: str, caller: CallerDep, factory: FactoryDep) -> GatheringOut:
    """Begin an upload of files that this server seals: send them to `/uploads/{upload}/files`, then finish it."""
    return _gathering(factory.vault.arriving.open(project, said(dataset), by=caller))


@router.get("/uploads/{upload}/files", access=HOLDER)
def list_files(upload: str, caller: CallerDep, factory: FactoryDep) -> GatheringOut:
    """The files of an upload, and how much of each is here to stay."""
    arrived = [arrival_out(one) for one in factory.vault.arriving.files(upload, by=caller)]
    return _gathering(factory.vault.upload(upload, by=caller)[0]).model_copy(update={"files": arrived})


@router.post("/uploads/{upload}/finish", access=HOLDER, status_code=201, once=False)
def finish(upload: str, caller: CallerDep, factory: FactoryDep) -> VersionOut:
    """Make the files a version, with what the newest one holds. Sent again, the same version."""
    version = factory.vault.arriving.finish(upload, by=caller)
    return version_out(factory.vault.upload(upload, by=caller)[1], version, factory)


@router.delete("/uploads/{upload}/files", access=HOLDER)
def give_up_all(upload: str, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """Forget an upload with all that arrived."""
    factory.vault.arriving.give_up_all(upload, by=caller)
    return DoneOut()


@router.post("/projects/{project}/datasets/{dataset}/files", access=Right("data.write"), status_code=201, once=False)
async def send_to_dataset(
    project: str, dataset: str, request: Request, caller: CallerDep, factory: FactoryDep
) -> Response:
    """tus: announce a file that becomes a version by itself, at its last byte, beside what the newest one holds."""
    await run_in_threadpool(factory.vault.find, said(dataset), project=project, by=caller)

    def begin(path: str, size: int, told: str) -> Arrival:
        return factory.vault.arriving.begin_alone(project, said(dataset), path, size, told=told, by=caller)

    try:
        told = told_of(request)
        begun = await run_in_threadpool(begin, path_of(told), length_of(request), told)
    except FabriekError as error:
        return refusal(request, error)
    return await _created(request, begun, caller, factory)


@router.post("/uploads/{upload}/files", access=HOLDER, status_code=201, once=False)
async def send_to_upload(upload: str, request: Request, caller: CallerDep, factory: FactoryDep) -> Response:
    """tus: announce a file of an upload that will be finished."""
    await run_in_threadpool(factory.vault.arriving.check_holder, upload=upload, by=caller)

    def begin(path: str, size: int, told: str) -> Arrival:
        return factory.vault.arriving.begin(upload, path, size, told=told, by=caller)

    try:
        told = told_of(request)
        begun = await run_in_threadpool(begin, path_of(told), length_of(request), told)
    except FabriekError as error:
        return refusal(request, error)
    return await _created(request, begun, caller, factory)


@router.api_route("/arrivals/{arrival}", methods=["HEAD"], access=HOLDER)
def look(arrival: str, request: Request, caller: CallerDep, factory: FactoryDep) -> Response:
    """tus: how much of a file is here to stay."""
    try:
        found, upload = factory.vault.arriving.look(arrival, by=caller)
        told_of(request)
    except FabriekError as error:
        return refusal(request, error)
    headers = {"Upload-Length": str(found.size)} | ({"Upload-Metadata": found.told} if found.told else {})
    return Response(status_code=200, headers=_standing(found, upload) | headers)


@router.patch("/arrivals/{arrival}", access=HOLDER, status_code=204)
async def take(arrival: str, request: Request, caller: CallerDep, factory: FactoryDep) -> Response:
    """tus: bytes of a file from an offset on. What is acknowledged is on the disk."""
    return await _patched(arrival, request, caller, factory)


@router.delete("/arrivals/{arrival}", access=HOLDER, status_code=204)
def give_up(arrival: str, request: Request, caller: CallerDep, factory: FactoryDep) -> Response:
    """tus: forget a file with its bytes."""
    return _give_up(arrival, request, caller, factory)


@router.post("/arrivals/{arrival}", access=HOLDER, once=False)
async def in_other_words(arrival: str, request: Request, caller: CallerDep, factory: FactoryDep) -> Response:
    """tus: PATCH or DELETE, for clients behind proxies that know only POST (`X-HTTP-Method-Override`)."""
    asked = request.headers.get("x-http-method-override", "").upper()
    if asked == "PATCH":
        return await _patched(arrival, request, caller, factory)
    if asked == "DELETE":
        return await run_in_threadpool(_give_up, arrival, request, caller, factory)
    await run_in_threadpool(factory.vault.arriving.check_holder, arrival=arrival, by=caller)
    return refusal(request, Unspoken("method"))


@router.api_route("/projects/{project}/datasets/{dataset}/files", methods=["OPTIONS"], access=PUBLIC)
@router.api_route("/uploads/{upload}/files", methods=["OPTIONS"], access=PUBLIC)
@router.api_route("/arrivals/{arrival}", methods=["OPTIONS"], access=PUBLIC)
async def options() -> Response:
    """tus: what of it is spoken here; the same for everything, so it tells nothing of anybody."""
    return Response(status_code=204, headers=OFFERED)


def arrival_out(arrival: Arrival) -> ArrivalOut:
    return ArrivalOut(
        arrival=arrival.id, path=arrival.path, size_bytes=arrival.size, arrived_bytes=arrival.arrived, begun_at=arrival.begun_at
    )  # fmt: skip


async def _patched(arrival: str, request: Request, caller: Caller, factory: Services) -> Response:
    await run_in_threadpool(factory.vault.arriving.check_holder, arrival=arrival, by=caller)
    try:
        return await _take(request, arrival, offset_of(request), caller, factory, status=204)
    except FabriekError as error:
        return refusal(request, error)


def _give_up(arrival: str, request: Request, caller: Caller, factory: Services) -> Response:
    factory.vault.arriving.check_holder(arrival=arrival, by=caller)
    try:
        told_of(request)
        factory.vault.arriving.give_up(arrival, by=caller)
    except FabriekError as error:
        return refusal(request, error)
    return Response(status_code=204)


async def _created(request: Request, begun: Arrival, caller: Caller, factory: Services) -> Response:
    """201 with the file's own address; with its first bytes, where the client sent some along."""
    place = {"Location": f"/api/v1/arrivals/{begun.id}"}
    try:
        if request.headers.get("content-type", "") == OFFSET_TYPE:
            return await _take(request, begun.id, 0, caller, factory, status=201, more=place)
        found, upload = await run_in_threadpool(factory.vault.arriving.look, begun.id, by=caller)
    except FabriekError as error:
        # The file is announced all the same, and the client may go on with it.
        return refusal(request, error, more=place)
    return Response(status_code=201, headers=_standing(found, upload) | place)


async def _take(
    request: Request, arrival: str, offset: int, caller: Caller, factory: Services, *, status: int, more: dict[str, str] | None = None
) -> Response:  # fmt: skip
    found, upload = await run_in_threadpool(
        factory.vault.arriving.take,
        arrival,
        offset,
        arriving_until_broken(request),
        checksum=checksum_of(request, CHECKSUMS),
        by=caller,
    )
    return Response(status_code=status, headers=_standing(found, upload) | (more or {}))


def _standing(arrival: Arrival, upload: Upload) -> dict[str, str]:
    """Where it stands, and until when; of a file that is in a version, which one."""
    if upload.version:
        return {"Upload-Offset": str(arrival.arrived), "Fabriek-Version": upload.version}
    return {
        "Upload-Offset": str(arrival.arrived),
        "Upload-Expires": format_datetime(upload.expires_at, usegmt=True),
    }


def _gathering(upload: Upload) -> GatheringOut:
    return GatheringOut(
        upload=upload.id, dataset=upload.dataset, label=upload.label, expires_at=upload.expires_at, version=upload.version
    )  # fmt: skip
