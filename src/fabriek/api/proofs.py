"""Proofs of organisations over HTTP."""

from fabriek.access.joining.proofs import Proof, kinds
from fabriek.schemas.base import PageOut
from fabriek.schemas.proofs import ProofFieldOut, ProofIn, ProofKindOut, ProofOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["access"])


def _proof_out(slug: str, proof: Proof | None, services: Services) -> ProofOut:
    if proof is None:
        return ProofOut(organisation=slug)
    return ProofOut(
        organisation=slug, kind=proof.kind, fields=dict(proof.fields), shown_at=proof.shown_at, due_on=proof.due_on,
        due=proof.is_due(services.clock.today()), stated=services.joining.proving.is_only_stated(proof),
    )  # fmt: skip


@router.get("/proofs/kinds", access=SIGNED_IN)
def list_proof_kinds() -> PageOut[ProofKindOut]:
    """What an organisation may show, and which fields each kind has."""
    return PageOut[ProofKindOut](
        items=[
            ProofKindOut(
                name=one.name, help=dict(one.help), source=one.source,
                fields=[ProofFieldOut(name=f.name, texts=dict(f.texts), example=f.example, pattern=f.pattern) for f in one.fields],
            )
            for one in kinds().values()
        ]
    )  # fmt: skip


@router.get("/proofs/due", access=Right("person.view"))
def list_due_proofs(caller: CallerDep, factory: FactoryDep) -> PageOut[ProofOut]:
    """Those whose day has passed without something better, the longest overdue first."""
    found = factory.joining.proving.due(by=caller)
    return PageOut[ProofOut](items=[_proof_out(body.slug, proof, factory) for body, proof in found])


@router.get("/organisations/{organisation}/proof", access=SIGNED_IN)
def show_proof(organisation: str, caller: CallerDep, factory: FactoryDep) -> ProofOut:
    """What an organisation showed last, for its own people and for who may look."""
    body = factory.access.organisation(organisation)
    return _proof_out(body.slug, factory.joining.proving.of_organisation(body.id, by=caller), factory)


@router.post("/organisations/{organisation}/proof", access=SIGNED_IN)
def prove(organisation: str, asked: ProofIn, caller: CallerDep, factory: FactoryDep) -> ProofOut:
    """Shows that it is one, by one of its administrators or the installation's; replaces what was shown before."""
    body = factory.access.organisation(organisation)
    return _proof_out(body.slug, factory.joining.proving.prove(body.id, asked.kind, asked.fields, by=caller), factory)
