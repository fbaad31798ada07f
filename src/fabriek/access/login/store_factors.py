"""The SQL of built-in accounts: passwords with their apps, recovery codes, passkeys, challenges, and wrong guesses."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from fabriek.access.login.factors import Challenge, Passkey, PasswordAndApp, app_context
from fabriek.access.login.throttle import Guesses
from fabriek.access.store import people
from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import AlreadyExists
from fabriek.kernel.signing import wrapped_under

passwords = Table(
    "access_passwords",
    metadata,
    Column("person", String, primary_key=True),
    Column("ready", Boolean, primary_key=True),
    Column("hash", String, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("set_at", Instant, nullable=False),
)

recovery_codes = Table(
    "access_recovery_codes",
    metadata,
    Column("hash", String, primary_key=True),
    Column("person", String, nullable=False, index=True),
)

passkeys = Table(
    "access_passkeys",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", String, nullable=False, index=True),
    Column("key_id", String, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("uses", BigInteger, nullable=False),
    Column("name", String, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("used_at", Instant),
)

challenges = Table(
    "access_challenges",
    metadata,
    Column("hash", String, primary_key=True),
    Column("browser", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("person", String, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)

guesses = Table(
    "access_guesses",
    metadata,
    Column("key", String, primary_key=True),
    Column("wrong", Integer, nullable=False),
    Column("until", Instant, nullable=False),
    Column("at", Instant, nullable=False, index=True),
)


class SqlGuesses:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def guesses(self, key: str) -> Guesses | None:
        row = self._db.row(select(guesses).where(guesses.c.key == key))
        return None if row is None else Guesses(row.key, row.wrong, row.until, row.at)

    def put_guesses(self, found: Guesses) -> None:
        self._db.put(guesses, asdict(found), ("key",))

    def forget_guesses(self, *, key: str = "", before: datetime | None = None) -> int:
        which = guesses.c.key == key if before is None else guesses.c.at < before
        return self._db.execute(delete(guesses).where(which))


class SqlFactors:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def password(self, person: str, *, ready: bool) -> PasswordAndApp | None:
        row = self._db.row(select(passwords).where(passwords.c.person == person, passwords.c.ready == ready))
        return None if row is None else _password(row)

    def put_password(self, made: PasswordAndApp) -> None:
        self._db.put(passwords, asdict(made), ("person", "ready"))

    def remove_password(self, person: str, *, ready: bool) -> bool:
        same = (passwords.c.person == person, passwords.c.ready == ready)
        return self._db.execute(delete(passwords).where(*same)) == 1

    def put_codes(self, person: str, hashes: Sequence[str]) -> None:
        """In place of all that there were."""
        self._db.execute(delete(recovery_codes).where(recovery_codes.c.person == person))
        for one in hashes:
            self._db.execute(insert(recovery_codes).values(hash=one, person=person))

    def use_code(self, person: str, code_hash: str) -> bool:
        same = (recovery_codes.c.person == person, recovery_codes.c.hash == code_hash)
        return self._db.execute(delete(recovery_codes).where(*same)) == 1

    def codes_left(self, person: str) -> int:
        theirs = select(func.count()).select_from(recovery_codes).where(recovery_codes.c.person == person)
        return int(self._db.scalar(theirs))

    def add_passkey(self, made: Passkey) -> None:
        try:
            self._db.execute(insert(passkeys).values(**asdict(made)))
        except IntegrityError:
            raise AlreadyExists("this passkey is known already", fix="use it to sign in") from None

    def passkeys_of(self, person: str) -> Sequence[Passkey]:
        theirs = select(passkeys).where(passkeys.c.person == person).order_by(passkeys.c.id)
        return [_passkey(row) for row in self._db.rows(theirs)]

    def passkey(self, key_id: str) -> Passkey | None:
        row = self._db.row(select(passkeys).where(passkeys.c.key_id == key_id))
        return None if row is None else _passkey(row)

    def note_use(self, passkey: Passkey, uses: int, at: datetime) -> None:
        self._db.execute(update(passkeys).where(passkeys.c.id == passkey.id).values(uses=uses, used_at=at))

    def remove_passkey(self, person: str, passkey_id: str) -> bool:
        same = (passkeys.c.person == person, passkeys.c.id == passkey_id)
        return self._db.execute(delete(passkeys).where(*same)) == 1

    def add_challenge(self, made: Challenge, *, now: datetime) -> None:
        """In place of what the same browser asked for the same purpose, and of all that ran out."""
        same = (challenges.c.browser == made.browser) & (challenges.c.purpose == made.purpose)
        self._db.execute(delete(challenges).where(same | (challenges.c.expires_at <= now)))
        self._db.execute(insert(challenges).values(**asdict(made)))

    def take_challenge(self, challenge_hash: str) -> Challenge | None:
        """The challenge, which is gone with this: of two that come with it, one gets it."""
        row = self._db.row(select(challenges).where(challenges.c.hash == challenge_hash))
        gone = self._db.execute(delete(challenges).where(challenges.c.hash == challenge_hash))
        return Challenge(row.hash, row.browser, row.purpose, row.person, row.expires_at) if row and gone == 1 else None

    def note_confirms(self, person: str, *, confirms: bool) -> None:
        self._db.execute(update(people).where(people.c.id == person).values(confirms=confirms))

    def app_keys_not_under(self, master: str) -> Sequence[tuple[tuple[str, str], bytes, bytes]]:
        """(place, context, wrapped key) of those under another master key than this one."""
        rows = self._db.rows(select(passwords.c.person, passwords.c.ready, passwords.c.wrapped))
        found = [(row.person, "ready" if row.ready else "", bytes(row.wrapped)) for row in rows]
        return [((who, ready), app_context(who), key) for who, ready, key in found if wrapped_under(key) != master]

    def rewrap_app_key(self, place: tuple[str, ...], wrapped: bytes, fresh: bytes) -> None:
        person, ready = place
        same = (passwords.c.person == person, passwords.c.ready == bool(ready), passwords.c.wrapped == wrapped)
        self._db.execute(update(passwords).where(*same).values(wrapped=fresh))


def _password(row: Row[Any]) -> PasswordAndApp:
    return PasswordAndApp(row.person, row.ready, row.hash, bytes(row.wrapped), row.step, row.set_at)


def _passkey(row: Row[Any]) -> Passkey:
    return Passkey(row.id, row.person, row.key_id, bytes(row.public_key), row.uses, row.name, row.made_at, row.used_at)
