"""The catalogue over HTTP."""

from fastapi import Query, Response

from fabriek.knowledge.catalogue.entries import Entry, Face, Reach
from fabriek.schemas.catalogue import EntryIn, EntryOut, EntryRequestIn, EntryRequestOut, FoundOut, SuggestionsOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["knowledge"])


def entry_out(entry: Entry, services: Services, passage: str = "") -> EntryOut:
    organisation = services.access.organisation(entry.organisation).slug
    return EntryOut(
        id=entry.id, kind=entry.kind, subject=entry.subject, title=entry.title, summary=entry.summary, label=entry.label, licence=entry.licence,
        terms=entry.terms, keywords=list(entry.keywords), language=entry.language, text=entry.text, organisation=organisation,
        published_at=entry.published_at, reach=entry.reach, passage=passage,
    )  # fmt: skip


@router.post("/projects/{project}/cards", access=Right("knowledge.publish"), status_code=201)
def publish(project: str, asked: EntryIn, caller: CallerDep, factory: FactoryDep) -> EntryOut:
    """Publish the card of a dataset or model: those in its reach may know of it then, and nobody may read it for that."""
    face = Face(
        asked.title, asked.summary, asked.licence, asked.terms, tuple(asked.keywords), asked.language, asked.text
    )
    reach = Reach(asked.reach)
    return entry_out(
        factory.catalogue.publish(project, asked.kind, asked.subject, face, reach=reach, by=caller), factory
    )


@router.get("/catalogue", access=Right("knowledge.view"))
def search(
    caller: CallerDep, factory: FactoryDep, q: str = Query("", max_length=400), kind: str = Query("", max_length=20),
    language: str = Query("", max_length=5), label: str = Query("", max_length=20), organisation: str = Query("", max_length=63),
    keyword: str = Query("", max_length=60), limit: int = Query(20, ge=1, le=100), offset: int = Query(0, ge=0, le=900),
) -> FoundOut:  # fmt: skip
    """What holds every word, or some where nothing does; words, a "phrase", -without, kind:model. The newest where nothing is asked for."""
    filters = {
        "kind": kind,
        "language": language,
        "label": label,
        "organisation": organisation,
        "keyword": keyword.lower(),
    }
    found = factory.finding.search(q, filters=filters, limit=limit, offset=offset, by=caller)
    return FoundOut(
        items=[entry_out(hit.entry, factory, hit.passage) for hit in found.hits], total=found.total, more=found.more,
        facets={name: dict(counts) for name, counts in found.facets.items()},
        meant={word: list(others) for word, others in found.meant.items()}, loose=found.loose,
    )  # fmt: skip


@router.get("/catalogue-words", access=Right("knowledge.view"))
def suggest(caller: CallerDep, factory: FactoryDep, q: str = Query("", max_length=100)) -> SuggestionsOut:
    """How what is being typed may go on, by words of entries that everybody may know of."""
    return SuggestionsOut(items=list(factory.finding.suggest(q, by=caller)))


@router.get("/catalogue/{card}", access=Right("knowledge.view"))
def show(card: str, caller: CallerDep, factory: FactoryDep) -> EntryOut:
    """One entry."""
    return entry_out(factory.catalogue.entry(card, by=caller), factory)


@router.delete("/catalogue/{card}", access=Right("knowledge.view"), status_code=204)
def withdraw(card: str, caller: CallerDep, factory: FactoryDep) -> Response:
    """Take an entry of one's own project back: what it describes stays as it is."""
    factory.catalogue.withdraw(card, by=caller)
    return Response(status_code=204)


@router.post("/catalogue/{card}/access-requests", access=Right("access.request"), status_code=201)
def request_access(card: str, asked: EntryRequestIn, caller: CallerDep, factory: FactoryDep) -> EntryRequestOut:
    """Ask the people who hold a dataset for access."""
    return EntryRequestOut(request=factory.catalogue.request(card, asked.project, asked.reason, by=caller))
