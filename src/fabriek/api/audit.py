"""The audit log over HTTP: for people under /api/v1/audit, and as static tiles (C2SP tlog-tiles) under /audit."""

import base64

from fastapi import Query
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from fabriek.audit.log import Event, facts_of, instant_of
from fabriek.audit.service import Audit
from fabriek.kernel.errors import nothing_here
from fabriek.kernel.tlog.checkpoints import read_checkpoint
from fabriek.kernel.tlog.notes import parse_note
from fabriek.kernel.tlog.tiles import parse_tile_path
from fabriek.schemas.audit import CheckpointOut, EventOut
from fabriek.schemas.base import PageOut
from fabriek.web.dependencies import LIMIT_DEFAULT, LIMIT_MAX, CallerDep, FactoryDep
from fabriek.web.router import PUBLIC, Right, Router

router = Router(tags=["audit"])

FOR_EVER = "max-age=31536000, immutable"
"""A tile never changes; a wider one has another address."""


def _event_out(event: Event) -> EventOut:
    return EventOut(
        id=event.id,
        at=instant_of(event),
        action=event.action,
        subject=event.subject,
        person=event.person,
        organisation=event.organisation,
        job=event.job,
        request=event.request,
        facts=facts_of(event),
    )


def _checkpoint_out(audit: Audit) -> CheckpointOut:
    note = audit.checkpoint()
    signed = read_checkpoint(parse_note(note))
    root = base64.b64encode(signed.root).decode()
    return CheckpointOut(origin=signed.origin, size=signed.size, root=root, key=str(audit.key), note=note)


@router.get("/api/v1/audit/events", access=Right("audit.read"))
def events(  # FastAPI passes them all by name
    caller: CallerDep,
    factory: FactoryDep,
    limit: int = Query(LIMIT_DEFAULT, ge=1, le=LIMIT_MAX),
    cursor: str = "",
    subject: str = Query("", max_length=200),
    person: str = Query("", max_length=200),
) -> PageOut[EventOut]:
    """Events, newest first; narrowed to the id of a thing or of a person."""
    page = factory.audit.events(by=caller, limit=limit, cursor=cursor, subject=subject, person=person)
    return PageOut[EventOut](items=[_event_out(event) for event in page.items], next_cursor=page.next_cursor)


@router.get("/api/v1/audit/checkpoint", access=PUBLIC)
def checkpoint(factory: FactoryDep) -> CheckpointOut:
    """What the log commits to now, and the key that signs it. Keep one: with it, a rewritten log is caught."""
    return _checkpoint_out(factory.audit)


@router.get("/api/v1/audit/export", access=Right("audit.read"), response_class=StreamingResponse)
def export(caller: CallerDep, factory: FactoryDep) -> StreamingResponse:
    """The whole log as JSON lines that can be verified with nothing else: `fabriek audit verify --bundle FILE`."""
    headers = {"Content-Disposition": "attachment; filename=audit.jsonl"}
    return StreamingResponse(factory.audit.export(by=caller), media_type="application/jsonl", headers=headers)


@router.get("/audit/checkpoint", access=PUBLIC, response_class=PlainTextResponse)
def signed_checkpoint(factory: FactoryDep) -> PlainTextResponse:
    """The newest checkpoint as a signed note (C2SP tlog-checkpoint)."""
    return PlainTextResponse(factory.audit.checkpoint())


@router.get("/audit/tile/entries/{place:path}", access=Right("audit.read"), response_class=Response)
def entry_bundle(place: str, caller: CallerDep, factory: FactoryDep) -> Response:
    """A bundle of entries: who did what, so only for those who may read the log."""
    parsed = parse_tile_path(place)
    if parsed is None:
        raise nothing_here()
    bundle = factory.audit.bundle(*parsed, by=caller)
    return Response(bundle, media_type="application/octet-stream", headers={"Cache-Control": f"private, {FOR_EVER}"})


@router.get("/audit/tile/{level}/{place:path}", access=PUBLIC, response_class=Response)
def tile(level: int, place: str, factory: FactoryDep) -> Response:
    """A tile of hashes; they say nothing of what happened."""
    parsed = parse_tile_path(place)
    if parsed is None or not 0 <= level <= 63:
        raise nothing_here()
    hashes = factory.audit.tile(level, *parsed)
    return Response(hashes, media_type="application/octet-stream", headers={"Cache-Control": f"public, {FOR_EVER}"})
