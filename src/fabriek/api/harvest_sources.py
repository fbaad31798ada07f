"""Catalogues elsewhere, over HTTP: added, read and taken away by operators."""

from fastapi import Response

from fabriek.knowledge.harvest.sources import Source
from fabriek.schemas.harvest import SourceIn, SourceOut, SourcesOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router

router = Router(prefix="/api/v1", tags=["knowledge"])


def source_out(source: Source) -> SourceOut:
    return SourceOut(
        id=source.id, address=source.address, name=source.name, added_at=source.added_at, tried_at=source.tried_at, good_at=source.good_at,
        trouble=source.trouble, entries=source.entries, pages=source.pages, left_out=list(source.left_out), left_out_count=source.left_out_count,
    )  # fmt: skip


@router.post("/harvest-sources", access=Right("knowledge.harvest"), status_code=201)
def add(asked: SourceIn, caller: CallerDep, factory: FactoryDep) -> SourceOut:
    """Add a catalogue elsewhere. It is read within a minute, and once a day from then on."""
    return source_out(factory.harvesting.add(asked.address, asked.name, by=caller))


@router.get("/harvest-sources", access=Right("knowledge.harvest"))
def sources(caller: CallerDep, factory: FactoryDep) -> SourcesOut:
    """The catalogues elsewhere, and how each was when it was read last."""
    return SourcesOut(items=[source_out(one) for one in factory.harvesting.all(by=caller)])


@router.post("/harvest-sources/{source}/run", access=Right("knowledge.harvest"))
def run(source: str, caller: CallerDep, factory: FactoryDep) -> SourceOut:
    """Read one now. How it went stands in the answer; where it failed, what was here stays."""
    return source_out(factory.harvesting.run(source, by=caller))


@router.delete("/harvest-sources/{source}", access=Right("knowledge.harvest"), status_code=204)
def remove(source: str, caller: CallerDep, factory: FactoryDep) -> Response:
    """Take one away, with all entries that came from it."""
    factory.harvesting.remove(source, by=caller)
    return Response(status_code=204)
