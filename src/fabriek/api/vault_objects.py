"""The sealed bytes over HTTP: objects of an upload in, objects of a grant out. Holders only; the service checks that they are."""

import re
from collections.abc import Callable, Iterator

from fastapi import Header, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from fabriek.api.vault import grant_out, upload_out, version_out
from fabriek.kernel.errors import Damaged, InvalidInput, Unavailable
from fabriek.schemas.base import DoneOut
from fabriek.schemas.vault import CommitIn, GrantOut, MintIn, MintOut, StoredOut, UploadOut, UseIn, VersionOut
from fabriek.vault.pushing import Committed
from fabriek.vault.uploads import OBJECT_BYTES_MAX
from fabriek.web.bodies import arriving
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import HOLDER, Router

AT_ONCE_BYTES_MAX = 2 * 2**20
"""An answer up to this size is held in memory, as those who read here and there ask for it."""

router = Router(prefix="/api/v1", tags=["vault"])


@router.get("/uploads/{upload}", access=HOLDER)
def show_upload(upload: str, caller: CallerDep, factory: FactoryDep) -> UploadOut:
    """An upload, for whoever holds it."""
    return upload_out(*factory.vault.upload(upload, by=caller))


@router.post("/uploads/{upload}/resume", access=HOLDER, status_code=201, once=False)
def resume_upload(upload: str, caller: CallerDep, factory: FactoryDep) -> UploadOut:
    """Go on with an upload that was interrupted: it once more, with a fresh grant on the version that it builds on."""
    return upload_out(*factory.vault.resume_upload(upload, by=caller))


@router.post("/uploads/{upload}/objects", access=HOLDER, status_code=201)
def mint(upload: str, wanted: MintIn, caller: CallerDep, factory: FactoryDep) -> MintOut:
    """Names for objects to come."""
    return MintOut(objects=list(factory.vault.mint(upload, wanted.count, by=caller)), at_store=factory.vault.at_store)


@router.put("/uploads/{upload}/objects/{object_id}", access=HOLDER)
async def put_object(
    upload: str, object_id: str, request: Request, caller: CallerDep, factory: FactoryDep
) -> StoredOut:
    """One sealed object, as the whole body. It is on the disk when this answers; the same bytes may be sent again."""
    _check_length(request.headers.get("content-length"))
    try:
        stored = await run_in_threadpool(factory.vault.put_object, upload, object_id, arriving(request), by=caller)
    except ClientDisconnect:
        raise InvalidInput("the object broke off before its end", fix="send it again") from None
    return StoredOut(size=stored.size, sha256=stored.sha256)


@router.post("/uploads/{upload}/uses", access=HOLDER, status_code=201, once=False)
def use(upload: str, wanted: UseIn, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """Name objects that the version will use, and objects of its parent that it will not, some at a time."""
    factory.vault.use(upload, frozenset(wanted.objects), frozenset(wanted.left), by=caller)
    return DoneOut()


@router.post("/uploads/{upload}/commit", access=HOLDER, status_code=201, once=False)
def commit(upload: str, wanted: CommitIn, caller: CallerDep, factory: FactoryDep) -> VersionOut:
    """Make the upload a version: all of it or nothing. Sent again, the same version."""
    claimed = Committed(
        wanted.manifest_object, wanted.manifest_key, wanted.files, wanted.size_bytes, wanted.content_hash, wanted.count,
        frozenset(wanted.objects), frozenset(wanted.left), wanted.on_parent,
    )  # fmt: skip
    version = factory.vault.commit(upload, claimed, on_newest=wanted.on_newest, by=caller)
    _, dataset = factory.vault.upload(upload, by=caller)
    return version_out(dataset, version, factory)


@router.get("/grants/{grant}", access=HOLDER)
def show_grant(grant: str, caller: CallerDep, factory: FactoryDep) -> GrantOut:
    """The grant with its key once more, for whoever holds it."""
    return grant_out(factory.vault.grant(grant, by=caller))


@router.delete("/grants/{grant}", access=HOLDER)
def end_grant(grant: str, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """Give a grant back."""
    factory.vault.end_grant(grant, by=caller)
    return DoneOut()


@router.get("/grants/{grant}/objects/{object_id}", access=HOLDER, response_class=StreamingResponse)
def get_object(
    grant: str, object_id: str, caller: CallerDep, factory: FactoryDep, range_header: str = Header("", alias="range")
) -> Response:
    """Sealed bytes of an object of the granted version, with one Range (RFC 9110, section 14)."""
    size = factory.vault.granted_object(grant, object_id, by=caller)
    start, stop, is_part = read_range(range_header, size)
    headers = {"Content-Length": str(stop - start), "Accept-Ranges": "bytes"}
    if is_part:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    status = 206 if is_part else 200
    if stop - start <= AT_ONCE_BYTES_MAX:
        # Read here, in the thread that we are in: a stream would change threads for every piece.
        whole = _at_once(lambda: factory.vault.read_object(object_id, start, stop))
        return Response(whole, status, headers, "application/octet-stream")
    pieces = factory.vault.read_object(object_id, start, stop)
    return StreamingResponse(pieces, status, headers, "application/octet-stream")


def _at_once(read: Callable[[], Iterator[bytes]]) -> bytes:
    """Nothing is answered yet, so that a store which broke off, or knew no more of what it had a moment ago, is asked once more."""
    try:
        return b"".join(read())
    except (Unavailable, Damaged):
        return b"".join(read())


def read_range(header: str, size: int) -> tuple[int, int, bool]:
    """(start, stop, whether it is a part). A header that is not one plain range of bytes is passed over, as the RFC lets us.

    Raises InvalidInput on a range that begins behind the end.
    """
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", header.strip())
    if found is None or found[0] == "bytes=-":
        return 0, size, False
    if not found[1]:
        start, stop = max(0, size - int(found[2])), size
    else:
        start, stop = int(found[1]), min(size, int(found[2]) + 1) if found[2] else size
        if found[2] and int(found[2]) < start:
            return 0, size, False
    if start >= size or start == stop:
        raise InvalidInput(f"the object has {size} bytes, and the range begins behind them", fix="ask for less")
    return start, stop, True


def _check_length(header: str | None) -> None:
    """Refuses before the first byte what would be refused at the last."""
    if header is not None and header.isdigit() and int(header) > OBJECT_BYTES_MAX:
        raise InvalidInput(f"an object holds at most {OBJECT_BYTES_MAX} bytes", fix="send it in parts")
