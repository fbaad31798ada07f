"""The ledger: double entry, append-only, integers in millionths of a unit. Contribution → share → allocation → hold → usage.

Every builder here gives a Posting whose entries sum to zero in each resource; `key` names the act, so that a store keeps it
once however often it is sent. Only two kinds of account may stand below zero: a contribution's, where credits come from, and a debt's,
for use that went on after they were spent.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from fabriek.funding.resources import Resource
from fabriek.kernel.errors import CreditsExhausted, InvalidInput, WrongState
from fabriek.kernel.units import MICRO, shown

AMOUNT_MAX = 10**12 * MICRO
"""The largest that is posted at once: a thousand years of a thousand GPUs, and far from where a database's integers end."""

GRANT = "grant"
"""What the ledger says of hours that come with money at once."""


class Kind(StrEnum):
    """The kinds of account, in the order in which credits pass through them; and what is owed."""

    CONTRIBUTION = "contribution"
    SHARE = "share"
    ALLOCATION = "allocation"
    HOLD = "hold"
    USAGE = "usage"
    DEBT = "debt"


BELOW_ZERO = frozenset({Kind.CONTRIBUTION, Kind.DEBT})
"""The kinds that may stand there."""


OF_AN_ALLOCATION = (Kind.ALLOCATION, Kind.HOLD, Kind.USAGE, Kind.DEBT)


def account(kind: Kind, owner: str) -> str:
    """`share:shr_1`. Holds, usage and debts are kept for each allocation; whose job it was stands in the entry."""
    return f"{kind}:{owner}"


def kind_of(name: str) -> Kind:
    return Kind(name.partition(":")[0])


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. amount_micro above zero is credit that came to the account. Never changed, never removed."""

    id: str
    transaction: str
    account: str
    resource: Resource
    amount_micro: int
    at: datetime
    memo: str
    job: str = ""


@dataclass(frozen=True, slots=True)
class Posting:
    """Entries that stand or fall together. `key` is unique in the ledger."""

    transaction: str
    key: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Hold:
    """Credits set aside for a job (or a booking) before it begins: its worst case."""

    job: str
    allocation: str
    share: str
    resource: Resource
    amount_micro: int

    @property
    def account(self) -> str:
        return account(Kind.HOLD, self.allocation)


def grant_share(
    transaction: str,
    contribution: str,
    share: str,
    amounts: Mapping[Resource, int],
    at: datetime,
    *,
    memo: str = GRANT,
) -> Posting:
    """What a contribution brings into its share. The transaction's id makes the key: a funder may give twice."""
    moves = _moves(account(Kind.CONTRIBUTION, contribution), account(Kind.SHARE, share), amounts)
    return compose(transaction, f"grant:{transaction}", moves, at, memo)


def take_back(
    transaction: str, key: str, share: str, allocation: str, amounts: Mapping[Resource, int], at: datetime, *, memo: str
) -> Posting:
    """What an allocation does not need, to the share that it came from: cut, closed, given back."""
    moves = _moves(account(Kind.ALLOCATION, allocation), account(Kind.SHARE, share), amounts)
    return compose(transaction, key, moves, at, memo)


def owe(transaction: str, key: str, allocation: str, resource: Resource, amount: int, at: datetime, *, memo: str) -> Posting:  # fmt: skip
    """Use beyond what the allocation has: charged to it all the same, and owed."""
    move = (account(Kind.DEBT, allocation), account(Kind.USAGE, allocation), resource, _above_zero(amount))
    return compose(transaction, key, [move], at, memo)


def pay_debt(transaction: str, key: str, owing: str, payer: str, resource: Resource, amount: int, at: datetime) -> Posting:  # fmt: skip
    """What one allocation owes, out of another: the use is booked where it is paid for, so that no share pays for another's."""
    moves = [
        (account(Kind.USAGE, owing), account(Kind.DEBT, owing), resource, _above_zero(amount)),
        (account(Kind.ALLOCATION, payer), account(Kind.USAGE, payer), resource, amount),
    ]
    return compose(transaction, key, moves, at, "debt")


def award(
    transaction: str,
    share: str,
    allocation: str,
    amounts: Mapping[Resource, int],
    at: datetime,
    *,
    left: Mapping[Resource, int],
) -> Posting:
    """What a project gets from a share; once per allocation. left: the share's balances. Raises CreditsExhausted."""
    _require_all(left, amounts, share, "the share")
    moves = _moves(account(Kind.SHARE, share), account(Kind.ALLOCATION, allocation), amounts)
    return compose(transaction, f"award:{allocation}", moves, at, "award")


