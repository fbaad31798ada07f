"""What funding needs kept."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from fabriek.funding.allocations import Allocation
from fabriek.funding.contributions import Contribution
from fabriek.funding.ledger import Entry, Hold, Posting
from fabriek.funding.resources import Resource
from fabriek.funding.shares import Share


class Ledger(Protocol):
    """The ledger and the balances that follow from it. Nothing is ever changed or removed."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def post(self, posting: Posting) -> bool:
        """Appends the posting and moves the balances; False when its key stands there already.

        Raises CreditsExhausted when an account other than a contribution's would fall below zero.
        """

    def balance(self, account: str, resource: Resource) -> int: ...

    def balances(self) -> Mapping[tuple[str, Resource], int]: ...

    def entries(self, *, account: str, limit: int) -> Sequence[Entry]:
        """Newest first."""

    def sums(self) -> Mapping[Resource, int]:
        """What all entries sum to, from the entries themselves: zero in each resource."""


class Funds(Protocol):
    """Storage of contributions and shares."""

    def add_contribution(self, contribution: Contribution) -> None: ...

    def contributions(self) -> Sequence[Contribution]: ...

    def add_share(self, share: Share) -> None: ...

    def shares(self) -> Sequence[Share]:
        """By name."""


class Allocations(Protocol):
    """Storage of allocations and of what jobs hold."""

    def add(self, allocation: Allocation) -> None: ...

    def of_project(self, project: str) -> Sequence[Allocation]: ...

    def all(self) -> Sequence[Allocation]: ...

    def add_hold(self, held: Hold) -> None: ...

    def save_hold(self, held: Hold) -> None: ...

    def hold_of(self, job: str) -> Hold | None: ...
