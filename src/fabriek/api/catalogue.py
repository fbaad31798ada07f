"""The catalogue over HTTP."""

from typing import Literal

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse

from fabriek.kernel.callers import Caller
from fabriek.knowledge.catalogue.cards import read_card
from fabriek.knowledge.catalogue.entries import Entry, EntryKind, Face, Reach
from fabriek.knowledge.saved_searches.service import Kept
from fabriek.knowledge.search.finding import Hit
from fabriek.schemas.catalogue import (
    DatedOut,
    EntryIn,
    EntryOut,
    EntryPastOut,
    EntryRequestIn,
    EntryRequestOut,
    FoundOut,
    SearchesOut,
    SearchIn,
    SearchLookedOut,
    SearchOut,
    SnippetOut,
    SuggestionsOut,
    UseOut,
)
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["knowledge"])


def entry_out(entry: Entry, services: Services, passage: str = "", *, near: bool = False, by: Caller) -> EntryOut:
    organisation, _ = services.catalogue.whose(entry)
    return EntryOut(
        id=entry.id, kind=entry.kind, subject=entry.subject, title=entry.title, summary=entry.summary, label=entry.label, licence=entry.licence,
        terms=entry.terms, keywords=list(entry.keywords), language=entry.language, text=entry.text, organisation=organisation,
        published_at=entry.published_at, reach=entry.reach, doi=entry.doi,
        authors=list(entry.authors), passage=passage, near=near, page=_page(entry, services, by),
    )  # fmt: skip


def _page(entry: Entry, services: Services, by: Caller) -> str:
    """Of an entry that came from elsewhere, where it is; empty of all that is here."""
    return services.harvesting.origin(entry.id, by=by)[1] if entry.kind is EntryKind.ELSEWHERE else ""


@router.post("/projects/{project}/cards", access=Right("knowledge.publish"), status_code=201)
def publish(project: str, asked: EntryIn, caller: CallerDep, factory: FactoryDep) -> EntryOut:
    """Publish the card of a dataset, a model, an app, a guide or a training: those in its reach may know of it then, and nobody may read more for
    that.
    """
    told = read_card(asked.card) if asked.card else Face("", "")
    face = Face(
        asked.title or told.title, asked.summary or told.summary, asked.licence or told.licence, asked.terms or told.terms,
        tuple(asked.keywords) or told.keywords, asked.language or told.language, asked.text or told.text, asked.doi or told.doi,
        tuple(asked.authors) or told.authors,
    )  # fmt: skip
    reach = Reach(asked.reach)
    return entry_out(
        factory.catalogue.publish(project, asked.kind, asked.subject, face, reach=reach, by=caller), factory, by=caller
    )


@router.get("/catalogue", access=Right("knowledge.view"))
def search(
    caller: CallerDep, factory: FactoryDep, q: str = Query("", max_length=400), kind: str = Query("", max_length=20),
    language: str = Query("", max_length=5), label: str = Query("", max_length=20), organisation: str = Query("", max_length=63),
    keyword: str = Query("", max_length=60), by: Literal["both", "words", "meaning"] = "both",
    limit: int = Query(20, ge=1, le=100), offset: int = Query(0, ge=0, le=900),
) -> FoundOut:  # fmt: skip
    """What holds every word, or some where nothing does; words, a "phrase", -without, kind:model. The newest where nothing is asked for. by: what
    stands near in meaning is found too, or alone, where this factory reads for it.
    """
    filters = {
        "kind": kind,
        "language": language,
        "label": label,
        "organisation": organisation,
        "keyword": keyword.lower(),
    }
    found = factory.finding.search(
        q, filters=filters, limit=limit, offset=offset, by_words=by != "meaning", by_meaning=by != "words", by=caller
    )
    return FoundOut(
        items=[entry_out(hit.entry, factory, _passage(hit), near=hit.near, by=caller) for hit in found.hits], total=found.total, more=found.more,
        facets={name: dict(counts) for name, counts in found.facets.items()},
        meant={word: list(others) for word, others in found.meant.items()}, loose=found.loose,
    )  # fmt: skip


def _passage(hit: Hit) -> str:
    return hit.passage or (hit.summary if "\x02" in hit.summary else "")


@router.get("/catalogue-words", access=Right("knowledge.view"))
def suggest(caller: CallerDep, factory: FactoryDep, q: str = Query("", max_length=100)) -> SuggestionsOut:
    """How what is being typed may go on, by words of entries that everybody may know of."""
    return SuggestionsOut(items=list(factory.finding.suggest(q, by=caller)))


