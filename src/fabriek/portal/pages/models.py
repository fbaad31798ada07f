"""A model's page with its versions, and a page for each version: what one can answer for, its card, its promotion, its passport."""

from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import quote

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.access.projects import Project
from fabriek.kernel.callers import Caller
from fabriek.lab.registry.promotion import Outcome, Promotion, is_same_alias
from fabriek.portal.forms import read_form
from fabriek.portal.named import names_of
from fabriek.portal.rendering import Pages
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

MODEL = "/projects/{project}/models/{registered}"
VERSION = MODEL + "/{number}"
VERSIONS_SHOWN = 100
"""Those before have pages too; their files are looked into when somebody goes there."""
BEGUN = """---
license:
---
# {name}

What it is for, and what it is not for.

## Limits

Where it fails, and for whom.
"""
"""What the box for a card holds where there is none."""


def models_shown(services: Services, project: Project, by: Caller) -> list[dict[str, Any]]:
    """The newest version of each model, for the project's page; nothing is looked into for that."""
    return [
        {
            "name": one.name, "page": page_of(project.slug, one.name), "version": one.number, "label": one.label, "run": one.run,
            "aliases": sorted(services.registry.registered(project.id, one.name, by=by).aliases.items()),
        }
        for one in services.facts.newest(project.id, by=by)
    ]  # fmt: skip


def promotions_waiting(services: Services, by: Caller) -> list[dict[str, Any]]:
    """Those that wait for the caller's answer, as the first page lists what waits."""
    found = services.promoting.waiting(by=by)
    names = names_of(services, (one.proposed_by for one in found))
    slugs = {key: one.slug for key, one in services.access.projects_among({one.project for one in found}).items()}
    return [
        {
            "page": f"{page_of(slugs[one.project], one.model)}/{one.number}#promotion", "proposal": one, "by": names[one.proposed_by],
            "title": f"Promote {one.model} version {one.number} to {one.alias}",
        }
        for one in found
    ]  # fmt: skip


def page_of(slug: str, name: str) -> str:
    return f"/projects/{quote(slug)}/models/{quote(name, safe='')}"


def _promotions(
    services: Services, promotions: Sequence[Promotion], authors: Collection[str], by: Caller
) -> list[dict[str, Any]]:
    """With names in place of ids, in the shape of what two people decide, and what the caller is to each."""
    names = names_of(services, (person for one in promotions for person in (one.proposed_by, one.decided_by)))
    writes = {one.project for one in promotions if by.may("lab.write", project=one.project)}
    return [
        {
            "id": one.id, "alias": one.alias, "version": one.number, "reason": one.reason, "proposed_by": names[one.proposed_by],
            "proposed_at": one.proposed_at, "open": one.outcome is Outcome.OPEN, "state": _state(one), "words": one.words,
            "refused_by": names[one.decided_by] if one.outcome is Outcome.REFUSED else "", "counts": True, "checks": one.checks,
            "signed": [{"name": names[one.decided_by], "at": one.decided_at}] if one.outcome is Outcome.AGREED else [],
            "mine": one.proposed_by == by.person, "is_author": by.person in authors,
            "agrees": one.project in writes and by.person != one.proposed_by and by.person not in authors,
            "refuses": one.project in writes,
        }
        for one in promotions
    ]  # fmt: skip


