"""A dataset's page."""

from typing import Any

from fastapi import Request
from starlette.responses import Response

from fabriek.kernel.callers import Caller
from fabriek.portal.rendering import Pages
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.homes import PROMISES
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

OPENED_SHOWN = 20


def _opened(services: Services, dataset: Dataset, by: Caller) -> list[dict[str, Any]] | None:
    """The newest openings, for the owner; None for everyone else."""
    if dataset.kind is not Kind.DATA or not services.vault.owns(dataset.id, by=by):
        return None
    numbers = {one.id: one.number for one in services.vault.versions(dataset.id, by=by)}
    return [
        {
            "at": one.opened_at, "number": numbers.get(one.version, 0), "right": one.right.name.lower(),
            "person": services.access.person(one.person).name if one.person else "",
            "project": services.access.project(one.project).title if one.project else "",
        }
        for one in services.vault.opened(dataset.id, limit=OPENED_SHOWN, by=by)
    ]  # fmt: skip


def router(services: Services, pages: Pages) -> Router:
    made = Router(include_in_schema=False)

    @made.get("/projects/{project}/datasets/{dataset}", access=Right("data.view"))
    def show(request: Request, project: str, dataset: str, caller: CallerDep) -> Response:
        """Versions and agreements; what is inside is opened at the edge and never shown here."""
        home = services.access.project(project)
        found = services.vault.find(dataset, project=project, by=caller)
        versions = [
            {
                "number": one.number, "label": one.facts.label, "files": one.facts.files, "size_bytes": one.facts.size_bytes,
                "content_hash": one.facts.content_hash, "created_at": one.created_at, "verified_at": one.verified_at,
                "damage": [each.why for each in services.vault.checking.damage_of_version(one.id)],
            }
            for one in services.vault.versions(found.id, by=caller)
        ]  # fmt: skip
        agreements = [
            {
                "project": services.access.project(one.project).title, "right": one.right.name.lower(), "purposes": sorted(one.purposes),
                "until": one.until, "ended": one.ended_at is not None,
            }
            for one in services.vault.agreements_on(found.id, by=caller)
        ]  # fmt: skip
        owner = services.access.organisation(found.organisation).name
        newest = versions[0]["number"] if versions else 0
        return pages.render(
            request,
            "dataset.html",
            project=home,
            dataset=found,
            owner=owner,
            versions=versions,
            agreements=agreements,
            newest=newest,
            opened=_opened(services, found, caller),
            promise=PROMISES[found.key_home],
            holds=[one for one in services.vault.erasing.holds_on(found.id, by=caller) if one.lifted_at is None],
        )

    return made
