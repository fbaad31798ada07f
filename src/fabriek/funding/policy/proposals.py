"""A proposal to change the policy: rows that take force on a day, once every funder who loses by them has signed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import DecimalException
from enum import StrEnum
from fractions import Fraction

from fabriek.funding.policy.effects import Effect, digest_of
from fabriek.funding.policy.policy import Policy, policy_of
from fabriek.funding.policy.rows import all_rows, name_of
from fabriek.funding.policy.tariffs import Per
from fabriek.kernel.dated import in_force, read_rows
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotPermitted, Stale, WrongState
from fabriek.kernel.units import MICRO

TEXT_CHARACTERS_MAX = 50_000
UNITS_A_DAY_MAX = 10**10
HOURLY_MAX = 10**6
MOTIVE_CHARACTERS_MAX = 2_000


class State(StrEnum):
    PROPOSED = "proposed"
    SIGNED = "signed"
    IN_FORCE = "in_force"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.PROPOSED: frozenset({State.SIGNED, State.REFUSED, State.WITHDRAWN, State.LAPSED}),
    State.SIGNED: frozenset({State.IN_FORCE}),
    State.IN_FORCE: frozenset(),
    State.REFUSED: frozenset(),
    State.WITHDRAWN: frozenset(),
    State.LAPSED: frozenset(),
}
"""What was signed is taken back by another proposal alone: others have built on it."""

AGREED = frozenset({State.SIGNED, State.IN_FORCE})


@dataclass(frozen=True, slots=True)
class Signature:
    """`digest`: what its person saw."""

    person: str
    organisation: str
    at: datetime
    digest: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """`basis`: of the policy and the money that it was compared with. `wants`: the funders (ids) who must sign, computed and never chosen.
    `lapses_on`: the last day on which it is signed. `ended_by` and `words`: who refused or withdrew it, and why.
    """

    id: str
    toml: str
    starts_on: date
    motive: str
    proposed_by: str
    organisation: str
    proposed_at: datetime
    lapses_on: date
    effect: Effect
    basis: str
    digest: str
    state: State = State.PROPOSED
    signatures: Sequence[Signature] = ()
    ended_by: str = ""
    words: str = ""

    @property
    def wants(self) -> tuple[str, ...]:
        return self.effect.losers

    @property
    def missing(self) -> tuple[str, ...]:
        signed = {one.organisation for one in self.signatures}
        return tuple(one for one in self.wants if one not in signed)

    def state_on(self, today: date) -> State:
        """With what the days alone have brought about."""
        if self.state is State.PROPOSED and today > self.lapses_on:
            return State.LAPSED
        if self.state is State.SIGNED and today >= self.starts_on:
            return State.IN_FORCE
        return self.state


@dataclass(frozen=True, slots=True)
class Term:
    """For how many days a proposal may be signed."""

    sign_days: int
    valid_from: date
    source: str


def terms_of(text: str) -> Sequence[Term]:
    """The rows of data/steering.toml. Raises InvalidInput."""
    return read_rows(text, "term", lambda row: Term(**row))


def last_day(terms: Sequence[Term], today: date, starts_on: date) -> date:
    """The last on which it is signed: never the day on which it takes force, since what was paid for by then stays as it is."""
    term = in_force(terms, today) or terms[0]
    return min(today + timedelta(days=term.sign_days), starts_on - timedelta(days=1))


def read_change(toml: str, present: Policy, today: date) -> tuple[Policy, date]:
    """The rows and the one day from which all of them hold. Raises InvalidInput."""
    if len(toml) > TEXT_CHARACTERS_MAX:
        raise InvalidInput("a proposal has at most 50,000 characters", fix="propose what changes, not all rows")
    try:
        change = policy_of(toml)
    except (RecursionError, DecimalException):
        raise InvalidInput(
            "the proposal holds what is no figure of a policy", fix="write plain tables of rows"
        ) from None
    rows = all_rows(change)
    _check_figures(change)
    days = sorted({row.valid_from for row in rows})
    if not rows:
        raise InvalidInput("the proposal has no row", fix="write what changes: fabriek funding policy show")
    if len(days) > 1:
        raise InvalidInput(f"rows hold from {days[0]} and from {days[-1]}", fix="make a proposal for each day")
    if days[0] <= today:
        raise InvalidInput(
            f"valid_from = {days[0]} has come already, and no bill of the past changes", fix="give a day after today"
        )
    names = [name_of(row) for row in rows]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidInput(f"two rows of {doubled[0]} overlap from {days[0]}", fix="keep one of them")
    taken = {name_of(row) for row in all_rows(present) if row.valid_from == days[0]}
    if both := sorted(taken & set(names)):
        raise InvalidInput(f"a row of {both[0]} holds from {days[0]} already", fix="propose it for another day")
    return change, days[0]


def _check_figures(change: Policy) -> None:
    """Beyond these a quarter would be more than the ledger can hold, and money would stand still on the day that it begins."""
    if any(one.each_day > UNITS_A_DAY_MAX * MICRO for one in change.supplies):
        raise InvalidInput(f"a machine gives at most {UNITS_A_DAY_MAX:,} of anything a day", fix="mend each_day")
    if any(cap.amount_micro > UNITS_A_DAY_MAX * MICRO for cap in change.caps):
        raise InvalidInput(f"a cap is at most {UNITS_A_DAY_MAX:,} hours", fix="mend hours")
    one_of_each = dict.fromkeys([*Per, "tib", "expert", "token"], Fraction(1))
    if any(rate.term.hourly(one_of_each) > HOURLY_MAX * MICRO for rate in change.rates):
        raise InvalidInput(f"an hour of one thing costs at most {HOURLY_MAX:,}", fix="mend amount")


def read_motive(text: str) -> str:
    if not 0 < len(text.strip()) <= MOTIVE_CHARACTERS_MAX:
        raise InvalidInput("say why, in at most 2,000 characters", fix="write what the others can judge by")
    return text.strip()


def move(proposal: Proposal, to: State, today: date) -> Proposal:
    """Raises WrongState."""
    now = proposal.state_on(today)
    # What its days have brought about may be written down.
    if to not in TRANSITIONS[proposal.state] or now not in {proposal.state, to}:
        raise WrongState(
            f"this proposal is {now.replace('_', ' ')}, and cannot be {to.replace('_', ' ')}",
            fix="fabriek funding policy proposals shows how each stands; propose it again where it lapsed",
        )
    return replace(proposal, state=to)


def sign(proposal: Proposal, signature: Signature, today: date) -> Proposal:
    """With the signature, and agreed on where it was the last. Raises WrongState, NotPermitted, AlreadyExists, Stale."""
    move(proposal, State.SIGNED, today)
    if signature.organisation not in proposal.wants:
        raise NotPermitted(
            "your organisation loses nothing by this, so that its signature is not asked", rule="policy.not_asked",
            fix="fabriek funding policy proposal shows who signs",
        )  # fmt: skip
    if signature.organisation not in proposal.missing:
        raise AlreadyExists(
            "your organisation has signed this", fix="fabriek funding policy proposal shows who has not"
        )
    if signature.person in {one.person for one in proposal.signatures}:
        raise NotPermitted(
            "you signed this for another funder", rule="policy.one_person", fix="ask a colleague to sign"
        )  # fmt: skip
    if signature.digest != proposal.digest:
        raise Stale(
            "what you saw is not what is proposed", fix=f"look again: fabriek funding policy proposal {proposal.id}"
        )
    signed = replace(proposal, signatures=(*proposal.signatures, signature))
    return signed if signed.missing else move(signed, State.SIGNED, today)


def is_whole(proposal: Proposal) -> bool:
    """Whether it says what was signed, by all who lose by it."""
    digest = digest_of(proposal.toml, proposal.motive, proposal.basis, proposal.effect)
    return (
        digest == proposal.digest and not proposal.missing and all(one.digest == digest for one in proposal.signatures)
    )
