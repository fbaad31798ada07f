"""The page of shares: who gives, which part of the machine each has, what this quarter brought, and what the caps leave."""

from fastapi import Request
from starlette.responses import Response

from fabriek.portal.rendering import Pages
from fabriek.portal.share_words import stands_in_words
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/funding/shares", access=Right("funding.view"))
    def shares(request: Request, caller: CallerDep, quarter: str = "") -> Response:
        """Of this quarter, or another."""
        named, rows = services.standings.quarter(quarter[:10], by=caller)
        given = [
            (one, state, services.access.organisation(one.funder).name)
            for one, state in services.giving.contributions(by=caller)
        ]
        found, tree = services.giving.shares_on(by=caller), services.giving.tree()
        return pages.render(
            request, "funding/shares.html", quarter=named, rows=rows, contributions=given, shares=found,
            caps=services.standings.caps(by=caller), stands=stands_in_words(tree, {one.id: one.name for one, _ in found}, "en"), tree=tree,
        )  # fmt: skip

    return made
