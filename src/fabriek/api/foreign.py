"""The accounts of other sites over HTTP: an import in batches, its quarantine, and what it came to."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC

from fastapi import Query

from fabriek.funding.elsewhere.foreign import Dump, ForeignKey, Mapped, Refused, Told
from fabriek.funding.reports import ForeignTotal
from fabriek.kernel.units import shown
from fabriek.schemas.base import PageOut
from fabriek.schemas.foreign import (
    BatchIn,
    DumpIn,
    DumpOut,
    ForeignJobIn,
    ForeignTotalOut,
    MappedIn,
    PreviewIn,
    PreviewOut,
    RefusedLine,
)
from fabriek.web.dependencies import LIMIT_DEFAULT, LIMIT_MAX, CallerDep, FactoryDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["funding"])


def told(site: str, one: ForeignJobIn) -> Told:
    """The line as the rules read it."""
    key = ForeignKey(site, one.cluster, one.job, one.task, one.started_at.astimezone(UTC).replace(microsecond=0))
    return Told(one.line, key, one.account, one.state, one.elapsed_seconds, one.gpus, one.cpus, one.is_over)


def totals_out(found: Sequence[ForeignTotal], services: Services) -> list[ForeignTotalOut]:
    return [
        ForeignTotalOut(
            project=services.access.project(one.project).slug, site=one.site, resource=one.resource, jobs=one.jobs, used=shown(one.used),
            over=shown(one.over),
        )
        for one in found
    ]  # fmt: skip


def _dump_out(dump: Dump) -> DumpOut:
    return DumpOut(**{name: value for name, value in asdict(dump).items() if name in DumpOut.model_fields})


def _mapped(rows: Sequence[MappedIn]) -> list[Mapped]:
    return [Mapped(**one.model_dump()) for one in rows]


@router.post("/foreign/dumps", access=Right("usage.import"), status_code=201)
def open_dump(wanted: DumpIn, caller: CallerDep, factory: FactoryDep) -> DumpOut:
    """Begin to import a site's accounts. The map says whose each account is; what it does not say is quarantined."""
    accounts = _mapped(wanted.accounts)
    return _dump_out(factory.bridge.open(wanted.site, wanted.file, wanted.sha256, accounts, by=caller))


@router.post("/foreign/dumps/{dump}/lines", access=Right("usage.import"))
def take_lines(dump: str, wanted: BatchIn, caller: CallerDep, factory: FactoryDep) -> DumpOut:
    """Book a batch of lines. What stands in the books already changes nothing."""
    site = factory.bridge.dump(dump, by=caller).site
    refused = [Refused(one.line, one.reason) for one in wanted.refused]
    lines = [told(site, one) for one in wanted.jobs]
    return _dump_out(factory.bridge.take(dump, lines, refused, wanted.skipped, by=caller)[0])


@router.post("/foreign/dumps/{dump}/close", access=Right("usage.import"))
def close_dump(dump: str, caller: CallerDep, factory: FactoryDep) -> DumpOut:
    """The file has been read to its end; its counts and its hash go into the audit log."""
    return _dump_out(factory.bridge.close(dump, by=caller))


@router.post("/foreign/previews", access=Right("usage.import"), once=False)
def preview(wanted: PreviewIn, caller: CallerDep, factory: FactoryDep) -> PreviewOut:
    """What a batch would come to; nothing of it stays."""
    lines = [told(wanted.site, one) for one in wanted.jobs]
    batch = factory.bridge.preview(_mapped(wanted.accounts), lines, by=caller)
    return PreviewOut(
        booked=batch.booked, corrected=batch.corrected, known=batch.known,
        refused=[RefusedLine(line=one.line, reason=one.reason) for one in batch.refused],
        totals=totals_out(batch.totals(), factory),
    )  # fmt: skip


@router.get("/foreign/dumps", access=Right("usage.import"))
def list_dumps(
    caller: CallerDep, factory: FactoryDep, limit: int = Query(LIMIT_DEFAULT, ge=1, le=LIMIT_MAX)
) -> PageOut[DumpOut]:
    """Imports, newest first."""
    return PageOut[DumpOut](items=[_dump_out(one) for one in factory.bridge.dumps(limit=limit, by=caller)])


@router.get("/foreign/dumps/{dump}/quarantine", access=Right("usage.import"))
def quarantine(
    dump: str,
    caller: CallerDep,
    factory: FactoryDep,
    limit: int = Query(LIMIT_DEFAULT, ge=1, le=LIMIT_MAX),
    after: int = Query(-1, ge=-1),
) -> PageOut[RefusedLine]:
    """The lines of an import that are not in the books, and why; from the line after `after` on."""
    found = factory.bridge.quarantined(dump, limit=limit, after=after, by=caller)
    return PageOut[RefusedLine](items=[RefusedLine(line=one.line, reason=one.reason) for one in found])


@router.get("/foreign/usage", access=Right("funding.view"))
def usage(caller: CallerDep, factory: FactoryDep) -> PageOut[ForeignTotalOut]:
    """What every project used at other sites."""
    return PageOut[ForeignTotalOut](items=totals_out(factory.bridge.totals(by=caller), factory))


@router.get("/projects/{project}/foreign-usage", access=Right("project.view"))
def usage_of(project: str, caller: CallerDep, factory: FactoryDep) -> PageOut[ForeignTotalOut]:
    """What one project used at other sites."""
    return PageOut[ForeignTotalOut](items=totals_out(factory.bridge.totals_of(project, by=caller), factory))
