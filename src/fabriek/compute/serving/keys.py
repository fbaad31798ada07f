"""A key to one served model: what it may spend, in which period, and until when. Only its hash is kept."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput

DAYS_MAX = 90
KEYS_MAX = 200
"""At one served model, those that have ended not counted."""

BUDGET_MAX = 10**12
BEGINS = "fks_"
"""By which programs that look for leaked secrets know one."""


class Unit(StrEnum):
    TOKENS = "tokens"
    REQUESTS = "requests"


class Period(StrEnum):
    """In which a budget is spent: once, or anew each civil day or month of the installation's zone."""

    ONCE = "once"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Budget:
    amount: int
    unit: Unit
    period: Period

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}" + ("" if self.period is Period.ONCE else f"/{self.period}")


@dataclass(frozen=True, slots=True)
class ServingKey:
    """`used` is what of the budget is spent since `used_from`; the other counts are of all its life. `hint`: its last characters. `payer`: the other
    project for which it calls, which pays in tokens; `tokens_settled` of them are in the ledger.
    """

    id: str
    served: str
    project: str
    hash: str
    hint: str
    name: str
    person: str
    budget: Budget
    created_at: datetime
    expires_at: datetime
    used_from: date
    used: int = 0
    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    used_at: datetime | None = None
    ended_at: datetime | None = None
    ended_why: str = ""
    payer: str = ""
    tokens_settled: int = 0

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out


_BUDGET = re.compile(r"([0-9][0-9_]{0,15})([kMG]?)\s*(tokens|requests)(?:/(day|month))?")
_TIMES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}


def budget_of(text: str) -> Budget:
    """`1000 requests`, `2M tokens/day`. Raises InvalidInput."""
    found = _BUDGET.fullmatch(text.strip())
    amount = int(found[1].replace("_", "")) * _TIMES[found[2]] if found else 0
    if found is None or not 1 <= amount <= BUDGET_MAX:
        raise InvalidInput(
            f"{text!r} is no budget", fix="--budget '100000 tokens', '500 requests/day' or '2M tokens/month'"
        )
    return Budget(amount, Unit(found[3]), Period(found[4] or Period.ONCE))


def expiry(days: int, now: datetime) -> datetime:
    """Raises InvalidInput beyond what a key may live."""
    if not 1 <= days <= DAYS_MAX:
        raise InvalidInput(f"a key lives for 1 to {DAYS_MAX} days", fix=f"--days {DAYS_MAX}")
    return now + timedelta(days=days)


def is_open(key: ServingKey, now: datetime) -> bool:
    """Whether it still opens anything. The last instant does not count."""
    return key.ended_at is None and now < key.expires_at


def standing(key: ServingKey, now: datetime) -> str:
    """One word, or why it ended."""
    if key.ended_at is not None:
        return f"ended: {key.ended_why}" if key.ended_why else "ended"
    return "open" if now < key.expires_at else "expired"


def begun(period: Period, today: date, before: date) -> date:
    """The first day of the period that today is in; of a budget that is spent once, the day on which it began."""
    match period:
        case Period.DAY:
            return today
        case Period.MONTH:
            return today.replace(day=1)
        case _:
            return before


def as_of(key: ServingKey, today: date) -> ServingKey:
    """The key with what it has used in the period of today."""
    begins = begun(key.budget.period, today, key.used_from)
    return key if begins == key.used_from else replace(key, used_from=begins, used=0)


def left(key: ServingKey) -> int:
    return max(0, key.budget.amount - key.used)


def next_period(period: Period, today: date) -> date | None:
    """The day on which the budget is whole again; None where it never is."""
    match period:
        case Period.DAY:
            return today + timedelta(days=1)
        case Period.MONTH:
            return (today.replace(day=1) + timedelta(days=32)).replace(day=1)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Answered:
    """What one answer took. `tokens_in` and `tokens_out` are what the model's server says, or an estimate where it does not say."""

    tokens_in: int = 0
    tokens_out: int = 0

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out


def counted(key: ServingKey, answered: Answered, at: datetime) -> ServingKey:
    """After an answer. A request was taken from the budget before it was sent; tokens are known only now."""
    spent = answered.tokens if key.budget.unit is Unit.TOKENS else 0
    return replace(
        key, used=key.used + spent, requests=key.requests + 1, tokens_in=key.tokens_in + answered.tokens_in,
        tokens_out=key.tokens_out + answered.tokens_out, used_at=at,
    )  # fmt: skip