def _state(one: Promotion) -> str:
    return "taken back" if one.outcome is Outcome.REFUSED and one.decided_by == one.proposed_by else str(one.outcome)


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)
    facts, promoting = services.facts, services.promoting

    @made.get(MODEL, access=Right("lab.view"))
    def show(request: Request, project: str, registered: str, caller: CallerDep) -> Response:
        """Its versions, newest first, and what its aliases need."""
        home = services.access.project(project)
        newest = facts.find(home.id, registered, by=caller)
        versions = [
            {"version": one, "mark": facts.mark(one, by=caller), "aliases": facts.aliases(one, by=caller)}
            for one in services.registry.versions(home.id, newest.name, by=caller)[:VERSIONS_SHOWN]
        ]
        return pages.render(
            request, "model.html", project=home, model=services.registry.registered(home.id, newest.name, by=caller), versions=versions,
            rules=promoting.rules(home.id, by=caller), page=page_of(home.slug, newest.name), newest=newest.number,
            promotions=_promotions(services, promoting.of_model(home.id, newest.name, by=caller), (), caller),
        )  # fmt: skip

    @made.get(VERSION, access=Right("lab.view"))
    def show_version(request: Request, project: str, registered: str, number: str, caller: CallerDep) -> Response:
        """All that is known of it."""
        home = services.access.project(project)
        found = facts.of(home.id, registered, number, by=caller)
        version = found.version
        proposed = [one for one in promoting.of_model(home.id, version.name, by=caller) if one.number == version.number]
        taken = [one.alias for one in promoting.of_model(home.id, version.name, by=caller) if one.outcome is Outcome.OPEN]  # fmt: skip
        writes = caller.may("lab.write", project=home.id)
        rules = [
            {"rule": rule, "checks": promoting.checks(home.id, found, rule), "waits": any(is_same_alias(rule.alias, one) for one in taken)}
            for rule in promoting.rules(home.id, by=caller)
        ]  # fmt: skip
        authors = names_of(services, found.authors)
        return pages.render(
            request, "model_version.html", project=home, facts=found, model=version, page=page_of(home.slug, version.name), rules=rules,
            promotions=_promotions(services, proposed, found.authors, caller), authors=[authors[one] for one in sorted(found.authors)],
            card_text=found.card.text if found.card else BEGUN.format(name=version.name), writes=writes,
            card_by=names_of(services, [found.card.written_by])[found.card.written_by] if found.card else "",
        )  # fmt: skip

    @made.get(VERSION + "/passport", access=Right("lab.view"))
    def passport(project: str, registered: str, number: str, caller: CallerDep) -> Response:
        """Its passport, as a file: it is signed on the way, and that it was issued is recorded."""
        file, page = services.passports.issue(project, registered, number, by=caller)
        headers = {"Content-Disposition": f'attachment; filename="{file}"'}
        return Response(page.encode(), media_type="text/html; charset=utf-8", headers=headers)

    @made.post(VERSION + "/card", access=Right("lab.write"), once=False)
    async def write_card(request: Request, project: str, registered: str, number: str, caller: CallerDep) -> Response:
        """Writes its card."""
        said = await read_form(request)
        home, text = (
            await run_in_threadpool(services.access.project, project),
            said.get("text", "").replace("\r\n", "\n"),
        )
        await run_in_threadpool(facts.write_card, home.id, registered, number, text, by=caller)
        return _back_to(home, registered, number, "card")

    @made.post(VERSION + "/promotions", access=Right("lab.write"), once=False)
    async def propose(request: Request, project: str, registered: str, number: str, caller: CallerDep) -> Response:
        """Proposes it for an alias."""
        said = await read_form(request)
        home, alias = await run_in_threadpool(services.access.project, project), said.get("alias", "")
        await run_in_threadpool(
            promoting.propose, home.id, registered, number, alias, said.get("reason", ""), by=caller
        )
        return _back_to(home, registered, number, "promotion")

    @made.post(VERSION + "/promotions/{promotion}/sign", access=Right("lab.write"), once=False)
    async def agree(
        request: Request, project: str, registered: str, number: str, promotion: str, caller: CallerDep
    ) -> Response:
        """Agrees, as the second person."""
        await read_form(request)
        await run_in_threadpool(promoting.agree, promotion, by=caller)
        return _back_to(await run_in_threadpool(services.access.project, project), registered, number, "promotion")

    @made.post(VERSION + "/promotions/{promotion}/refuse", access=Right("lab.write"), once=False)
    async def refuse(
        request: Request, project: str, registered: str, number: str, promotion: str, caller: CallerDep
    ) -> Response:
        """Refuses it, or takes one's own back."""
        said = await read_form(request)
        await run_in_threadpool(promoting.refuse, promotion, said.get("reason", ""), by=caller)
        return _back_to(await run_in_threadpool(services.access.project, project), registered, number, "promotion")

    return made


def _back_to(project: Project, name: str, number: str, part: str) -> Response:
    return RedirectResponse(f"{page_of(project.slug, name)}/{quote(number)}#{part}", status_code=303)