def extend(
    transaction: str,
    rule: str,
    share: str,
    allocation: str,
    amounts: Mapping[Resource, int],
    at: datetime,
    *,
    left: Mapping[Resource, int],
) -> Posting:
    """What a rule adds to an award; once per allocation and rule. left: the share's balances. Raises CreditsExhausted."""
    _require_all(left, amounts, share, "the share")
    moves = _moves(account(Kind.SHARE, share), account(Kind.ALLOCATION, allocation), amounts)
    return compose(transaction, f"extend:{allocation}:{rule}", moves, at, "extension")


def split(
    transaction: str,
    share: str,
    source: str,
    part: str,
    amounts: Mapping[Resource, int],
    at: datetime,
    *,
    left: Mapping[Resource, int],
) -> Posting:
    """A part of one allocation that becomes one of its own, of the same share; once per part. left: the source's balances.

    Raises CreditsExhausted.
    """
    _require_all(left, amounts, share, "the allocation")
    moves = _moves(account(Kind.ALLOCATION, source), account(Kind.ALLOCATION, part), amounts)
    return compose(transaction, f"split:{part}", moves, at, "split")


def give_back(
    transaction: str, key: str, part: str, source: str, amounts: Mapping[Resource, int], at: datetime
) -> Posting:
    """What is left of a part, to the allocation that it was split off."""
    moves = _moves(account(Kind.ALLOCATION, part), account(Kind.ALLOCATION, source), amounts)
    return compose(transaction, key, moves, at, "back")


def hold(transaction: str, held: Hold, at: datetime, *, left_micro: int) -> Posting:
    """Sets the worst case aside; once per job. left_micro: the allocation's balance. Raises CreditsExhausted."""
    _require_left(left_micro, _above_zero(held.amount_micro), held.resource, held.share, "the allocation")
    move = (account(Kind.ALLOCATION, held.allocation), held.account, held.resource, held.amount_micro)
    return compose(transaction, f"hold:{held.job}", [move], at, "hold", job=held.job)


def raise_hold(transaction: str, held: Hold, more_micro: int, at: datetime, *, left_micro: int) -> Posting:
    """Sets more aside for a job that is to run longer; once for each amount that it had. Raises CreditsExhausted."""
    _require_left(left_micro, _above_zero(more_micro), held.resource, held.share, "the allocation")
    move = (account(Kind.ALLOCATION, held.allocation), held.account, held.resource, more_micro)
    return compose(transaction, f"hold:{held.job}:{held.amount_micro}", [move], at, "hold", job=held.job)


def settle(transaction: str, held: Hold, used_micro: int, at: datetime, *, memo: str = "settle") -> Posting:
    """Real use out of the hold, the rest back to the allocation; once per job.

    Use above the hold is charged at the hold: the worst case was a promise to the project.
    """
    assert used_micro >= 0, used_micro
    used = min(used_micro, held.amount_micro)
    moves = [
        (held.account, account(Kind.USAGE, held.allocation), held.resource, used),
        (held.account, account(Kind.ALLOCATION, held.allocation), held.resource, held.amount_micro - used),
    ]
    return compose(transaction, f"settle:{held.job}", moves, at, memo, job=held.job)


def release(transaction: str, held: Hold, at: datetime) -> Posting:
    """The whole hold back: the job never ran. It settles the job, so that no bill can follow."""
    return settle(transaction, held, 0, at, memo="release")


def use(
    transaction: str,
    key: str,
    charged: Mapping[str, int],
    resource: Resource,
    at: datetime,
    *,
    job: str,
    memo: str = "elsewhere",
) -> Posting:
    """Use that nothing was held for. charged: allocation → what it pays, as far as it reaches. Nothing charged is an empty posting."""
    moves = [
        (account(Kind.ALLOCATION, allocation), account(Kind.USAGE, allocation), resource, amount)
        for allocation, amount in charged.items()
    ]
    return compose(transaction, key, moves, at, memo, job=job)


def counter(transaction: str, posting: Posting, at: datetime, *, memo: str) -> Posting:
    """The correction of a posting: the same entries, the other way round. Once per posting; itself correctable."""
    entries = tuple(
        replace(
            entry,
            id=f"{transaction}/{line}",
            transaction=transaction,
            amount_micro=-entry.amount_micro,
            at=at,
            memo=memo,
        )
        for line, entry in enumerate(posting.entries)
    )
    return Posting(transaction, f"counter:{posting.transaction}", entries)


def correction_key(transaction: str, nth: int) -> str:
    """Of the nth correction by hand of a posting. It names the posting, as a whole counter's key does, so that reports know how old that is."""
    return f"counter:{nth:04}:{transaction}"


def corrected_by(key: str) -> str:
    """The posting that a correction by hand is about; empty for any other key."""
    found = re.fullmatch(r"counter:\d{4}:(.+)", key)
    return found[1] if found else ""


