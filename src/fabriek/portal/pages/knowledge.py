"""The catalogue and the questions."""

from typing import Any

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.knowledge.cards import Card, CardKind
from fabriek.portal.forms import read_form
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

FOUND_MAX = 50


def _entry(card: Card, services: Services, passage: str = "") -> dict[str, Any]:
    snippet = ""
    if card.kind is CardKind.DATASET:
        home = services.access.project(card.project).slug
        name = services.vault.reference_name(card.subject)
        snippet = f"fabriek run --data {home}/{name}:/data -- python train.py"
    fields = {name: getattr(card, name) for name in Card.__dataclass_fields__}
    return fields | {"kind": str(card.kind), "passage": passage, "snippet": snippet}


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/catalogue", access=Right("knowledge.view"))
    def catalogue(request: Request, caller: CallerDep, q: str = Query("", max_length=200)) -> Response:
        """What is published and holds every word."""
        hits = services.knowledge.search(q, limit=FOUND_MAX, by=caller)
        return pages.render(
            request, "catalogue.html", q=q, entries=[_entry(hit.card, services, hit.passage) for hit in hits]
        )

    @made.get("/catalogue/{card}", access=Right("knowledge.view"))
    def entry(request: Request, card: str, caller: CallerDep, *, asked: bool = False) -> Response:
        """One card, and the way to ask for access."""
        found = services.knowledge.card(card, by=caller)
        projects = services.access.projects_of(caller)
        can_request = found.kind is CardKind.DATASET and found.organisation != caller.organisation
        return pages.render(
            request,
            "entry.html",
            entry=_entry(found, services),
            projects=projects,
            can_request=can_request,
            asked=asked,
        )

    @made.post("/catalogue/{card}/request", access=Right("access.request"), once=False)
    async def ask_for_access(request: Request, card: str, caller: CallerDep) -> Response:
        """Asks the people who hold the data."""
        fields = await read_form(request)
        await run_in_threadpool(
            services.knowledge.request, card, fields.get("project", ""), fields.get("reason", ""), by=caller
        )
        return RedirectResponse(f"/catalogue/{card}?asked=true", status_code=303)

    @made.get("/questions", access=Right("knowledge.view"))
    def questions(request: Request, caller: CallerDep) -> Response:
        """Questions with their answers, newest first."""
        listed = [
            {
                "title": question.text,
                "answers": [{"text": one.text, "by": services.access.person(one.person).name} for one in answers],
            }
            for question, answers in services.knowledge.questions(by=caller)
        ]
        return pages.render(request, "questions.html", questions=listed)

    @made.post("/questions", access=Right("knowledge.ask"), once=False)
    async def ask(request: Request, caller: CallerDep) -> Response:
        """Asks, and shows the list again."""
        fields = await read_form(request)
        await run_in_threadpool(services.knowledge.ask, fields.get("question", ""), by=caller)
        return RedirectResponse("/questions", status_code=303)

    return made
