"""What two people decide together, over HTTP: a lower label, and a release of what a job emitted."""

from fabriek.api.vault import name_of, said
from fabriek.schemas.agreements import LoweringIn, ProposalOut, ReasonIn
from fabriek.vault.labelling.proposals import Proposal
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["vault"])
DATASET = "/projects/{project}/datasets/{dataset}"
JOB = "/projects/{project}/jobs/{job}"


def proposal_out(one: Proposal, services: Services) -> ProposalOut:
    return ProposalOut(
        id=one.id, act=str(one.act), subject=one.subject, label=one.label, reason=one.reason, proposed_by=one.proposed_by,
        proposed_by_name=name_of(one.proposed_by, services), proposed_at=one.proposed_at, outcome=str(one.outcome),
        signed_by=[signed.person for signed in one.signatures],
        signed_by_names=[name_of(signed.person, services) for signed in one.signatures],
        refused_by=one.refused_by, words=one.words, covers=one.covers,
    )  # fmt: skip


@router.post(DATASET + "/lowerings", access=Right("data.manage"), status_code=201)
def propose_lowering(
    project: str, dataset: str, wanted: LoweringIn, caller: CallerDep, factory: FactoryDep
) -> ProposalOut:
    """Propose a lower label. A second person of the owner signs."""
    vault = factory.vault
    return proposal_out(
        vault.propose_lowering(said(dataset), wanted.label, wanted.reason, project=project, by=caller), factory
    )


@router.get(DATASET + "/lowerings", access=Right("data.manage"))
def list_lowerings(project: str, dataset: str, caller: CallerDep, factory: FactoryDep) -> list[ProposalOut]:
    """Newest first. For the owner."""
    return [proposal_out(one, factory) for one in factory.vault.lowerings_of(said(dataset), project=project, by=caller)]


@router.post("/lowerings/{lowering}/sign", access=SIGNED_IN, once=False)
def sign_lowering(lowering: str, caller: CallerDep, factory: FactoryDep) -> ProposalOut:
    """Agree, as the second person: every version gets a new signed record under the lower label."""
    return proposal_out(factory.vault.sign_lowering(lowering, by=caller), factory)


@router.post("/lowerings/{lowering}/refuse", access=SIGNED_IN)
def refuse_lowering(lowering: str, wanted: ReasonIn, caller: CallerDep, factory: FactoryDep) -> ProposalOut:
    """Refuse, or take one's own back."""
    return proposal_out(factory.vault.refuse_lowering(lowering, wanted.reason, by=caller), factory)


@router.post(JOB + "/releases", access=Right("job.view"), status_code=201)
def propose_release(project: str, job: str, wanted: ReasonIn, caller: CallerDep, factory: FactoryDep) -> ProposalOut:
    """Ask for what a job emitted to be released. Two people sign, never the job's author."""
    return proposal_out(factory.releasing.propose(project, job, wanted.reason, by=caller), factory)


@router.get(JOB + "/releases", access=Right("job.view"))
def list_releases(project: str, job: str, caller: CallerDep, factory: FactoryDep) -> list[ProposalOut]:
    """Newest first."""
    return [proposal_out(one, factory) for one in factory.releasing.of_job(project, job, by=caller)]


@router.post("/releases/{release}/sign", access=SIGNED_IN)
def sign_release(release: str, caller: CallerDep, factory: FactoryDep) -> ProposalOut:
    """Agree to a release."""
    return proposal_out(factory.releasing.sign(release, by=caller), factory)


@router.post("/releases/{release}/refuse", access=SIGNED_IN)
def refuse_release(release: str, wanted: ReasonIn, caller: CallerDep, factory: FactoryDep) -> ProposalOut:
    """Refuse, or take one's own back."""
    return proposal_out(factory.releasing.refuse(release, wanted.reason, by=caller), factory)
