"""Shares, awards and use for tests of reports: booked by the ledger's own acts, at instants of the test's choosing."""

from datetime import date, datetime, timedelta

from fabriek.funding import ledger
from fabriek.funding.allocations import Allocation
from fabriek.funding.ledger import Hold, Kind, account
from fabriek.funding.reporting.store import SqlUses
from fabriek.funding.reporting.uses import Use
from fabriek.funding.resources import Resource
from fabriek.funding.store import SqlAllocations, SqlLedger
from fabriek.kernel.purposes import Purpose
from fabriek.kernel.units import MICRO
from tests.factories.services import Town

GPU = Resource.GPU_HOUR


class Bookkeeper:
    """Awards and charges in a town, past the checks that other tests look at."""

    def __init__(self, town: Town) -> None:
        self.town, self.services = town, town.services
        database = town.services.database
        self.books, self.allocations, self.uses = SqlLedger(database), SqlAllocations(database), SqlUses(database)
        self._count = 0

    def now(self) -> datetime:
        return self.town.clock.now()

    def award(
        self, organisation: str, hours: int, *, share: str = "nation", resource: Resource = GPU, sector: str = "health", region: str = "NL11",
        size: str = "small", purpose: str = "civilian", call: str = "playground", months: int = 6, project: str = "",
    ) -> Allocation:  # fmt: skip
        """organisation: whatever word; a project is opened where none is named."""
        chosen = next(one for one in self.services.funding.shares() if share in {one.id, one.name})
        self._count += 1
        project = project or self.services.access.open_project(
            f"P {self._count}", f"p-{self._count}", Purpose.CIVILIAN, "open", self.town.operator.person, [], by=self.town.operator
        ).id  # fmt: skip
        today = self.town.clock.today()
        made = Allocation(
            self.services.ids.new("alc"), project, chosen.id, f"app_{self._count}", today, today + timedelta(days=31 * months), call,
            purpose, organisation, sector, region, size,
        )  # fmt: skip
        left = {resource: self.books.balance(account(Kind.SHARE, chosen.id), resource)}
        with self.services.database.transaction():
            self.allocations.add(made)
            self.books.post(
                ledger.award(self._id(), chosen.id, made.id, {resource: hours * MICRO}, self.now(), left=left)
            )
        return made

    def use(
        self, allocation: Allocation, hours: float, *, resource: Resource = GPU, waited: int = 60, joules: int = 3_600_000,
        ended_at: datetime | None = None, held: float | None = None,
    ) -> str:  # fmt: skip
        """A job held for and settled now; its posting."""
        job, now = self.services.ids.new("job"), self.now()
        hold = Hold(job, allocation.id, allocation.share, resource, round((held or hours) * MICRO))
        left = self.books.balance(account(Kind.ALLOCATION, allocation.id), resource)
        posting = self._id()
        with self.services.database.transaction():
            self.books.post(ledger.hold(self._id(), hold, now, left_micro=left))
            self.books.post(ledger.settle(posting, hold, round(hours * MICRO), now))
            self.uses.add(Use(job, allocation.id, resource, posting, waited, joules, ended_at or now, now))
        return posting

    def counter(self, posting: str) -> str:
        """The correction of a posting, booked now."""
        made = self._id()
        with self.services.database.transaction():
            self.books.post(ledger.counter(made, self.books.posting(posting), self.now(), memo="a wrong project"))
        return made

    def to(self, day: date) -> None:
        """Winds the clock to noon of that day."""
        then = datetime.combine(day, datetime.min.time(), self.now().tzinfo) + timedelta(hours=12)
        self.town.clock.sleep((then - self.now()).total_seconds())

    def _id(self) -> str:
        return self.services.ids.new("led")
