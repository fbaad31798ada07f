"""The catalogue: what is found, and one entry."""

from collections.abc import Sequence
from typing import Any

from fastapi import Query, Request
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response

from fabriek.kernel.callers import Caller
from fabriek.knowledge.catalogue.entries import Entry, EntryKind
from fabriek.knowledge.catalogue.history import Past
from fabriek.knowledge.catalogue.snippets import Snippet
from fabriek.knowledge.exchange.schema_org import is_told, schema_org
from fabriek.knowledge.search.index import FACETS
from fabriek.portal.forms import read_form
from fabriek.portal.named import names_of
from fabriek.portal.pages.searches import there
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import PUBLIC, Right, Router
from fabriek.web.services import Services

PAGE = 20
LAST = 900
"""Nobody reads on beyond this."""


def _entry(entry: Entry, summary: str = "", passage: str = "") -> dict[str, Any]:
    fields = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    return fields | {
        "kind": str(entry.kind),
        "reach": str(entry.reach),
        "passage": passage,
        "summary": summary or entry.summary,
    }


def _told(request: Request, entry: Entry, owner: str) -> Markup:
    """For search engines; nothing where the world may not know of it."""
    if not is_told(entry):
        return Markup()
    address = f"{str(request.base_url).rstrip('/')}/catalogue/{entry.id}/open"
    return Markup(schema_org(entry, owner, address))  # noqa: S704  # escaped there, as a script element asks


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/catalogue", access=Right("knowledge.view"))
    def catalogue(
        request: Request, caller: CallerDep, q: str = Query("", max_length=400), kind: str = Query("", max_length=20),
        language: str = Query("", max_length=5), label: str = Query("", max_length=20), start: int = Query(0, ge=0, le=LAST),
    ) -> Response:  # fmt: skip
        """What was found, how many there are of each kind, and how to see less or more."""
        chosen = {name: value for name, value in (("kind", kind), ("language", language), ("label", label)) if value}
        found = services.finding.search(q, filters=chosen, limit=PAGE, offset=start, by=caller)

        def link(**other: str) -> str:
            asked = {"q": q, **chosen, **other}
            return there(asked.pop("q"), asked)

        narrower = {
            name: [(value, count, link(**{name: value})) for value, count in sorted(found.facets.get(name, {}).items(), key=_most)]
            for name in FACETS
            if name not in chosen and len(found.facets.get(name, {})) > 1
        }  # fmt: skip
        return pages.render(
            request, "catalogue.html", q=q, found=found, chosen=[(name, value, link(**{name: ""})) for name, value in chosen.items()],
            narrower=narrower, entries=[_entry(hit.entry, hit.summary, hit.passage) | {"near": hit.near} for hit in found.hits],
            earlier=link(start=str(start - PAGE)) if start >= PAGE else "", later=_later(found.total, start, link), hidden_filters=chosen,
            kept=_kept(services, caller, look=not (q or chosen or start)),
        )  # fmt: skip

    @made.get("/catalogue/{card}", access=Right("knowledge.view"))
    def entry(request: Request, card: str, caller: CallerDep, *, asked: bool = False) -> Response:
        """One entry, and the way to ask for access."""
        found = services.catalogue.entry(card, by=caller)
        projects, past = services.access.projects_of(caller), services.catalogue.past(found, by=caller)
        can_request = found.kind is EntryKind.DATASET and found.organisation != caller.organisation
        return pages.render(
            request, "entry.html", entry=_entry(found), projects=projects, can_request=can_request, asked=asked,
            organisation=(owner := services.catalogue.whose(found)[1]), use=services.catalogue.snippet(found), past=past,
            people=names_of(services, [one.person for one in past.uses]), told=_told(request, found, owner),
            origin=services.harvesting.origin(found.id, by=caller) if found.kind is EntryKind.ELSEWHERE else None,
        )  # fmt: skip

    @made.get("/catalogue/{card}/open", access=PUBLIC)
    def world(request: Request, card: str) -> Response:
        """What the world may know of, where another catalogue leads to: the same card, and nothing that one could do with it."""
        found = services.catalogue.of_the_world(card)
        return pages.render(
            request, "entry.html", entry=_entry(found), projects=[], can_request=False, asked=False,
            organisation=(owner := services.catalogue.whose(found)[1]), use=Snippet(), past=Past(), told=_told(request, found, owner), origin=None,
        )  # fmt: skip

    @made.get("/catalogue/{card}/CITATION.cff", access=Right("knowledge.view"))
    def cite(request: Request, card: str, caller: CallerDep) -> Response:
        """How it is cited, as a file."""
        address = f"{str(request.base_url).rstrip('/')}/catalogue/{card}"
        told = services.catalogue.citation(card, address, by=caller)
        return Response(
            told, media_type="application/yaml", headers={"Content-Disposition": 'attachment; filename="CITATION.cff"'}
        )

    @made.get("/catalogue/{card}/croissant.json", access=Right("knowledge.view"))
    def croissant(request: Request, card: str, caller: CallerDep) -> Response:
        """A dataset as Croissant, as a file to put beside its data."""
        address = f"{str(request.base_url).rstrip('/')}/catalogue/{card}"
        told = services.telling.croissant(card, address, by=caller)
        head = {"Content-Disposition": 'attachment; filename="croissant.json"'}
        return JSONResponse(told, media_type="application/ld+json", headers=head)

    @made.post("/catalogue/{card}/request", access=Right("access.request"), once=False)
    async def ask_for_access(request: Request, card: str, caller: CallerDep) -> Response:
        """Asks the people who hold the data."""
        fields = await read_form(request)
        await run_in_threadpool(
            services.catalogue.request, card, fields.get("project", ""), fields.get("reason", ""), by=caller
        )
        return RedirectResponse(f"/catalogue/{card}?asked=true", status_code=303)

    return made


def _kept(services: Services, caller: Caller, *, look: bool) -> Sequence[tuple[str, int]]:
    """Name → how much is new. look: only where nothing is searched for; beside results they are named."""
    if look:
        return [(one.search.name, one.new) for one in services.saved_searches.list(by=caller)]
    return [(name, 0) for name in services.saved_searches.names(by=caller)]


def _most(one: tuple[str, int]) -> tuple[int, str]:
    return -one[1], one[0]


def _later(total: int, start: int, link: Any) -> str:
    return link(start=str(start + PAGE)) if start + PAGE < total and start + PAGE <= LAST else ""
