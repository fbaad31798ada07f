"""The SQL of proposals to change the policy, and of what it was before the first."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Date, Integer, Row, String, Table, Text, func, insert, select, update

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.funding.policy import effects
from fabriek.funding.policy.proposals import Proposal, Signature, State
from fabriek.kernel.errors import nothing_here

proposals = Table(
    "funding_policy_proposals",
    metadata,
    Column("id", String, primary_key=True),
    Column("toml", Text, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("motive", Text, nullable=False),
    Column("proposed_by", String, nullable=False),
    Column("organisation", String, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("lapses_on", Date, nullable=False),
    Column("effect", Text, nullable=False),
    Column("basis", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("state", String, nullable=False),
    Column("signatures", JSON, nullable=False),
    Column("ended_by", String, nullable=False),
    Column("words", Text, nullable=False),
    # In which order they were agreed on; empty for the others.
    Column("agreed", Integer, unique=True),
)

start_rows = Table(
    "funding_policy_start",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("line", Text, nullable=False),
)


class SqlPolicyProposals:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._agreed = db.often(
            select(proposals.c.id).where(proposals.c.agreed.is_not(None)).order_by(proposals.c.agreed)
        )

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def add(self, proposal: Proposal) -> None:
        self._db.execute(insert(proposals).values(_values(proposal)))

    def get(self, proposal_id: str) -> Proposal:
        row = self._db.row(select(proposals).where(proposals.c.id == proposal_id))
        if row is None:
            raise nothing_here()
        return _proposal(row)

    def save(self, proposal: Proposal) -> None:
        self._db.execute(update(proposals).where(proposals.c.id == proposal.id).values(_values(proposal)))

    def agree(self, proposal: Proposal) -> None:
        last = int(self._db.scalar(select(func.max(proposals.c.agreed))) or 0)
        values = _values(proposal) | {"agreed": last + 1}
        self._db.execute(update(proposals).where(proposals.c.id == proposal.id).values(values))

    def all(self) -> Sequence[Proposal]:
        rows = self._db.rows(select(proposals).order_by(proposals.c.proposed_at.desc(), proposals.c.id.desc()))
        return [_proposal(row) for row in rows]

    def due(self, today: date) -> Sequence[Proposal]:
        lapsed = (proposals.c.state == str(State.PROPOSED)) & (proposals.c.lapses_on < today)
        begun = (proposals.c.state == str(State.SIGNED)) & (proposals.c.starts_on <= today)
        return [_proposal(row) for row in self._db.rows(select(proposals).where(lapsed | begun))]

    def agreed_ids(self) -> tuple[str, ...]:
        """In the order in which they were agreed on. Asked at every job."""
        return tuple(row.id for row in self._agreed.rows({}))

    def kept_start(self) -> Sequence[str]:
        return [row.line for row in self._db.rows(select(start_rows).order_by(start_rows.c.number))]

    def keep_start(self, lines: Sequence[str]) -> None:
        for number, line in enumerate(lines):
            self._db.execute(insert(start_rows).values(number=number, line=line))


def _values(proposal: Proposal) -> dict[str, Any]:
    names = [column.name for column in proposals.columns if column.name != "agreed"]
    signed = [[one.person, one.organisation, one.at.isoformat(), one.digest] for one in proposal.signatures]
    return {name: getattr(proposal, name) for name in names} | {
        "effect": effects.written(proposal.effect), "state": str(proposal.state), "signatures": signed,
    }  # fmt: skip


def _proposal(row: Row[Any]) -> Proposal:
    signed = tuple(
        Signature(person, body, datetime.fromisoformat(at), digest) for person, body, at, digest in row.signatures
    )
    values = {"effect": effects.read(row.effect), "state": State(row.state), "signatures": signed}
    kept = {name: value for name, value in row._mapping.items() if name != "agreed"}  # noqa: SLF001  # SQLAlchemy's public name for it
    return Proposal(**kept | values)
