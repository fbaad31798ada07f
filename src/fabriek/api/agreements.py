"""Labels, terms, requests on their way, and what is open now, over HTTP."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query

from fabriek.api.vault import agreement_out, names_of, request_out, requests_out, said, slugs_of
from fabriek.schemas.agreements import (
    AcceptanceOut,
    AcceptIn,
    ApproveIn,
    LabelOut,
    LabelsOut,
    MoveIn,
    OpenGrantOut,
    RetiredOut,
    TermsIn,
    TermsOut,
)
from fabriek.schemas.base import DoneOut
from fabriek.schemas.vault import AccessRequestOut, AgreementOut
from fabriek.vault.agreeing.terms import Acceptance, Terms
from fabriek.vault.grants import Grant
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["vault"])
DATASET = "/projects/{project}/datasets/{dataset}"
Number = Annotated[int, Query(ge=0, le=1_000_000)]


def _terms_out(made: Terms) -> TermsOut:
    return TermsOut(
        dataset=made.dataset, number=made.number, text=made.text, sha256=made.sha256, questions=list(made.questions),
        committee=list(made.committee), set_by=made.set_by, set_at=made.set_at,
    )  # fmt: skip


def _acceptances_out(found: Sequence[Acceptance], services: Services) -> list[AcceptanceOut]:
    names = names_of((one.person for one in found), services)
    return [
        AcceptanceOut(
            number=one.number, sha256=one.sha256, person=one.person, person_name=names[one.person], accepted_at=one.accepted_at
        )
        for one in found
    ]  # fmt: skip


def _grants_out(found: Sequence[Grant], services: Services) -> list[OpenGrantOut]:
    names, slugs = names_of((one.person for one in found), services), slugs_of((one.project for one in found), services)
    return [
        OpenGrantOut(
            grant=one.id, version=one.version, right=one.right.value, person=one.person, person_name=names[one.person], job=one.job,
            project=slugs[one.project], opened_at=one.opened_at, expires_at=one.expires_at,
        )
        for one in found
    ]  # fmt: skip


@router.get("/labels", access=SIGNED_IN)
def labels(factory: FactoryDep) -> LabelsOut:
    """The labels of this installation, and old words that it understands."""
    policy = factory.vault.labels
    shown = [
        LabelOut(
            name=one.name, above=list(one.above), aliases=list(one.aliases), needs_agreement=one.needs_agreement,
            needs_accreditation=one.needs_accreditation, logs_withheld=one.logs_withheld, whole_gpus=one.whole_gpus,
            places=list(one.places), is_default=one.name == policy.default,
        )
        for one in map(policy.of, policy.names)
    ]  # fmt: skip
    retired = [
        RetiredOut(name=one.name, now=one.now, scheme=one.scheme, successor=one.successor) for one in policy.retired
    ]
    return LabelsOut(labels=shown, retired=retired)


@router.post(DATASET + "/terms", access=Right("data.manage"), status_code=201)
def set_terms(project: str, dataset: str, wanted: TermsIn, caller: CallerDep, factory: FactoryDep) -> TermsOut:
    """New terms for agreements from now on. The owner's decision."""
    said_of = {"questions": wanted.questions, "committee": wanted.committee}
    return _terms_out(factory.vault.set_terms(said(dataset), wanted.text, **said_of, project=project, by=caller))


@router.get(DATASET + "/terms", access=Right("data.view"))
def show_terms(project: str, dataset: str, caller: CallerDep, factory: FactoryDep, number: Number = 0) -> TermsOut:
    """The newest terms, or those with a number."""
    return _terms_out(factory.vault.terms_of(said(dataset), number=number, project=project, by=caller))


@router.get("/datasets/{dataset}/terms", access=SIGNED_IN)
def show_known_terms(dataset: str, caller: CallerDep, factory: FactoryDep, number: Number = 0) -> TermsOut:
    """The same by id or `home:name`."""
    return _terms_out(factory.vault.terms_of(said(dataset), number=number, by=caller))


@router.get("/datasets/{dataset}/terms/unaccepted", access=SIGNED_IN)
def unaccepted_terms(dataset: str, caller: CallerDep, factory: FactoryDep) -> list[TermsOut]:
    """Terms of agreements of your projects that you have not accepted yet."""
    return [_terms_out(one) for one in factory.vault.terms_to_accept(said(dataset), by=caller)]


@router.post("/datasets/{dataset}/terms/accept", access=SIGNED_IN, status_code=201)
def accept_terms(dataset: str, wanted: AcceptIn, caller: CallerDep, factory: FactoryDep) -> AcceptanceOut:
    """Accept terms for yourself. It names the hash of what you read."""
    made = factory.vault.accept_terms(said(dataset), wanted.sha256, number=wanted.number, by=caller)
    return _acceptances_out([made], factory)[0]


@router.get(DATASET + "/acceptances", access=Right("data.manage"))
def list_acceptances(project: str, dataset: str, caller: CallerDep, factory: FactoryDep) -> list[AcceptanceOut]:
    """Who accepted which terms, newest first. For the owner."""
    found = factory.vault.acceptances_on(said(dataset), project=project, by=caller)
    return _acceptances_out(found, factory)


@router.get("/datasets/{dataset}/access-requests", access=SIGNED_IN)
def list_known_requests(dataset: str, caller: CallerDep, factory: FactoryDep) -> list[AccessRequestOut]:
    """What was asked, for the committee too."""
    return requests_out(factory.vault.requests_on(said(dataset), by=caller), factory)


@router.get("/access-requests", access=SIGNED_IN)
def list_own_requests(caller: CallerDep, factory: FactoryDep) -> list[AccessRequestOut]:
    """Your own, newest first."""
    return requests_out(factory.vault.requests_by(by=caller), factory)


@router.get("/access-requests/{access_request}", access=SIGNED_IN)
def show_request(access_request: str, caller: CallerDep, factory: FactoryDep) -> AccessRequestOut:
    """One request, for its asker and for who decides."""
    return request_out(factory.vault.request(access_request, by=caller), factory)


@router.post("/access-requests/{access_request}/move", access=SIGNED_IN)
def move_request(access_request: str, wanted: MoveIn, caller: CallerDep, factory: FactoryDep) -> AccessRequestOut:
    """Send, review, return, reject or close a request. Each side its own steps."""
    moved = factory.vault.move_request(
        access_request, wanted.state, words=wanted.words, answers=wanted.answers, by=caller
    )
    return request_out(moved, factory)


@router.post("/access-requests/{access_request}/approve", access=SIGNED_IN, status_code=201)
def approve_request(access_request: str, wanted: ApproveIn, caller: CallerDep, factory: FactoryDep) -> AgreementOut:
    """Say yes: an agreement with the asker's project."""
    agreement = factory.vault.approve_request(
        access_request, until=wanted.until, places=wanted.places, words=wanted.words, by=caller
    )
    return agreement_out(agreement, factory)


@router.get(DATASET + "/grants", access=Right("data.view"))
def list_grants(project: str, dataset: str, caller: CallerDep, factory: FactoryDep) -> list[OpenGrantOut]:
    """What is open now: all of it for the owner, their own for others."""
    return _grants_out(factory.vault.grants_on(said(dataset), project=project, by=caller), factory)


@router.post("/grants/{grant}/revoke", access=SIGNED_IN)
def revoke_grant(grant: str, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """End what somebody has open. Idempotent."""
    factory.vault.revoke(grant, by=caller)
    return DoneOut()
