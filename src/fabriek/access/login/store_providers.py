"""The SQL of who comes by an identity provider."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    UniqueConstraint,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from fabriek.access.login.attempts import ATTEMPT_FOR, Attempt, Purpose
from fabriek.access.login.credentials import CredentialKind
from fabriek.access.login.devices import Device, DeviceState
from fabriek.access.login.store import credentials
from fabriek.access.login.subjects import Key, ProviderLogin, Subject
from fabriek.access.store import people
from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import AlreadyExists

subjects = Table(
    "access_subjects",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", String, nullable=False, index=True),
    Column("provider", String, nullable=False),
    Column("issuer", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("tenant", String, nullable=False),
    Column("bound_at", Instant, nullable=False),
    Column("answered_at", Instant, nullable=False),
    Column("asked_at", Instant),
    Column("sealed", LargeBinary, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    UniqueConstraint("issuer", "subject", "tenant", name="uq_access_subjects_key"),
)

provider_logins = Table(
    "access_provider_logins",
    metadata,
    Column("login", String, primary_key=True),
    Column("subject", String, nullable=False, index=True),
    Column("sid", String, nullable=False, index=True),
)

provider_organisations = Table(
    "access_provider_organisations",
    metadata,
    Column("issuer", String, primary_key=True),
    Column("word", String, primary_key=True),
    Column("organisation", String, nullable=False),
)

attempts = Table(
    "access_login_attempts",
    metadata,
    Column("state", String, primary_key=True),
    Column("browser", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("begun_at", Instant, nullable=False, index=True),
    Column("callback", String, nullable=False),
    Column("then", String, nullable=False),
    Column("credential", String, nullable=False),
    Column("link", String, nullable=False),
)

devices = Table(
    "access_devices",
    metadata,
    Column("hash", String, primary_key=True),
    Column("user_code", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("origin", String, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("interval_seconds", Integer, nullable=False),
    Column("polled_at", Instant),
    Column("state", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("person", String, nullable=False),
    Column("login", String, nullable=False),
    Column("fresh", Boolean, nullable=False),
    Index("ix_access_devices_user_code", "user_code"),
)

device_guesses = Table(
    "access_device_guesses",
    metadata,
    Column("person", String, nullable=False, index=True),
    Column("at", Instant, nullable=False, index=True),
)

logout_tokens = Table(
    "access_logout_tokens",
    metadata,
    Column("issuer", String, primary_key=True),
    Column("jti", String, primary_key=True),
    Column("until", Instant, nullable=False, index=True),
)


class SqlSubjects:
    """Subjects and what is asked about them, in either database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, subject: Subject) -> None:
        values = asdict(subject)
        values |= values.pop("key")
        try:
            self._db.execute(insert(subjects).values(**values))
        except IntegrityError:
            raise AlreadyExists("this account was linked a moment ago", fix="sign in again") from None

    def with_key(self, key: Key) -> Subject | None:
        return self._one(
            subjects.c.issuer == key.issuer, subjects.c.subject == key.subject, subjects.c.tenant == key.tenant
        )

    def get(self, subject_id: str) -> Subject | None:
        return self._one(subjects.c.id == subject_id)

    def of_person(self, person: str) -> Sequence[Subject]:
        rows = self._db.rows(select(subjects).where(subjects.c.person == person).order_by(subjects.c.id))
        return [_subject(row) for row in rows]

    def remove(self, subject_id: str) -> None:
        self._db.execute(delete(subjects).where(subjects.c.id == subject_id))

    def note_login(self, login: ProviderLogin) -> None:
        self._db.execute(insert(provider_logins).values(**asdict(login)))

    def of_login(self, login: str) -> Subject | None:
        joined = select(subjects).join(provider_logins, provider_logins.c.subject == subjects.c.id)
        row = self._db.row(joined.where(provider_logins.c.login == login))
        return None if row is None else _subject(row)

    def organisation_of(self, issuer: str, word: str) -> str:
        found = select(provider_organisations.c.organisation).where(
            provider_organisations.c.issuer == issuer, provider_organisations.c.word == word
        )
        return str(self._db.scalar(found) or "")

    def name_organisation(self, issuer: str, word: str, organisation: str) -> None:
        row = {"issuer": issuer, "word": word, "organisation": organisation}
        self._db.execute(insert(provider_organisations).values(**row))

    def keep_refresh(self, subject_id: str, sealed: bytes, wrapped: bytes, at: datetime) -> None:
        values = {"sealed": sealed, "wrapped": wrapped, "answered_at": at}
        self._db.execute(update(subjects).where(subjects.c.id == subject_id).values(**values))

    def to_ask(self, asked_before: datetime, now: datetime) -> Sequence[Subject]:
        something_open = select(credentials.c.hash).where(
            credentials.c.person == subjects.c.person, credentials.c.expires_at > now
        )
        due = or_(subjects.c.asked_at.is_(None), subjects.c.asked_at <= asked_before)
        rows = self._db.rows(
            select(subjects)
            .where(func.length(subjects.c.wrapped) > 0, due, something_open.exists())
            .order_by(subjects.c.id)
        )
        return [_subject(row) for row in rows]

    def claim(self, subject_id: str, asked_before: datetime, now: datetime) -> bool:
        due = or_(subjects.c.asked_at.is_(None), subjects.c.asked_at <= asked_before)
        return self._db.execute(update(subjects).where(subjects.c.id == subject_id, due).values(asked_at=now)) == 1

    def sessions_of(self, issuer: str, subject: str, sid: str) -> int:
        same = [subjects.c.issuer == issuer]
        if subject:
            same.append(subjects.c.subject == subject)
        if sid:
            same.append(provider_logins.c.sid == sid)
        meant = select(provider_logins.c.login).join(subjects, subjects.c.id == provider_logins.c.subject).where(*same)
        sessions = select(credentials.c.credential_id).where(
            credentials.c.kind == CredentialKind.SESSION, credentials.c.login.in_(meant)
        )
        ended = [row.credential_id for row in self._db.rows(sessions)]
        theirs = or_(credentials.c.credential_id.in_(ended), credentials.c.through.in_(ended))
        self._db.execute(delete(credentials).where(theirs))
        return len(ended)

    def see_once(self, issuer: str, jti: str, until: datetime) -> bool:
        seen = select(logout_tokens.c.jti).where(logout_tokens.c.issuer == issuer, logout_tokens.c.jti == jti)
        if self._db.row(seen) is not None:
            return False
        self._db.execute(insert(logout_tokens).values(issuer=issuer, jti=jti, until=until))
        return True

    def forget(self, now: datetime) -> None:
        """Logins of which nothing is open, and ids of tokens that no longer hold."""
        used = select(credentials.c.login).where(credentials.c.login == provider_logins.c.login)
        self._db.execute(delete(provider_logins).where(~used.exists()))
        self._db.execute(delete(logout_tokens).where(logout_tokens.c.until <= now))

    def set_inactive(self, person: str) -> None:
        self._db.execute(update(people).where(people.c.id == person).values(active=False))

    def wrapped_keys(self) -> Sequence[tuple[str, bytes]]:
        """Each subject that has one, for moving under a new master key."""
        found = select(subjects.c.id, subjects.c.wrapped).where(func.length(subjects.c.wrapped) > 0)
        return [(row.id, bytes(row.wrapped)) for row in self._db.rows(found)]

    def rewrap(self, subject_id: str, old: bytes, fresh: bytes) -> None:
        same = (subjects.c.id == subject_id, subjects.c.wrapped == old)
        self._db.execute(update(subjects).where(*same).values(wrapped=fresh))

    def _one(self, *conditions: Any) -> Subject | None:
        row = self._db.row(select(subjects).where(*conditions))
        return None if row is None else _subject(row)