def post(postings: Sequence[Posting], new: Posting) -> tuple[Posting, ...]:
    """The ledger with one posting more. Unchanged when that very act stands in it already.

    Raises WrongState when another posting holds the key (settled twice, with another amount), CreditsExhausted when an
    account other than a contribution's or a debt's would fall below zero.
    """
    check(new.entries)
    for old in postings:
        if old.key == new.key:
            if _content(old) == _content(new):
                return tuple(postings)
            raise WrongState(f"{new.key} stands in the ledger with other amounts", fix="correct it by a counter-entry")
    after = balances(entry for posting in (*postings, new) for entry in posting.entries)
    for touched in {(entry.account, entry.resource) for entry in new.entries}:
        if after[touched] < 0 and kind_of(touched[0]) not in BELOW_ZERO:
            raise below_zero(touched, after[touched], balances(new.entries)[touched])
    return (*postings, new)


def balances(entries: Iterable[Entry]) -> dict[tuple[str, Resource], int]:
    """(account, resource) → micro-units."""
    sums: dict[tuple[str, Resource], int] = defaultdict(int)
    for entry in entries:
        sums[entry.account, entry.resource] += entry.amount_micro
    return dict(sums)


def balance(entries: Iterable[Entry], name: str, resource: Resource) -> int:
    """Micro-units that the account holds; 0 for one that nothing was posted to."""
    return sum(entry.amount_micro for entry in entries if entry.account == name and entry.resource is resource)


def check(entries: Iterable[Entry]) -> None:
    """Asserts that each transaction sums to zero in each resource: anything else is a fault of ours, not of a person."""
    sums: dict[tuple[str, Resource], int] = defaultdict(int)
    for entry in entries:
        sums[entry.transaction, entry.resource] += entry.amount_micro
    wrong = {where: total for where, total in sums.items() if total != 0}
    assert not wrong, f"the ledger does not sum to zero: {wrong}"


def compose(
    transaction: str,
    key: str,
    moves: Iterable[tuple[str, str, Resource, int]],
    at: datetime,
    memo: str,
    *,
    job: str = "",
) -> Posting:
    """Moves of (from, to, resource, amount) as one posting; those of nothing are left out."""
    lines = [
        (name, resource, amount)
        for source, target, resource, moved in moves
        if moved
        for name, amount in ((source, -moved), (target, moved))
    ]
    entries = tuple(
        Entry(f"{transaction}/{line}", transaction, name, resource, amount, at, memo, job)
        for line, (name, resource, amount) in enumerate(lines)
    )
    check(entries)
    return Posting(transaction, key, entries)


def _content(posting: Posting) -> list[tuple[str, Resource, int]]:
    return sorted((entry.account, entry.resource, entry.amount_micro) for entry in posting.entries)


def _above_zero(amount_micro: int) -> int:
    """A negative hold would mint credits, and a grant of nothing is a slip."""
    if amount_micro <= 0:
        raise InvalidInput(f"an amount of {shown(amount_micro)} cannot be posted", fix="give an amount above zero")
    if amount_micro > AMOUNT_MAX:
        raise InvalidInput(
            f"an amount of {shown(amount_micro)} is beyond what is posted at once",
            fix=f"give at most {shown(AMOUNT_MAX)}",
        )
    return amount_micro


def _moves(source: str, target: str, amounts: Mapping[Resource, int]) -> list[tuple[str, str, Resource, int]]:
    """All of these from one account to another."""
    return [(source, target, resource, _above_zero(amount)) for resource, amount in amounts.items()]


def _require_all(left: Mapping[Resource, int], amounts: Mapping[Resource, int], share: str, whose: str) -> None:
    for resource, amount in amounts.items():
        _require_left(left.get(resource, 0), _above_zero(amount), resource, share, whose)


def _require_left(left: int, asked: int, resource: Resource, share: str, whose: str) -> None:
    if asked > left:
        raise CreditsExhausted(
            f"this takes up to {resource.counted(asked)}, and {whose} has {shown(max(0, left))} left",
            fix="ask for less time or fewer devices, or apply for more: fabriek apply new",
            left=max(0, left) / MICRO,
            asked=asked / MICRO,
            unit=resource.value,
            share=share,
        )


def below_zero(touched: tuple[str, Resource], after: int, moved: int) -> CreditsExhausted:
    name, resource = touched
    asked = -moved
    return CreditsExhausted(
        f"{name} would fall below zero: {resource.counted(after)}",
        fix="see what is left: fabriek funding table",
        left=(after + asked) / MICRO,
        asked=asked / MICRO,
        unit=resource.value,
        share="",
    )
