"""A job's receipt: what was held, charged and given back, which share paid, and what energy it took."""

from dataclasses import dataclass
from enum import StrEnum

from fabriek.compute.jobs import Job, State
from fabriek.compute.service import Compute
from fabriek.funding.service import Funding
from fabriek.funding.spending.billing import Billing
from fabriek.funding.spending.receipts import Receipt
from fabriek.kernel.callers import Caller


class Ground(StrEnum):
    """Why it is charged what it is charged."""

    HELD = "its credits are set aside until it ends"
    RAN = "it is charged for the time that it ran, and never more than was set aside"
    NEVER_RAN = "it never ran, so nothing is charged"
    LOST = "the machine lost it, so nothing is charged"
    FREE = "nothing was set aside for it"


@dataclass(frozen=True, slots=True)
class JobReceipt:
    """`receipt`: None where nothing was ever set aside. `share`: its name. `energy_joules`: of all attempts, an estimate."""

    job: Job
    receipt: Receipt | None
    share: str
    ground: Ground

    @property
    def energy_joules(self) -> float:
        return self.job.energy_joules


def ground_of(job: Job, receipt: Receipt | None) -> Ground:
    """Said by what the ledger has, not by what would be charged today."""
    if receipt is None:
        return Ground.FREE
    if not receipt.settled:
        return Ground.HELD
    if any(line.amount_micro for line in receipt.lines if line.what == "charged"):
        return Ground.RAN
    return Ground.LOST if job.state is State.LOST and job.ran_seconds > 0 else Ground.NEVER_RAN


class Receipts:
    """Whoever may look at a job may see what became of its credits."""

    def __init__(self, compute: Compute, billing: Billing, funding: Funding) -> None:
        self._compute, self._billing, self._funding = compute, billing, funding

    def of(self, project: str, job: str, *, by: Caller) -> JobReceipt:
        """Raises NotFound, NotPermitted as looking at the job does."""
        found = self._compute.get(project, job, by=by)
        receipt = self._billing.receipt(found.id)
        share = receipt.share if receipt else found.share
        names = {one.id: one.name for one in self._funding.shares()}
        return JobReceipt(found, receipt, names.get(share, share), ground_of(found, receipt))
