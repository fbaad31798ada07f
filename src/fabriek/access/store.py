"""The SQL of organisations, people and projects."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Row, String, Table, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from fabriek.access.organisations import Organisation, OrganisationKind
from fabriek.access.people import Person, PersonKind
from fabriek.access.projects import Membership, Project
from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import AlreadyExists, NotFound, nothing_here
from fabriek.kernel.purposes import Purpose

organisations = Table(
    "access_organisations",
    metadata,
    Column("id", String, primary_key=True),
    Column("slug", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("country", String, nullable=False),
    Column("kvk", String, nullable=False),
)

people = Table(
    "access_people",
    metadata,
    Column("id", String, primary_key=True),
    Column("organisation", String, nullable=False, index=True),
    Column("roles", JSON, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("kind", String, nullable=False),
    Column("signed_for_by", String, nullable=False),
    Column("confirms", Boolean, nullable=False),
)

# Apart from `access_people`, so that a name can be erased while every record of what was done keeps its id.
names = Table(
    "access_names",
    metadata,
    Column("person", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("email", String, unique=True),  # none for who came by a provider that knows of none that is theirs alone
)

projects = Table(
    "access_projects",
    metadata,
    Column("id", String, primary_key=True),
    Column("slug", String, nullable=False, unique=True),
    Column("title", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("label_ceiling", String, nullable=False),
    Column("lead_organisation", String, nullable=False),
)

memberships = Table(
    "access_memberships",
    metadata,
    Column("project", String, primary_key=True),
    Column("person", String, primary_key=True, index=True),
    Column("role", String, nullable=False),
)

# When somebody's place in a project changed last, which stays when they are out of it: who was with whom is asked of each expert.
membership_changes = Table(
    "access_membership_changes",
    metadata,
    Column("person", String, primary_key=True),
    Column("project", String, primary_key=True),
    Column("at", Instant, nullable=False),
)


class SqlOrganisations:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def add(self, organisation: Organisation) -> None:
        try:
            self._db.execute(insert(organisations).values(**asdict(organisation)))
        except IntegrityError:
            raise AlreadyExists(
                f"there is an organisation {organisation.slug} already", fix="choose another --slug"
            ) from None

    def named(self, name: str) -> Organisation:
        row = self._db.row(select(organisations).where(or_(organisations.c.id == name, organisations.c.slug == name)))
        if row is None:
            raise NotFound("there is no such organisation", fix="fabriek org ls")
        return _organisation(row)

    def all(self) -> Sequence[Organisation]:
        return [_organisation(row) for row in self._db.rows(select(organisations).order_by(organisations.c.slug))]


class SqlPeople:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._whole = select(people, names.c.name, names.c.email).outerjoin(names, names.c.person == people.c.id)

    def add(self, person: Person) -> None:
        row = {
            "id": person.id,
            "organisation": person.organisation,
            "roles": sorted(person.roles),
            "active": person.active,
            "kind": person.kind,
            "signed_for_by": person.signed_for_by,
            "confirms": person.confirms,
        }
        self._db.execute(insert(people).values(**row))
        try:
            self._db.execute(insert(names).values(person=person.id, name=person.name, email=person.email or None))
        except IntegrityError:
            raise AlreadyExists(
                "somebody with this address is here already", fix="fabriek org show ORGANISATION"
            ) from None

    def get(self, person_id: str) -> Person:
        row = self._db.row(self._whole.where(people.c.id == person_id))
        if row is None:
            raise _nobody()
        return person_of(row, row.kind)

    def among(self, person_ids: Collection[str]) -> Mapping[str, Person]:
        wanted = set(person_ids)
        found = {row.id: person_of(row, row.kind) for row in self._db.rows(self._whole.where(people.c.id.in_(wanted)))}
        if len(found) < len(wanted):
            raise _nobody()
        return found

    def with_email(self, email: str) -> Person | None:
        row = self._db.row(self._whole.where(names.c.email == email.lower()))
        return None if row is None else person_of(row, row.kind)

    def of_organisation(self, organisation: str) -> Sequence[Person]:
        return [
            person_of(row, row.kind)
            for row in self._db.rows(self._whole.where(people.c.organisation == organisation).order_by(people.c.id))
        ]

    def count(self) -> int:
        those = select(func.count()).select_from(people).where(people.c.kind == PersonKind.PERSON)
        return int(self._db.scalar(those))


_NAMED = select(projects).where(or_(projects.c.id == bindparam("said"), projects.c.slug == bindparam("said")))
"""Built once: every request that names a project asks."""


class SqlProjects:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, project: Project) -> None:
        try:
            self._db.execute(insert(projects).values(**asdict(project)))
        except IntegrityError:
            raise AlreadyExists(f"there is a project {project.slug} already", fix="choose another title") from None

    def named(self, name: str) -> Project:
        row = self._db.row(_NAMED, {"said": name})
        if row is None:
            raise nothing_here()
        return _project(row)

    def among(self, project_ids: Collection[str]) -> Mapping[str, Project]:
        wanted = set(project_ids)
        found = {row.id: _project(row) for row in self._db.rows(select(projects).where(projects.c.id.in_(wanted)))}
        if len(found) < len(wanted):
            raise nothing_here()
        return found

    def put_member(self, membership: Membership, at: datetime) -> None:
        same = (memberships.c.project == membership.project, memberships.c.person == membership.person)
        if not self._db.execute(update(memberships).where(*same).values(role=membership.role)):
            self._db.execute(insert(memberships).values(**asdict(membership)))
        self._changed(membership.project, membership.person, at)

    def take_member(self, project: str, person: str, at: datetime) -> None:
        same = (memberships.c.project == project, memberships.c.person == person)
        if self._db.execute(delete(memberships).where(*same)):
            self._changed(project, person, at)

    def changed_for(self, person: str, since: datetime) -> frozenset[str]:
        theirs = (membership_changes.c.person == person, membership_changes.c.at >= since)
        return frozenset(row.project for row in self._db.rows(select(membership_changes.c.project).where(*theirs)))

    def _changed(self, project: str, person: str, at: datetime) -> None:
        self._db.put(membership_changes, {"person": person, "project": project, "at": at}, ["person", "project"])

    def members(self, project: str) -> Sequence[Membership]:
        rows = self._db.rows(select(memberships).where(memberships.c.project == project).order_by(memberships.c.person))
        return [Membership(row.project, row.person, row.role) for row in rows]

    def of_person(self, person: str) -> Sequence[Membership]:
        rows = self._db.rows(select(memberships).where(memberships.c.person == person).order_by(memberships.c.project))
        return [Membership(row.project, row.person, row.role) for row in rows]


class SqlMemberships:
    def __init__(self, db: Database) -> None:
        self._db = db

    def mark(self) -> str:
        active = select(memberships.c.project, memberships.c.person).join(people, people.c.id == memberships.c.person)
        ordered = active.where(people.c.active).order_by(memberships.c.project, memberships.c.person)
        return hashlib.sha256(repr(self._db.plain_rows(ordered)).encode()).hexdigest()


def _organisation(row: Row[Any]) -> Organisation:
    return Organisation(row.id, row.slug, row.name, OrganisationKind(row.kind), row.country, row.kvk)


def _project(row: Row[Any]) -> Project:
    return Project(row.id, row.slug, row.title, Purpose(row.purpose), row.label_ceiling, row.lead_organisation)


def _nobody() -> NotFound:
    return NotFound("there is no such person", fix="fabriek org show ORGANISATION")


def person_of(row: Row[Any], kind: str) -> Person:
    """Of a row that has the person's columns and names; `kind` apart, because a joined row may have several of that name."""
    return Person(
        row.id, row.organisation, row.name or "(erased)", row.email or "", frozenset(row.roles), row.active, PersonKind(kind),
        row.signed_for_by, row.confirms,
    )  # fmt: skip
