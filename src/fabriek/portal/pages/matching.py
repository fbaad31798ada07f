"""Needs and offers: what matches, and what one's organisation posted."""

from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.kernel.callers import Caller
from fabriek.knowledge.matching.listings import Listing
from fabriek.knowledge.matching.service import Proposed
from fabriek.knowledge.skills.skills import skills_on
from fabriek.portal.forms import read_form, read_pairs
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

FIELDS_MAX = 60


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)
    matching = services.matching

    @made.get("/matches", access=Right("knowledge.view"))
    def matches(request: Request, caller: CallerDep) -> Response:
        """What matches, a form, and one's organisation's listings."""
        skills = list(skills_on(services.clock.today()).values())
        titles = {one.name: one.title["en"] for one in skills}
        return pages.render(
            request, "matches.html", skills=skills, matches=[_match(one, titles, caller) for one in matching.matches(by=caller)],
            listings=[_listing(one, titles, caller) for one in matching.listings(by=caller)],
        )  # fmt: skip

    @made.post("/matches/listings", access=Right("knowledge.ask"), once=False)
    async def post(request: Request, caller: CallerDep) -> Response:
        """Posts a need or an offer."""
        pairs = await read_pairs(request, FIELDS_MAX)
        said, skills = dict(pairs), [value for name, value in pairs if name == "skill"]
        words = said.get("words", "").split(",")
        await run_in_threadpool(
            matching.post, said.get("kind", ""), said.get("text", ""), skills=skills, words=words, region=said.get("region", ""), by=caller
        )  # fmt: skip
        return RedirectResponse("/matches", status_code=303)

    @made.post("/matches/listings/{listing}/withdraw", access=Right("knowledge.ask"), once=False)
    async def withdraw(request: Request, listing: str, caller: CallerDep) -> Response:
        """Takes a listing back."""
        await read_form(request)
        await run_in_threadpool(matching.withdraw, listing, by=caller)
        return RedirectResponse("/matches", status_code=303)

    @made.post("/matches/{match}/answer", access=Right("knowledge.ask"), once=False)
    async def answer(request: Request, match: str, caller: CallerDep) -> Response:
        """Yes or no for one's side."""
        said = await read_form(request)
        await run_in_threadpool(matching.answer, match, yes=said.get("yes") == "yes", by=caller)
        return RedirectResponse("/matches", status_code=303)

    return made


def _acts(listing: Listing, caller: Caller) -> bool:
    return listing.person == caller.person or caller.may("organisation.manage")


def _match(one: Proposed, titles: dict[str, str], caller: Caller) -> dict[str, Any]:
    return {
        "id": one.match.id, "kind": str(one.mine.kind), "mine": one.mine.text, "shared": [titles.get(word, word) for word in one.match.shared],
        "state": str(one.seen), "other": one.other, "acts": _acts(one.mine, caller),
    }  # fmt: skip


def _listing(one: Listing, titles: dict[str, str], caller: Caller) -> dict[str, Any]:
    return {
        "id": one.id, "kind": str(one.kind), "text": one.text, "skills": [titles.get(name, name) for name in one.skills], "words": list(one.words),
        "withdrawn": one.withdrawn, "acts": _acts(one, caller),
    }  # fmt: skip