@router.get("/catalogue-searches", access=Right("knowledge.view"))
def saved(caller: CallerDep, factory: FactoryDep) -> SearchesOut:
    """The searches that one keeps, each with what is new in it."""
    return SearchesOut(items=[_search(one) for one in factory.saved_searches.list(by=caller)])


@router.post("/catalogue-searches", access=Right("knowledge.view"), status_code=201)
def save(asked: SearchIn, caller: CallerDep, factory: FactoryDep) -> SearchOut:
    """Keep a search, in place of one's earlier one of that name."""
    return _search(factory.saved_searches.save(asked.name, asked.text, asked.filters, by=caller))


@router.post("/catalogue-searches/{search}/looked", access=Right("knowledge.view"))
def look(search: str, caller: CallerDep, factory: FactoryDep) -> SearchLookedOut:
    """What a search that one keeps finds now; nothing of it is new from then on."""
    kept, found = factory.saved_searches.look(search, by=caller)
    return SearchLookedOut(search=_search(kept), items=[entry_out(hit.entry, factory, by=caller) for hit in found.hits])


@router.delete("/catalogue-searches/{search}", access=Right("knowledge.view"), status_code=204)
def forget(search: str, caller: CallerDep, factory: FactoryDep) -> Response:
    """Keep it no more."""
    factory.saved_searches.forget(search, by=caller)
    return Response(status_code=204)


def _search(kept: Kept) -> SearchOut:
    said = kept.search
    return SearchOut(
        name=said.name, text=said.text, filters=dict(said.filters), looked_at=said.looked_at, found=kept.found, new=kept.new
    )  # fmt: skip


@router.get("/catalogue/{card}", access=Right("knowledge.view"))
def show(card: str, caller: CallerDep, factory: FactoryDep) -> EntryOut:
    """One entry."""
    return entry_out(factory.catalogue.entry(card, by=caller), factory, by=caller)


@router.get("/catalogue/{card}/history", access=Right("knowledge.view"))
def history(card: str, caller: CallerDep, factory: FactoryDep) -> EntryPastOut:
    """How it is used, its versions, what it was made from and what came of it, and who used it with what: as far as one may know."""
    entry = factory.catalogue.entry(card, by=caller)
    past, use = factory.catalogue.past(entry, by=caller), factory.catalogue.snippet(entry)
    return EntryPastOut(
        use=SnippetOut(command=use.command, python=use.python),
        versions=[DatedOut(number=one.number, at=one.at, size_bytes=one.size_bytes) for one in past.versions],
        made_from=[entry_out(one, factory, by=caller) for one in past.made_from], led_to=[entry_out(one, factory, by=caller) for one in past.led_to],
        projects=past.projects, used=past.used,
        uses=[
            UseOut(
                job=one.job, name=one.name, project=one.project, person=one.person, at=one.at, beside=list(one.beside), left=list(one.left)
            )
            for one in past.uses
        ],
    )  # fmt: skip


@router.get("/catalogue/{card}/citation", access=Right("knowledge.view"))
def cite(card: str, request: Request, caller: CallerDep, factory: FactoryDep) -> Response:
    """How it is cited: a CITATION.cff."""
    address = f"{str(request.base_url).rstrip('/')}/catalogue/{card}"
    told = factory.catalogue.citation(card, address, by=caller)
    return Response(
        told, media_type="application/yaml", headers={"Content-Disposition": 'attachment; filename="CITATION.cff"'}
    )


@router.get("/catalogue/{card}/croissant", access=Right("knowledge.view"))
def as_croissant(card: str, request: Request, caller: CallerDep, factory: FactoryDep) -> Response:
    """A dataset as Croissant 1.1; its files and their columns for who may take the data away, its card for everyone else who may know of it."""
    address = f"{str(request.base_url).rstrip('/')}/catalogue/{card}"
    told = factory.telling.croissant(card, address, by=caller)
    return JSONResponse(told, media_type="application/ld+json")


@router.delete("/catalogue/{card}", access=Right("knowledge.view"), status_code=204)
def withdraw(card: str, caller: CallerDep, factory: FactoryDep) -> Response:
    """Take an entry of one's own project back: what it describes stays as it is."""
    factory.catalogue.withdraw(card, by=caller)
    return Response(status_code=204)


@router.post("/catalogue/{card}/access-requests", access=Right("access.request"), status_code=201)
def request_access(card: str, asked: EntryRequestIn, caller: CallerDep, factory: FactoryDep) -> EntryRequestOut:
    """Ask the people who hold a dataset for access."""
    return EntryRequestOut(request=factory.catalogue.request(card, asked.project, asked.reason, by=caller))
