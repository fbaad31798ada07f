"""A project whose credits a test spends and gives, past jobs and awards."""

from dataclasses import dataclass

from fabriek.adapters.database import Database
from fabriek.funding import ledger
from fabriek.funding.allocations import Allocation
from fabriek.funding.ledger import Kind, account
from fabriek.funding.resources import Resource
from fabriek.funding.store import SqlAllocations, SqlLedger
from fabriek.kernel.units import MICRO
from tests.factories.services import Town


@dataclass
class Purse:
    """One project's allocation, and its books in the test's hands."""

    town: Town
    slug: str
    numbers: int = 0

    @property
    def database(self) -> Database:
        return self.town.services.database

    @property
    def project(self) -> str:
        return self.town.services.access.project(self.slug).id

    @property
    def allocation(self) -> Allocation:
        return SqlAllocations(self.database).of_project(self.project)[0]

    def give(self, resource: Resource, hours: int) -> None:
        """Credits out of nowhere, for the project."""
        one = self.allocation
        moves = [(account(Kind.CONTRIBUTION, "con_x"), account(Kind.ALLOCATION, one.id), resource, hours * MICRO)]
        self._post(ledger.compose(self._new(), self._new(), moves, self.town.clock.now(), "test"))

    def spend(self, resource: Resource, hours: int) -> None:
        charged = {self.allocation.id: hours * MICRO}
        self._post(ledger.use(self._new(), self._new(), charged, resource, self.town.clock.now(), job=self._new()))

    def owe(self, resource: Resource, hours: int) -> None:
        at, one = self.town.clock.now(), self.allocation.id
        self._post(ledger.owe(self._new(), self._new(), one, resource, hours * MICRO, at, memo="test"))

    def balance(self, kind: Kind, owner: str, resource: Resource) -> int:
        return SqlLedger(self.database).balance(account(kind, owner), resource)

    def _post(self, posting: ledger.Posting) -> None:
        with self.database.transaction():
            SqlLedger(self.database).post(posting)

    def _new(self) -> str:
        self.numbers += 1
        return f"test_{self.numbers}"
