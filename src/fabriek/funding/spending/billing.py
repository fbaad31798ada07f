"""What one may ask of a job's credits. Whether the caller may know of the job is asked where jobs are."""

from fabriek.funding import ledger
from fabriek.funding.correcting.ports import Corrections
from fabriek.funding.ledger import Posting
from fabriek.funding.ports import Allocations, Ledger
from fabriek.funding.spending.receipts import Receipt, receipt_of


class Billing:
    """Receipts, from the ledger."""

    def __init__(self, books: Ledger, allocations: Allocations, corrections: Corrections) -> None:
        self._books, self._allocations, self._corrections = books, allocations, corrections

    def receipt(self, job: str) -> Receipt | None:
        """None for a job that never held anything."""
        hold, first = self._allocations.hold_of(job), self._books.keyed(f"hold:{job}")
        if hold is None or first is None:
            return None
        settled = self._books.keyed(f"settle:{job}")
        corrections = list[Posting]()
        while settled and (made := self._books.keyed(ledger.correction_key(settled.transaction, len(corrections) + 1))):
            corrections.append(made)
        why = self._corrections.of(settled.transaction) if settled and corrections else ()
        return receipt_of(hold, self._holds(job, first), settled, corrections, why)

    def _holds(self, job: str, first: Posting) -> list[Posting]:
        """The first, and each by which it was raised: these are known by the amount that there was before."""
        found, amount = [first], _held(first)
        while raised := self._books.keyed(f"hold:{job}:{amount}"):
            found.append(raised)
            amount += _held(raised)
        return found


def _held(posting: Posting) -> int:
    return max(one.amount_micro for one in posting.entries)
