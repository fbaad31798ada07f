"""What two people decide together: a lower label and a release, as the pages of a dataset and a job show them, and the forms for it."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fabriek.compute.jobs import Job
from fabriek.kernel.callers import Caller
from fabriek.portal.forms import read_form
from fabriek.portal.named import names_of, organisations_named
from fabriek.portal.rendering import Pages
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.labelling.proposals import Outcome, Proposal
from fabriek.web.dependencies import CallerDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

DATASET = "/projects/{project}/datasets/{dataset}"
JOB = "/projects/{project}/jobs/{job}"


def lowering_shown(services: Services, dataset: Dataset, newest: int, by: Caller) -> dict[str, Any] | None:
    """How it stands with lowering a dataset's label; without the proposals for who does not decide. None for what is not data that
    somebody brought: what a job made follows its inputs.
    """
    vault = services.vault
    if dataset.kind is not Kind.DATA:
        return None
    if not vault.owns(dataset.id, by=by):
        return {"decides": False, "proposals": [], "lower": []}
    proposals = vault.lowerings_of(dataset.id, by=by)
    was = vault.lowered_from(dataset.id, by=by) if proposals else {}
    shown = _proposals(services, proposals, by)
    for one, proposal in zip(shown, proposals, strict=True):
        one["was"] = dataset.label if one["open"] else was.get(proposal.id, "")
        one["overtaken"] = one["open"] and newest > proposal.covers
    settled = dataset.erased_at is not None or any(one["open"] for one in shown)
    return {"decides": True, "proposals": shown, "lower": [] if settled else vault.labels.below(dataset.label)}


def release_shown(services: Services, project: str, job: Job, by: Caller) -> dict[str, Any] | None:
    """How it stands with the release of what a job emitted, with the metrics for who decides; None where its label withholds nothing."""
    standing = services.releasing.standing(project, job.id, by=by)
    if not standing.withheld and not standing.proposals:
        return None
    shown = _proposals(services, standing.proposals, by)
    asked = next((one for one in standing.proposals if one.outcome is Outcome.OPEN), None)
    signed = {one.organisation for one in asked.signatures} if asked else set()
    metrics = []
    if standing.decides and job.run:
        metrics = [(one.key, one.value, one.step) for one in services.lab.run(job.project, job.run, by=by).metrics]
    return {
        "withheld": standing.withheld, "decides": standing.decides, "proposals": shown, "metrics": metrics,
        "missing": organisations_named(services, standing.organisations - signed) if asked else [],
        "owners": organisations_named(services, standing.organisations),
        "may_ask": standing.withheld and job.has_ended() and asked is None,
    }  # fmt: skip


def waiting_shown(services: Services, by: Caller) -> list[dict[str, Any]]:
    """The lowerings and releases that wait for the caller's answer, oldest first."""
    lowerings, releases = services.vault.waiting.lowerings(by=by), services.releasing.waiting(by=by)
    proposals = [one for one, _ in (*lowerings, *releases)]
    names = names_of(services, (one.proposed_by for one in proposals))
    slugs = {key: one.slug for key, one in services.access.projects_among({one.project for one in proposals}).items()}
    found = [
        {"page": f"/projects/{slugs[one.project]}/datasets/{dataset.name}#lowering", "name": dataset.name, "was": dataset.label, "to": one.label,
         "proposal": one, "by": names[one.proposed_by]}
        for one, dataset in lowerings
    ] + [
        {"page": f"/projects/{slugs[one.project]}/jobs/{job.id}#release", "name": job.name, "was": job.label, "to": "", "proposal": one,
         "by": names[one.proposed_by]}
        for one, job in releases
    ]  # fmt: skip
    return sorted(found, key=lambda one: one["proposal"].proposed_at)


