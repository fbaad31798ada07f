"""What changing the policy needs kept, and rehearsed."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Protocol

from fabriek.funding.giving.quarters import Quarter
from fabriek.funding.giving.shares import Share
from fabriek.funding.policy.comparing import View
from fabriek.funding.policy.effects import Rehearsed
from fabriek.funding.policy.proposals import Proposal


class Proposals(Protocol):
    """Storage of proposals, and of what the policy was before the first was agreed on."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]: ...

    def add(self, proposal: Proposal) -> None: ...

    def get(self, proposal_id: str) -> Proposal:
        """Raises NotFound."""

    def save(self, proposal: Proposal) -> None: ...

    def agree(self, proposal: Proposal) -> None:
        """Saves one that is agreed on, as the last in their order."""

    def all(self) -> Sequence[Proposal]:
        """Newest first."""

    def due(self, today: date) -> Sequence[Proposal]:
        """Those whose days have brought about what is not written down."""


class Starts(Protocol):
    """Storage of the policy that an installation began with, from the first change on."""

    def kept_start(self) -> Sequence[str]:
        """Its rows, as lines; empty where nothing was agreed on yet."""

    def keep_start(self, lines: Sequence[str]) -> None: ...


class Rehearsal(Protocol):
    """Past jobs under another policy, by the admission that decides on real ones."""

    def of(self, quarter: Quarter, shares: Sequence[Share], before: View, after: View) -> Rehearsed:
        """The quarter's jobs, as if what holds on the day of the views had held then."""
