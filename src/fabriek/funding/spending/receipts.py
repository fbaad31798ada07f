"""What became of a job's credits: set aside, charged, given back, set right. Read off the ledger's own postings. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fabriek.funding.correcting.charges import Correction, charge_of
from fabriek.funding.ledger import Hold, Kind, Posting, kind_of
from fabriek.funding.resources import Resource


class What(StrEnum):
    """The lines of a receipt, in the words of the ledger."""

    HELD = "held"
    CHARGED = "charged"
    GIVEN_BACK = "given back"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class Line:
    """`amount_micro` is above zero but for a correction that gives back. `reason`: of a correction, as it was written; `transaction`: the posting."""

    what: What
    amount_micro: int
    at: datetime
    transaction: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """`share` and `allocation` paid, in millionths of a `resource`. `lines`: the oldest first. While it is not settled nothing is charged."""

    job: str
    share: str
    allocation: str
    resource: Resource
    lines: tuple[Line, ...]
    settled: bool

    @property
    def held_micro(self) -> int:
        """All that was ever set aside."""
        return self._sum(What.HELD)

    @property
    def charged_micro(self) -> int:
        """What it stands at, corrections among it."""
        return self._sum(What.CHARGED) + self._sum(What.CORRECTED)

    @property
    def given_back_micro(self) -> int:
        """Of what was set aside, by settling."""
        return self._sum(What.GIVEN_BACK)

    def _sum(self, what: What) -> int:
        return sum(line.amount_micro for line in self.lines if line.what is what)


def receipt_of(
    hold: Hold,
    holds: Sequence[Posting],
    settled: Posting | None,
    corrections: Sequence[Posting],
    why: Sequence[Correction],
) -> Receipt:
    """holds: the first and what raised it; corrections: of the settlement, the oldest first; why: their reasons."""
    lines = [Line(What.HELD, _to(Kind.HOLD, one), *_said(one)) for one in holds]
    if settled is not None:
        # A whole hold is among them: what became of it in two lines, one of which may be nothing.
        lines += [
            Line(what, _to(kind, settled), *_said(settled))
            for what, kind in ((What.CHARGED, Kind.USAGE), (What.GIVEN_BACK, Kind.ALLOCATION))
        ]
        reasons, stood = {one.transaction: one.reason for one in why}, charge_of(settled).stands
        for number, one in enumerate(corrections, 1):
            stands = charge_of(settled, corrections[:number]).stands
            lines.append(Line(What.CORRECTED, stands - stood, *_said(one), reasons.get(one.transaction, "")))
            stood = stands
    return Receipt(hold.job, hold.share, hold.allocation, hold.resource, tuple(lines), settled is not None)


def _to(kind: Kind, posting: Posting) -> int:
    return sum(one.amount_micro for one in posting.entries if kind_of(one.account) is kind and one.amount_micro > 0)


def _said(posting: Posting) -> tuple[datetime, str]:
    return posting.entries[0].at, posting.transaction
