"""What a job or a reading was charged, and how that is set right: a counter-entry, and nothing that stands is changed. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fabriek.funding import ledger
from fabriek.funding.ledger import Entry, Kind, Posting, account, kind_of
from fabriek.funding.resources import Resource
from fabriek.kernel.errors import WrongState

_INSTEAD = {
    "foreign": "another site told of it: import its records again with the right figures, fabriek usage import",
    "counter": "it took back what another site told: import its records again, fabriek usage import",
    "debt": "it pays for use that stands elsewhere: correct that, fabriek usage readings",
}


@dataclass(frozen=True, slots=True)
class Correction:
    """Why a charge was set right, and by whom. `transaction`: the counter-entry; `corrected`: the posting that charged."""

    transaction: str
    corrected: str
    reason: str
    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Payer:
    """An allocation that is charged. `giver`: the account to which what was too much goes back: its own, or what it owes. In micro-units."""

    giver: str
    allocation: str
    stands: int


@dataclass(frozen=True, slots=True)
class Charge:
    """What one posting charges, and what it stands at behind its `corrections`, the oldest first. `payers`: in the order in which they paid."""

    transaction: str
    resource: Resource
    job: str
    payers: tuple[Payer, ...]
    corrections: tuple[str, ...] = ()

    @property
    def stands(self) -> int:
        return sum(one.stands for one in self.payers)


def charge_of(posting: Posting, corrections: Sequence[Posting] = ()) -> Charge:
    """Raises WrongState on a posting that charges nobody, or that is set right in another way."""
    what = posting.key.partition(":")[0]
    if what not in {"settle", "meter"}:
        fix = _INSTEAD.get(
            what, "it moves credits between accounts that have verbs of their own: fabriek funding --help"
        )
        raise WrongState(f"{posting.transaction} is not a job's charge and not a meter's", fix=fix)
    payers: dict[str, Payer] = {}
    for giver, taker, amount in _moves(posting):
        if what == "meter" or kind_of(giver) is Kind.HOLD:
            owner = giver.partition(":")[2]
            paid = account(Kind.ALLOCATION, owner) if kind_of(giver) is Kind.HOLD else giver
            before = payers.get(owner, Payer(paid, owner, 0))
            payers[owner] = replace(before, stands=before.stands + (amount if kind_of(taker) is Kind.USAGE else 0))
    behind = [entry for one in corrections for entry in one.entries]
    stand = [
        replace(
            one,
            stands=one.stands + sum(entry.amount_micro for entry in behind if entry.account == _usage(one.allocation)),
        )
        for one in payers.values()
    ]
    first = posting.entries[0]
    return Charge(
        posting.transaction, first.resource, first.job, tuple(stand), tuple(one.transaction for one in corrections)
    )


def correction(transaction: str, charge: Charge, used_micro: int, at: datetime) -> Posting:
    """The charge comes to `used_micro`: who paid last gets back first, and is charged what is more."""
    moves, more = list[tuple[str, str, Resource, int]](), used_micro - charge.stands
    for one in reversed(charge.payers):
        part = more if more > 0 else -min(-more, one.stands)
        more -= part
        usage = _usage(one.allocation)
        giver, taker = (one.giver, usage) if part > 0 else (usage, one.giver)
        moves.append((giver, taker, charge.resource, abs(part)))
    key = ledger.correction_key(charge.transaction, len(charge.corrections) + 1)
    return ledger.compose(transaction, key, moves, at, "corrected", job=charge.job)


def _usage(allocation: str) -> str:
    return account(Kind.USAGE, allocation)


def _moves(posting: Posting) -> Iterator[tuple[str, str, int]]:
    """(from, to, amount), as `ledger.compose` laid them down: two lines each."""
    lines = sorted(posting.entries, key=_place)
    for giver, taker in zip(lines[::2], lines[1::2], strict=True):
        yield giver.account, taker.account, taker.amount_micro


def _place(entry: Entry) -> int:
    return int(entry.id.rpartition("/")[2])