def _proposals(services: Services, proposals: Sequence[Proposal], by: Caller) -> list[dict[str, Any]]:
    """With names in place of ids, and what the caller is to each."""
    people = {person for one in proposals for person in (one.proposed_by, one.refused_by)}
    names = names_of(services, people | {signed.person for one in proposals for signed in one.signatures})
    return [
        {
            "id": one.id, "label": one.label, "reason": one.reason, "proposed_by": names[one.proposed_by], "proposed_at": one.proposed_at,
            "open": one.outcome is Outcome.OPEN, "state": _state(one), "words": one.words, "refused_by": names[one.refused_by],
            "counts": one.is_signed_by(one.proposed_by),
            "signed": [
                {"name": names[signed.person], "at": signed.at} for signed in one.signatures if signed.person != one.proposed_by
            ],
            "mine": one.proposed_by == by.person, "signed_by_me": one.is_signed_by(by.person),
        }
        for one in proposals
    ]  # fmt: skip


def _state(proposal: Proposal) -> str:
    if proposal.outcome is Outcome.REFUSED and proposal.refused_by == proposal.proposed_by:
        return "taken back"
    return str(proposal.outcome)


def router(services: Services, pages: Pages) -> Router:  # noqa: ARG001  # made as every area's is; these forms lead back to others' pages
    made = Router(include_in_schema=False)
    vault, releasing = services.vault, services.releasing

    @made.post(DATASET + "/lowerings", access=Right("data.manage"), once=False)
    async def propose_lowering(request: Request, project: str, dataset: str, caller: CallerDep) -> Response:
        """Proposes a lower label."""
        said = await read_form(request)
        label, reason = said.get("label", ""), said.get("reason", "")
        await run_in_threadpool(vault.propose_lowering, dataset, label, reason, project=project, by=caller)
        return _back_to(project, "datasets", dataset, "lowering")

    @made.post(DATASET + "/lowerings/{lowering}/sign", access=Right("data.view"), once=False)
    async def sign_lowering(request: Request, project: str, dataset: str, lowering: str, caller: CallerDep) -> Response:
        """Agrees to it, as the second person."""
        await read_form(request)
        await run_in_threadpool(vault.sign_lowering, lowering, by=caller)
        return _back_to(project, "datasets", dataset, "lowering")

    @made.post(DATASET + "/lowerings/{lowering}/refuse", access=Right("data.view"), once=False)
    async def refuse_lowering(
        request: Request, project: str, dataset: str, lowering: str, caller: CallerDep
    ) -> Response:
        """Refuses it, or takes one's own back."""
        said = await read_form(request)
        await run_in_threadpool(vault.refuse_lowering, lowering, said.get("reason", ""), by=caller)
        return _back_to(project, "datasets", dataset, "lowering")

    @made.post(JOB + "/releases", access=Right("job.view"), once=False)
    async def propose_release(request: Request, project: str, job: str, caller: CallerDep) -> Response:
        """Asks for a release of what the job emitted."""
        said = await read_form(request)
        await run_in_threadpool(releasing.propose, project, job, said.get("reason", ""), by=caller)
        return _back_to(project, "jobs", job, "release")

    @made.post(JOB + "/releases/{release}/sign", access=Right("job.view"), once=False)
    async def sign_release(request: Request, project: str, job: str, release: str, caller: CallerDep) -> Response:
        """Agrees to it."""
        await read_form(request)
        await run_in_threadpool(releasing.sign, release, by=caller)
        return _back_to(project, "jobs", job, "release")

    @made.post(JOB + "/releases/{release}/refuse", access=Right("job.view"), once=False)
    async def refuse_release(request: Request, project: str, job: str, release: str, caller: CallerDep) -> Response:
        """Refuses it, or takes one's own back."""
        said = await read_form(request)
        await run_in_threadpool(releasing.refuse, release, said.get("reason", ""), by=caller)
        return _back_to(project, "jobs", job, "release")

    return made


def _back_to(project: str, kind: str, name: str, part: str) -> Response:
    return RedirectResponse(f"/projects/{quote(project)}/{kind}/{quote(name)}#{part}", status_code=303)
