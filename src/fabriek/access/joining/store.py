"""The SQL of coming in and going out: invitations, standings, and who left."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Row, String, Table, insert, select, update

from fabriek.access.joining.invitations import Invitation, InvitationState
from fabriek.access.joining.leavings import Leaving
from fabriek.access.people import Person, PersonKind
from fabriek.access.store import memberships, names, people, person_of, projects
from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant

invitations = Table(
    "access_invitations",
    metadata,
    Column("id", String, primary_key=True),
    Column("hash", String, nullable=False, unique=True),
    Column("email", String, nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("organisation", String, nullable=False, index=True),
    Column("project", String, nullable=False, index=True),
    Column("role", String, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("invited_by", String, nullable=False, index=True),
    Column("admitted_by", String, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("state", String, nullable=False),
    Column("ended_at", Instant),
    Column("person", String, nullable=False),
)

leavings = Table(
    "access_leavings",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", String, nullable=False, index=True),
    Column("why", String, nullable=False),
    Column("by", String, nullable=False),
    Column("left_at", Instant, nullable=False),
    Column("held", JSON, nullable=False),
    Column("left_alone", JSON, nullable=False),
    Column("services", JSON, nullable=False),
    Column("closed_at", Instant),
)


class SqlInvitations:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, invitation: Invitation) -> None:
        self._db.execute(insert(invitations).values(**_values(invitation)))

    def get(self, invitation_id: str) -> Invitation | None:
        row = self._db.row(select(invitations).where(invitations.c.id == invitation_id))
        return None if row is None else _invitation(row)

    def with_hash(self, code_hash: str) -> Invitation | None:
        row = self._db.row(select(invitations).where(invitations.c.hash == code_hash))
        return None if row is None else _invitation(row)

    def save(self, invitation: Invitation) -> None:
        same = invitations.c.id == invitation.id
        self._db.execute(update(invitations).where(same).values(**_values(invitation)))

    def listed(
        self, *, project: str = "", organisation: str = "", email: str = "", invited_by: str = ""
    ) -> Sequence[Invitation]:
        named = {"project": project, "organisation": organisation, "email": email, "invited_by": invited_by}
        assert any(named.values()), "this would list every invitation"
        asked = select(invitations).order_by(invitations.c.made_at.desc(), invitations.c.id.desc())
        for column, value in named.items():
            if value:
                asked = asked.where(invitations.c[column] == value)
        return [_invitation(row) for row in self._db.rows(asked)]

    def run_out(self, now: datetime) -> Sequence[Invitation]:
        over = (invitations.c.state == InvitationState.INVITED) & (invitations.c.expires_at <= now)
        return [_invitation(row) for row in self._db.rows(select(invitations).where(over))]


class SqlStandings:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._whole = select(people, names.c.name, names.c.email).outerjoin(names, names.c.person == people.c.id)

    def save(self, person: Person) -> None:
        kept = {"roles": sorted(person.roles), "active": person.active, "signed_for_by": person.signed_for_by}
        self._db.execute(update(people).where(people.c.id == person.id).values(**kept))

    def holding(self, role: str) -> Sequence[Person]:
        return [one for one in self.with_roles() if role in one.roles and one.kind is PersonKind.PERSON]

    def with_roles(self) -> Sequence[Person]:
        rows = self._db.rows(self._whole.where(people.c.active).order_by(people.c.id))
        return [one for one in (person_of(row, row.kind) for row in rows) if one.roles]

    def signed_for_by(self, person: str) -> Sequence[Person]:
        theirs = self._whole.where(people.c.signed_for_by == person, people.c.kind == str(PersonKind.SERVICE))
        return [person_of(row, row.kind) for row in self._db.rows(theirs.order_by(people.c.id))]

    def projects_without_lead(self) -> Sequence[str]:
        led = (
            select(memberships.c.project)
            .join(people, people.c.id == memberships.c.person)
            .where(memberships.c.role == "lead", people.c.active, people.c.kind == PersonKind.PERSON)
        )
        alone = select(projects.c.id).where(projects.c.id.not_in(led)).order_by(projects.c.slug)
        return [row.id for row in self._db.rows(alone)]

    def projects_with_members(self) -> Sequence[str]:
        found = select(memberships.c.project).distinct().order_by(memberships.c.project)
        return [row.project for row in self._db.rows(found)]


class SqlLeavings:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, leaving: Leaving) -> None:
        self._db.execute(insert(leavings).values(**_row_of(leaving)))

    def save(self, leaving: Leaving) -> None:
        self._db.execute(update(leavings).where(leavings.c.id == leaving.id).values(**_row_of(leaving)))

    def of_person(self, person: str) -> Sequence[Leaving]:
        theirs = select(leavings).where(leavings.c.person == person).order_by(leavings.c.left_at.desc())
        return [_leaving(row) for row in self._db.rows(theirs)]

    def unclosed(self) -> Sequence[Leaving]:
        waiting = select(leavings).where(leavings.c.closed_at.is_(None)).order_by(leavings.c.left_at)
        return [_leaving(row) for row in self._db.rows(waiting)]


def _values(invitation: Invitation) -> dict[str, Any]:
    return asdict(invitation) | {"roles": sorted(invitation.roles)}


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(
        row.id, row.hash, row.email, row.name, row.organisation, row.project, row.role, frozenset(row.roles), row.invited_by, row.admitted_by,
        row.made_at, row.expires_at, InvitationState(row.state), row.ended_at, row.person,
    )  # fmt: skip


def _row_of(leaving: Leaving) -> dict[str, Any]:
    return asdict(leaving) | {"left_alone": list(leaving.left_alone), "services": list(leaving.services)}


def _leaving(row: Row[Any]) -> Leaving:
    return Leaving(
        row.id, row.person, row.why, row.by, row.left_at, dict(row.held), tuple(row.left_alone), tuple(row.services), row.closed_at
    )  # fmt: skip
