"""A proposal: an act that no one does alone. One person proposes it with a reason, others sign it or refuse it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput, NotPermitted, WrongState

SIGNATURES = 2
REASON_CHARACTERS_MAX = 2_000


class Act(StrEnum):
    """LOWER a dataset's label; RELEASE what a job emitted."""

    LOWER = "lower"
    RELEASE = "release"


class Outcome(StrEnum):
    OPEN = "open"
    AGREED = "agreed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Signature:
    """Who agreed, for which organisation, and when."""

    person: str
    organisation: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """`subject` is the dataset or job, `project` its home; `label` the one to be lowered to, or that of the job.

    `refused_by` and `words` say who refused and why; empty otherwise. `covers`: of a lowering, the number of the newest version there was.
    """

    id: str
    act: Act
    subject: str
    project: str
    label: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    outcome: Outcome = Outcome.OPEN
    signatures: Sequence[Signature] = ()
    refused_by: str = ""
    words: str = ""
    covers: int = 0

    def is_signed_by(self, person: str) -> bool:
        return person in {one.person for one in self.signatures}


def read_reason(reason: str) -> str:
    """Raises InvalidInput when there is none, or too much of it."""
    if not 0 < len(reason.strip()) <= REASON_CHARACTERS_MAX:
        raise InvalidInput("say why, in at most 2,000 characters", fix="write what the others can judge by")
    return reason.strip()


def sign(proposal: Proposal, signature: Signature, *, authors: Collection[str] = ()) -> Proposal:
    """With one more signature. Raises WrongState on one that is decided, NotPermitted (`proposal.second_person`) for who signed before,
    and (`proposal.author`) for an author.
    """
    _check_open(proposal)
    if proposal.is_signed_by(signature.person):
        raise NotPermitted(
            "this needs another person than the one who proposed or signed it",
            rule="proposal.second_person",
            fix="ask a colleague to sign",
        )
    if signature.person in authors:
        raise NotPermitted("nobody decides on their own work", rule="proposal.author", fix="ask two others to sign")
    return replace(proposal, signatures=(*proposal.signatures, signature))


def is_signed(proposal: Proposal, organisations: Collection[str] = ()) -> bool:
    """Whether two have signed, and somebody of each organisation that must."""
    signed = {one.organisation for one in proposal.signatures}
    return len(proposal.signatures) >= SIGNATURES and set(organisations) <= signed


def agree(proposal: Proposal) -> Proposal:
    _check_open(proposal)
    return replace(proposal, outcome=Outcome.AGREED)


def refuse(proposal: Proposal, person: str, words: str) -> Proposal:
    """Who proposed it takes it back the same way. Raises WrongState."""
    _check_open(proposal)
    return replace(proposal, outcome=Outcome.REFUSED, refused_by=person, words=read_reason(words))


def _check_open(proposal: Proposal) -> None:
    if proposal.outcome is not Outcome.OPEN:
        raise WrongState(f"this proposal is {proposal.outcome} already", fix="propose it anew")