class SqlAttempts:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, attempt: Attempt) -> None:
        self._db.execute(insert(attempts).values(**asdict(attempt)))

    def take(self, state: str) -> Attempt | None:
        row = self._db.row(select(attempts).where(attempts.c.state == state))
        if row is None or not self._db.execute(delete(attempts).where(attempts.c.state == state)):
            return None
        return Attempt(
            row.state, row.browser, row.provider, Purpose(row.purpose), row.begun_at, row.callback, row.then, row.credential, row.link
        )  # fmt: skip

    def count(self) -> int:
        return int(self._db.scalar(select(func.count()).select_from(attempts)))

    def forget(self, before: datetime) -> None:
        self._db.execute(delete(attempts).where(attempts.c.begun_at <= before - ATTEMPT_FOR))


class SqlDevices:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, device: Device) -> None:
        self._db.execute(insert(devices).values(**asdict(device)))

    def with_hash(self, device_hash: str) -> Device | None:
        row = self._db.row(select(devices).where(devices.c.hash == device_hash))
        return None if row is None else _device(row)

    def with_code(self, user_code: str) -> Device | None:
        own = (devices.c.user_code == user_code, devices.c.provider == "")
        row = self._db.row(select(devices).where(*own))
        return None if row is None else _device(row)

    def save(self, device: Device) -> None:
        self._db.execute(update(devices).where(devices.c.hash == device.hash).values(**asdict(device)))

    def take(self, device_hash: str) -> bool:
        return self._db.execute(delete(devices).where(devices.c.hash == device_hash)) == 1

    def count(self) -> int:
        return int(self._db.scalar(select(func.count()).select_from(devices)))

    def note_guess(self, person: str, at: datetime) -> None:
        self._db.execute(insert(device_guesses).values(person=person, at=at))

    def guesses(self, person: str, since: datetime) -> int:
        theirs = (device_guesses.c.person == person, device_guesses.c.at > since)
        return int(self._db.scalar(select(func.count()).select_from(device_guesses).where(*theirs)))

    def forget(self, before: datetime) -> None:
        self._db.execute(delete(devices).where(devices.c.expires_at <= before))
        self._db.execute(delete(device_guesses).where(device_guesses.c.at <= before - ATTEMPT_FOR))


def _subject(row: Row[Any]) -> Subject:
    return Subject(
        row.id, row.person, row.provider, Key(row.issuer, row.subject, row.tenant), row.bound_at, row.answered_at, row.asked_at,
        bytes(row.sealed), bytes(row.wrapped),
    )  # fmt: skip


def _device(row: Row[Any]) -> Device:
    values = dict(row._mapping)  # noqa: SLF001  # the documented way to a row's names
    return Device(**values | {"state": DeviceState(row.state), "sealed": bytes(row.sealed)})
