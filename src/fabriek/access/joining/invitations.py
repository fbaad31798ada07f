"""An invitation: bound to one address, for one organisation or project, good once and for a week. Its code opens it; only a hash is kept."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from fabriek.kernel.errors import NotFound, WrongState

OPEN_FOR = timedelta(days=7)
OPEN_MAX = 500
"""Open at once for one organisation, or one project: more is a list that nobody looks through, or mail that nobody asked for."""
NOTE_DAYS = 90
"""How long one that ended is listed."""


class InvitationState(StrEnum):
    INVITED = "invited"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


_NEXT = {
    InvitationState.INVITED: frozenset({
        InvitationState.ACCEPTED, InvitationState.WITHDRAWN, InvitationState.EXPIRED,
    }),
}  # fmt: skip
"""What may follow what; an invitation that ended stays as it ended."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """`organisation`: the id of the body that the person will belong to, where they are not here yet. `project` and `role`: empty where it is to the
    organisation alone. `roles`: those held everywhere. `invited_by` stands for the project and the roles, `admitted_by` for the organisation;
    it is empty until one of its administrators vouched. `person`: who accepted. The address and name are forgotten when it ends.
    """

    id: str
    hash: str
    email: str
    name: str
    organisation: str
    project: str
    role: str
    roles: frozenset[str]
    invited_by: str
    admitted_by: str
    made_at: datetime
    expires_at: datetime
    state: InvitationState = InvitationState.INVITED
    ended_at: datetime | None = None
    person: str = ""


def is_open(invitation: Invitation, now: datetime) -> bool:
    """The last instant does not count."""
    return invitation.state is InvitationState.INVITED and now < invitation.expires_at


def state_at(invitation: Invitation, now: datetime) -> InvitationState:
    """As a list shows it: what has run out says so before the worker wrote it down."""
    over = invitation.state is InvitationState.INVITED and now >= invitation.expires_at
    return InvitationState.EXPIRED if over else invitation.state


def ended(invitation: Invitation, state: InvitationState, now: datetime, *, person: str = "") -> Invitation:
    """Raises WrongState where the table does not let it come there."""
    if state not in _NEXT.get(invitation.state, frozenset()):
        raise WrongState(f"the invitation is {invitation.state}", fix="invite them again")
    return replace(invitation, state=state, ended_at=now, person=person, email="", name="")


def unknown() -> NotFound:
    """One sentence for a code that never was, was used, was withdrawn or has run out: which of them is nobody's business."""
    return NotFound(
        "this invitation is not known, was used or withdrawn, or has expired",
        fix="ask whoever invited you for a new one",
    )
