"""The policy on the wire: its rows, and proposals to change it with what they would do to each funder."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Wire


class PolicyRowOut(Wire):
    """`name`: rows of one name take over from each other."""

    name: str
    says: str
    valid_from: date
    source: str


class PolicyOut(Wire):
    """What is in force on a day."""

    on: date
    rows: list[PolicyRowOut]


class PolicyProposeIn(Wire):
    """`toml`: rows that all hold from one day to come, as `[[part]]`, `[[cap]]`, `[[rate]]`, `[[rule]]`, `[[carry]]`, `[[supply]]`, `[[share]]`,
    `[[borrowing]]`, `[[meter]]` or `[[ladder]]`.
    """

    toml: Annotated[str, Field(max_length=60_000)]
    motive: Annotated[str, Field(max_length=4_000)]


class PolicySignIn(Wire):
    """`digest`: that of the proposal that was looked at."""

    digest: Annotated[str, Field(max_length=64)]


class PolicyEndIn(Wire):
    words: Annotated[str, Field(max_length=4_000)] = ""


class AmountChangeOut(Wire):
    """In whole units of the resource."""

    resource: str
    before: str
    after: str


class PolicyEffectOut(Wire):
    """One funder. Parts are millionths of the machine on the day of the change. Of the quarter: what it is entitled to, and of its jobs as
    replayed how many its money may pay for, what they are charged, use in hours of the whole machine, and mean waits. `losses`: why it
    must sign.
    """

    funder: str
    share: str
    part_before: int
    part_after: int
    entitled: list[AmountChangeOut]
    charged: list[AmountChangeOut]
    jobs_before: int | None
    jobs_after: int | None
    used_before: float | None
    used_after: float | None
    wait_seconds_before: float | None
    wait_seconds_after: float | None
    losses: list[str]


class PolicySignatureOut(Wire):
    funder: str
    person: str
    name: str
    at: datetime


class PolicyProposalOut(Wire):
    """`quarter`: the one whose jobs were replayed, `jobs` of `jobs_of`. `lapses_on`: the last day for signatures. `missing`: funders who have
    not signed. `stale`: policy or money changed since, so that nobody can sign it.
    """

    id: str
    state: str
    starts_on: date
    lapses_on: date
    motive: str
    proposed_by: str
    proposed_by_name: str
    organisation: str
    proposed_at: datetime
    rows: list[PolicyRowOut]
    toml: str
    quarter: str
    jobs: int
    jobs_of: int
    effects: list[PolicyEffectOut]
    signed: list[PolicySignatureOut]
    missing: list[str]
    digest: str
    stale: bool
    ended_by: str
    words: str
