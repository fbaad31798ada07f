"""Proposals, kept."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, Integer, Row, String, Table, Text, insert, select, update

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import nothing_here
from fabriek.vault.labelling.proposals import Act, Outcome, Proposal, Signature
from fabriek.vault.store import in_parts

proposals = Table(
    "vault_proposals",
    metadata,
    Column("id", String, primary_key=True),
    Column("act", String, nullable=False),
    Column("subject", String, nullable=False, index=True),
    Column("project", String, nullable=False),
    Column("label", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("proposed_by", String, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("outcome", String, nullable=False),
    Column("signatures", JSON, nullable=False),
    Column("refused_by", String, nullable=False),
    Column("words", Text, nullable=False),
    Column("covers", Integer, nullable=False, server_default="0"),
    # Proposals are kept for good, and everybody's first page asks for the few open ones.
    Index("vault_proposals_by_outcome", "outcome", "act", "project"),
)


class SqlProposals:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, proposal: Proposal) -> None:
        self._db.execute(insert(proposals).values(_values(proposal)))

    def get(self, proposal_id: str) -> Proposal:
        row = self._db.row(select(proposals).where(proposals.c.id == proposal_id))
        if row is None:
            raise nothing_here()
        return _proposal(row)

    def about(self, subject: str) -> Sequence[Proposal]:
        asked = select(proposals).where(proposals.c.subject == subject)
        rows = self._db.rows(asked.order_by(proposals.c.proposed_at.desc(), proposals.c.id.desc()))
        return [_proposal(row) for row in rows]

    def open_in(self, projects: Collection[str], act: Act) -> Sequence[Proposal]:
        return self._in(projects, act, Outcome.OPEN)

    def agreed_in(self, projects: Collection[str], act: Act) -> Sequence[Proposal]:
        return self._in(projects, act, Outcome.AGREED)

    def _in(self, projects: Collection[str], act: Act, outcome: Outcome) -> Sequence[Proposal]:
        wanted = select(proposals).where(proposals.c.outcome == str(outcome), proposals.c.act == str(act))
        found = [
            _proposal(row)
            for some in in_parts(projects)
            for row in self._db.rows(wanted.where(proposals.c.project.in_(some)))
        ]
        return sorted(found, key=lambda one: (one.proposed_at, one.id))

    def save(self, proposal: Proposal) -> None:
        self._db.execute(update(proposals).where(proposals.c.id == proposal.id).values(_values(proposal)))


def _values(proposal: Proposal) -> dict[str, Any]:
    values = {column.name: getattr(proposal, column.name) for column in proposals.columns}
    signed = [[one.person, one.organisation, one.at.isoformat()] for one in proposal.signatures]
    return values | {"act": str(proposal.act), "outcome": str(proposal.outcome), "signatures": signed}


def _proposal(row: Row[Any]) -> Proposal:
    signed = tuple(Signature(person, body, datetime.fromisoformat(at)) for person, body, at in row.signatures)
    values = {"act": Act(row.act), "outcome": Outcome(row.outcome), "signatures": signed}
    return Proposal(**dict(row._mapping) | values)  # noqa: SLF001  # SQLAlchemy's public name for it
