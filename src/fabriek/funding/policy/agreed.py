"""What was agreed on, as the policy book reads it: only what all who lose by it have signed, as they signed it."""

from math import inf
from typing import Protocol

from fabriek.funding.policy.policy import Policy, policy_of
from fabriek.funding.policy.ports import Starts
from fabriek.funding.policy.proposals import AGREED, Proposal, is_whole
from fabriek.funding.policy.rows import all_rows, canonical, strayed
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import Damaged, WrongState

FRESH_SECONDS = 1.0


class AgreedProposals(Protocol):
    def agreed_ids(self) -> tuple[str, ...]: ...

    def get(self, proposal_id: str) -> Proposal: ...


class Agreed:
    """Answers with the same object until something new is agreed on. What another server agreed on is seen a moment later, which is soon
    enough: no row holds before the next day. To ask the database each time cost a job on PostgreSQL more than its settlement.
    """

    def __init__(self, proposals: AgreedProposals, clock: Clock) -> None:
        self._proposals, self._clock = proposals, clock
        self._known: tuple[tuple[str, ...], tuple[Policy, ...]] = ((), ())
        self._fresh_until = -inf

    def __call__(self) -> tuple[Policy, ...]:
        ids, policies = self._known
        if (now := self._clock.monotonic()) < self._fresh_until:
            return policies
        if (found := self._proposals.agreed_ids()) != ids:
            policies = tuple(_rows_of(self._proposals.get(one)) for one in found)
            self._known = (found, policies)
        self._fresh_until = now + FRESH_SECONDS
        return policies

    def renew(self) -> None:
        """The next call looks anew."""
        self._fresh_until = -inf


def _rows_of(proposal: Proposal) -> Policy:
    """Raises Damaged where somebody wrote past the signatures: a policy that nobody signed counts for nothing, and money stands still
    until it is looked into.
    """
    if proposal.state not in AGREED or not is_whole(proposal):
        raise Damaged(
            f"the policy change {proposal.id} is not what its funders signed", where=proposal.id,
            fix="restore the database: fabriek restore; the audit log names the digest that was signed",
        )  # fmt: skip
    return policy_of(proposal.toml)


def check_start(starts: Starts, start: Policy) -> None:
    """Once a change was agreed on, what it was compared with stays. Raises WrongState where an installation begins with other rows than
    then: a file would change what funders signed for.
    """
    kept = starts.kept_start()
    if kept and (other := strayed(kept, start)):
        raise WrongState(
            f"the files of the policy are not those with which this installation began, {len(other)} rows of them: {other[0]}",
            fix="put them back as they were, start, and propose the new rows: fabriek funding policy propose FILE",
        )


def keep_start(starts: Starts, start: Policy) -> None:
    """Joins the transaction in which something is agreed on; the first time counts."""
    if not starts.kept_start():
        starts.keep_start([canonical(row) for row in all_rows(start)])
