"""A dataset's page, with the forms to accept terms, to decide about requests, and to end what is open."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.portal.forms import read_form
from fabriek.portal.named import names_of, titles_of
from fabriek.portal.pages.proposals import lowering_shown
from fabriek.portal.rendering import Pages
from fabriek.vault.agreeing.requests import WAITING
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.keeping.homes import PROMISES
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

PAGE = "/projects/{project}/datasets/{dataset}"
OPENED_SHOWN = 20
CLIENT = Path(__file__).parents[1] / "assets" / "tus.min.js"
"""Fetched when the package was built, where it could be."""


def _upload(services: Services, dataset: Dataset, by: Caller) -> str:
    """Whether the caller is shown the box that sends files: `ready`, else why not; empty for who may not push."""
    if dataset.kind is not Kind.DATA or dataset.erased_at is not None:
        return ""
    if not (services.vault.owns(dataset.id, by=by) and by.may("data.write", project=dataset.project)):
        return ""
    if dataset.home:
        return "organisation"
    return "ready" if CLIENT.exists() else "unbuilt"


def _runs(services: Services, project: str, jobs: Iterable[str], by: Caller) -> Mapping[str, str]:
    """Of the jobs that are of this project and the caller's to know, the runs."""
    if not (by.may("job.view", project=project) and by.may("lab.view", project=project)):
        return {}
    return {job.id: job.run for job in services.compute.named(project, sorted({one for one in jobs if one}), by=by)}


def _opened(services: Services, project: str, dataset: Dataset, by: Caller) -> list[dict[str, Any]] | None:
    """The newest openings, for the owner; None for everyone else."""
    if dataset.kind is not Kind.DATA or not services.vault.owns(dataset.id, by=by):
        return None
    numbers = {one.id: one.number for one in services.vault.versions(dataset.id, by=by)}
    found = services.vault.opened(dataset.id, limit=OPENED_SHOWN, by=by)
    runs = _runs(services, project, (one.job for one in found if one.project == project), by)
    names, titles = (
        names_of(services, (one.person for one in found)),
        titles_of(services, (one.project for one in found)),
    )
    return [
        {
            "at": one.opened_at, "number": numbers.get(one.version, 0), "right": one.right.name.lower(),
            "person": names[one.person], "project": titles[one.project], "run": runs.get(one.job, ""),
        }
        for one in found
    ]  # fmt: skip


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get(PAGE, access=Right("data.view"))
    def show(request: Request, project: str, dataset: str, caller: CallerDep) -> Response:
        """Versions and agreements; what is inside is opened at the edge and never shown here."""
        home = services.access.project(project)
        found = services.vault.find(dataset, project=project, by=caller)
        held = services.vault.versions(found.id, by=caller)
        damage = services.vault.checking.damage_of_versions([one.id for one in held])
        versions = [
            {
                "number": one.number, "label": one.facts.label, "files": one.facts.files, "size_bytes": one.facts.size_bytes,
                "content_hash": one.facts.content_hash, "created_at": one.created_at, "verified_at": one.verified_at,
                "damage": [each.why for each in damage.get(one.id, ())],
            }
            for one in held
        ]  # fmt: skip
        signed = services.vault.agreements_on(found.id, by=caller)
        titles = titles_of(services, (one.project for one in signed))
        agreements = [
            {
                "project": titles[one.project], "right": one.right.name.lower(), "purposes": sorted(one.purposes),
                "until": one.until, "ended": one.ended_at is not None, "terms": one.terms,
            }
            for one in signed
        ]  # fmt: skip
        owner = services.access.organisation(found.organisation).name
        newest = held[0].number if held else 0
        return pages.render(
            request,
            "dataset.html",
            project=home,
            dataset=found,
            owner=owner,
            versions=versions,
            agreements=agreements,
            newest=newest,
            needs_agreement=services.vault.labels.needs_agreement(found.label),
            opened=_opened(services, home.id, found, caller),
            upload=_upload(services, found, caller),
            lowering=lowering_shown(services, found, newest, caller),
            promise=PROMISES[found.key_home],
            holds=[one for one in services.vault.erasing.holds_on(found.id, by=caller) if one.lifted_at is None],
            **_shared(found, caller, services),
        )

    @made.post(PAGE + "/accept", access=Right("data.view"), once=False)
    async def accept(request: Request, project: str, dataset: str, caller: CallerDep) -> Response:
        """Accepts the terms that the page showed."""
        said = await read_form(request)
        await run_in_threadpool(
            services.vault.accept_terms,
            dataset,
            said.get("sha256", ""),
            number=_number(said),
            project=project,
            by=caller,
        )
        return _back_to(project, dataset)

    @made.post(PAGE + "/requests/{access_request}", access=Right("data.view"), once=False)
    async def decide(request: Request, project: str, dataset: str, access_request: str, caller: CallerDep) -> Response:
        """Approves, returns, rejects or closes a request."""
        said = await read_form(request)
        if said.get("state") == "approved":
            until = _day(said.get("until", ""))
            words = said.get("words", "")
            await run_in_threadpool(services.vault.approve_request, access_request, until=until, words=words, by=caller)
        else:
            state, words = said.get("state", ""), said.get("words", "")
            await run_in_threadpool(services.vault.move_request, access_request, state, words=words, by=caller)
        return _back_to(project, dataset)

    @made.post(PAGE + "/grants/{grant}/revoke", access=Right("data.view"), once=False)
    async def revoke(request: Request, project: str, dataset: str, grant: str, caller: CallerDep) -> Response:
        """Ends what somebody has open."""
        await read_form(request)
        await run_in_threadpool(services.vault.revoke, grant, by=caller)
        return _back_to(project, dataset)

    return made


def _shared(found: Dataset, caller: Caller, services: Services) -> dict[str, Any]:
    """What the page shows of terms, requests and open grants, as far as the caller may see them."""
    vault = services.vault
    decides = True
    try:
        asked = vault.requests_on(found.id, by=caller)
    except NotPermitted:
        decides = False
        asked = [one for one in vault.requests_by(by=caller) if one.dataset == found.id]
    opened = vault.grants_on(found.id, by=caller)
    names, titles = (
        names_of(services, [*(one.person for one in asked), *(one.person for one in opened)]),
        titles_of(services, (one.project for one in asked)),
    )
    requests = [
        {
            "id": one.id, "state": str(one.state), "person": names[one.person], "right": one.right.value, "purpose": one.purpose,
            "reason": one.reason, "answers": one.answers, "asked_at": one.asked_at, "waits": one.state in WAITING,
            "project": titles[one.project] or "no project yet",
        }
        for one in asked
    ]  # fmt: skip
    grants = [
        {
            "id": one.id, "person": names[one.person], "job": one.job, "right": one.right.value,
            "opened_at": one.opened_at, "expires_at": one.expires_at,
        }
        for one in opened
    ]  # fmt: skip
    return {
        "decides": decides,
        "unaccepted": vault.terms_to_accept(found.id, by=caller),
        "requests": requests,
        "grants": grants,
    }


def _back_to(project: str, dataset: str) -> Response:
    return RedirectResponse(f"/projects/{quote(project)}/datasets/{quote(dataset)}", status_code=303)


def _number(said: dict[str, str]) -> int:
    text = said.get("number", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text[:20]!r} is not a day", fix="write it as 2027-06-01") from None
