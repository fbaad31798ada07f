"""The policy over HTTP: what is in force, and proposals to change it."""

from datetime import date

from fabriek.schemas.base import PageOut
from fabriek.schemas.policy import PolicyEndIn, PolicyOut, PolicyProposalOut, PolicyProposeIn, PolicySignIn
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.policy import proposal_out, rows_out
from fabriek.web.router import Right, Router

router = Router(prefix="/api/v1/funding/policy", tags=["funding"])


@router.get("", access=Right("funding.view"))
def policy(caller: CallerDep, factory: FactoryDep, on: date | None = None) -> PolicyOut:
    """The rows in force on a day; today's without one."""
    return PolicyOut(on=on or factory.clock.today(), rows=rows_out(factory, on, by=caller))


@router.get("/proposals", access=Right("funding.view"))
def list_policy_proposals(caller: CallerDep, factory: FactoryDep) -> PageOut[PolicyProposalOut]:
    """Every proposal to change the policy, newest first."""
    return PageOut[PolicyProposalOut](
        items=[proposal_out(one, factory) for one in factory.changing.proposals(by=caller)]
    )


@router.post("/proposals", access=Right("funding.propose"), status_code=201, once=False)
def propose_policy(asked: PolicyProposeIn, caller: CallerDep, factory: FactoryDep) -> PolicyProposalOut:
    """Propose rows from a day to come; answers what they would do to each funder, and who must sign."""
    return proposal_out(factory.changing.propose(asked.toml, asked.motive, by=caller), factory)


@router.get("/proposals/{change}", access=Right("funding.view"))
def policy_proposal(change: str, caller: CallerDep, factory: FactoryDep) -> PolicyProposalOut:
    """One proposal with its effect and its signatures."""
    return proposal_out(factory.changing.get(change, by=caller), factory)


@router.post("/proposals/{change}/sign", access=Right("funding.sign"), once=False)
def sign_policy(change: str, asked: PolicySignIn, caller: CallerDep, factory: FactoryDep) -> PolicyProposalOut:
    """Sign for your organisation; the last signature agrees on it."""
    return proposal_out(factory.changing.sign(change, asked.digest, by=caller), factory)


@router.post("/proposals/{change}/refuse", access=Right("funding.sign"), once=False)
def refuse_policy(change: str, asked: PolicyEndIn, caller: CallerDep, factory: FactoryDep) -> PolicyProposalOut:
    """Refuse it, as one whose signature it takes."""
    return proposal_out(factory.changing.refuse(change, asked.words, by=caller), factory)


@router.post("/proposals/{change}/withdraw", access=Right("funding.propose"), once=False)
def withdraw_policy(change: str, asked: PolicyEndIn, caller: CallerDep, factory: FactoryDep) -> PolicyProposalOut:
    """Take back what your organisation proposed."""
    return proposal_out(factory.changing.withdraw(change, asked.words, by=caller), factory)
