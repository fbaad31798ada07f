"""The SQL of service identities: people of another kind."""

from collections.abc import Sequence

from sqlalchemy import select, update

from fabriek.access.people import Person, PersonKind
from fabriek.access.store import membership_changes, memberships, names, people, person_of
from fabriek.adapters.database import Database


class SqlServices:
    def __init__(self, db: Database) -> None:
        self._db = db

    def of_project(self, project: str) -> Sequence[Person]:
        # One whose only place was taken, as by a review of access, is the project's all the same: else nobody could retire it.
        here = select(memberships.c.person).where(memberships.c.project == project)
        nowhere = membership_changes.c.person.not_in(select(memberships.c.person))
        was = select(membership_changes.c.person).where(membership_changes.c.project == project, nowhere)
        theirs = (
            select(people, names.c.name, names.c.email)
            .outerjoin(names, names.c.person == people.c.id)
            .where(people.c.id.in_(here.union(was)), people.c.kind == PersonKind.SERVICE)
            .order_by(names.c.name)
        )
        return [person_of(row, row.kind) for row in self._db.rows(theirs)]

    def sign(self, service: str, person: str) -> None:
        self._db.execute(update(people).where(people.c.id == service).values(signed_for_by=person))

    def retire(self, service: str) -> None:
        self._db.execute(update(people).where(people.c.id == service).values(active=False))
