"""The SQL of what opens the door."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Row, String, Table, bindparam, delete, func, insert, or_, select, update

from fabriek.access.login.credentials import Credential, CredentialKind
from fabriek.access.login.logins import Login, Method
from fabriek.access.login.ports import Holder
from fabriek.access.people import PersonKind
from fabriek.access.store import memberships, names, people, person_of, projects
from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import NotFound

credentials = Table(
    "access_credentials",
    metadata,
    Column("hash", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("person", String, nullable=False, index=True),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("job", String, nullable=False, index=True),
    Column("project", String, nullable=False),
    Column("credential_id", String, nullable=False, index=True),
    Column("label", String, nullable=False),
    Column("scope", JSON, nullable=False),
    Column("made_at", Instant),
    Column("used_at", Instant),
    Column("login", String, nullable=False),
    Column("confirmed_at", Instant),
    Column("through", String, nullable=False, index=True),
)

logins = Table(
    "access_logins",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", String, nullable=False, index=True),
    Column("method", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("strong", Boolean, nullable=False),
    Column("issuer", String, nullable=False),
    Column("acr", String, nullable=False),
    Column("assurance", JSON, nullable=False),
)

_SIGNER, _SIGNS = people.alias("signer"), memberships.alias("signs")

_PLACE = (
    memberships.c.project + " " + memberships.c.role + " " + projects.c.slug + " " + func.coalesce(_SIGNS.c.role, "-")
)
_PLACES = (
    select(func.aggregate_strings(_PLACE, ","))
    .select_from(memberships.join(projects, projects.c.id == memberships.c.project))
    .outerjoin(_SIGNS, (_SIGNS.c.project == memberships.c.project) & (_SIGNS.c.person == people.c.signed_for_by))
    .where(memberships.c.person == people.c.id)
    .correlate(people)
    .scalar_subquery()
)
"""Ids, roles and slugs have neither spaces nor commas. As one text, since twenty rows of the same person cost four times as much."""

_HOLDER = (
    select(
        credentials, people.c.id, people.c.organisation, people.c.roles, people.c.active, people.c.kind.label("person_kind"),
        people.c.signed_for_by, people.c.confirms, names.c.name, names.c.email, _SIGNER.c.active.label("signer_active"),
        _PLACES.label("places"),
    )
    .outerjoin(people, people.c.id == credentials.c.person)
    .outerjoin(names, names.c.person == people.c.id)
    .outerjoin(_SIGNER, _SIGNER.c.id == people.c.signed_for_by)
    .where(credentials.c.hash == bindparam("asked", ""))
)  # fmt: skip
"""Every request asks: whose it is, what they may do where, how those places are called, and whether who signed for a service is still there."""

_USED = (
    update(credentials)
    .where(
        credentials.c.credential_id == bindparam("used"),
        or_(credentials.c.used_at.is_(None), credentials.c.used_at < bindparam("at")),
    )
    .values(used_at=bindparam("at"))
)
"""Only forwards: of two servers, the one that tells last need not be the one that saw it last."""


class SqlCredentials:
    def __init__(self, db: Database) -> None:
        self._db, self._holder = db, db.often(_HOLDER)

    def add(self, credential: Credential) -> None:
        self._db.execute(insert(credentials).values(**_values(credential)))

    def find(self, secret_hash: str) -> Credential | None:
        row = self._db.row(select(credentials).where(credentials.c.hash == secret_hash))
        return None if row is None else _credential(row)

    def holder(self, secret_hash: str) -> Holder | None:
        rows = self._holder.rows({"asked": secret_hash})
        if not rows:
            return None
        (row,) = rows
        person = None if row.id is None else person_of(row, row.person_kind)
        places = [place.split(" ") for place in row.places.split(",")] if row.places else []
        if person is not None and person.kind is PersonKind.SERVICE:
            # What a service does, a person who is there answers for: without one it opens nothing, at once and by itself.
            places = [place for place in places if row.signer_active and place[3] != "-"]
        return Holder(
            _credential(row), person, {place[0]: place[1] for place in places}, {place[2]: place[0] for place in places}
        )

    def remove(self, secret_hash: str) -> bool:
        return self._db.execute(delete(credentials).where(credentials.c.hash == secret_hash)) == 1

    def remove_of_job(self, job: str) -> int:
        return self._db.execute(delete(credentials).where(credentials.c.job == job))

    def extend_of_job(self, job: str, until: datetime) -> None:
        own = credentials.c.kind.in_([CredentialKind.NODE, CredentialKind.LAB])
        self._db.execute(update(credentials).where(credentials.c.job == job, own).values(expires_at=until))

    def of_person(self, person: str) -> Sequence[Credential]:
        theirs = select(credentials).where(credentials.c.person == person).order_by(credentials.c.credential_id.desc())
        return [_credential(row) for row in self._db.rows(theirs)]

    def named(self, credential_id: str) -> Credential | None:
        row = self._db.row(select(credentials).where(credentials.c.credential_id == credential_id))
        return None if row is None else _credential(row)

    def remove_with(self, credential_ids: Collection[str]) -> int:
        """Those, and whatever was opened through one of them."""
        theirs = or_(credentials.c.credential_id.in_(credential_ids), credentials.c.through.in_(credential_ids))
        return self._db.execute(delete(credentials).where(theirs))

    def note_uses(self, uses: Mapping[str, datetime]) -> None:
        if uses:
            self._db.execute(_USED, [{"used": credential, "at": at} for credential, at in uses.items()])

    def remove_of_person(self, person: str) -> int:
        return self._db.execute(delete(credentials).where(credentials.c.person == person))

    def confirm(self, credential_id: str, at: datetime) -> None:
        same = credentials.c.credential_id == credential_id
        self._db.execute(update(credentials).where(same).values(confirmed_at=at))

    def of_kind(self, kind: CredentialKind) -> Sequence[Credential]:
        return [_credential(row) for row in self._db.rows(select(credentials).where(credentials.c.kind == kind))]

    def remove_idle(self, before: datetime) -> int:
        last = func.coalesce(credentials.c.used_at, credentials.c.made_at)
        return self._db.execute(delete(credentials).where(credentials.c.kind == CredentialKind.SESSION, last <= before))

    def remove_expired(self, now: datetime) -> int:
        return self._db.execute(delete(credentials).where(credentials.c.expires_at <= now))


class SqlLogins:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, login: Login) -> None:
        self._db.execute(insert(logins).values(**asdict(login) | {"assurance": list(login.assurance)}))

    def get(self, login_id: str) -> Login:
        row = self._db.row(select(logins).where(logins.c.id == login_id))
        if row is None:
            raise NotFound("there is no such login", fix="fabriek login")
        return _login(row)

    def of_person(self, person: str) -> Mapping[str, Login]:
        return {row.id: _login(row) for row in self._db.rows(select(logins).where(logins.c.person == person))}

    def remove_unused(self) -> int:
        used = select(credentials.c.login).where(credentials.c.login == logins.c.id)
        return self._db.execute(delete(logins).where(~used.exists()))


def _login(row: Row[Any]) -> Login:
    return Login(row.id, row.person, Method(row.method), row.at, row.strong, row.issuer, row.acr, tuple(row.assurance))


def _values(credential: Credential) -> dict[str, Any]:
    values = asdict(credential) | {"scope": sorted(credential.scope)}
    return values | {"credential_id": values.pop("id"), "label": values.pop("name")}


def _credential(row: Row[Any]) -> Credential:
    return Credential(
        row.hash, CredentialKind(row.kind), row.person, row.expires_at, row.job, row.project, row.credential_id, row.label,
        frozenset(row.scope), row.made_at, row.used_at, row.login, row.confirmed_at, row.through,
    )  # fmt: skip
