"""The SQL of secrets. What is stored is sealed."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Column, LargeBinary, String, Table, delete, insert, select, update

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.compute.secrets.secrets import Secret, secret_context
from fabriek.kernel.signing import wrapped_under
from fabriek.vault.keeping.rotations import WrappedKey

secrets = Table(
    "compute_secrets",
    metadata,
    Column("project", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("set_by", String, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("used_at", Instant),
)


class SqlSecrets:
    """Secrets, in either database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, secret: Secret) -> None:
        self.remove(secret)
        self._db.execute(insert(secrets).values(**asdict(secret)))

    def of_project(self, project: str) -> Sequence[Secret]:
        rows = self._db.rows(select(secrets).where(secrets.c.project == project).order_by(secrets.c.name))
        return [Secret(**dict(row._mapping)) for row in rows]  # noqa: SLF001  # the documented way to a row's names

    def not_under(self, master: str) -> Sequence[WrappedKey]:
        """Those whose keys are under another master key than this one."""
        found = self._db.rows(select(secrets.c.project, secrets.c.name, secrets.c.wrapped))
        return [
            WrappedKey((row.project, row.name), secret_context(row.project, row.name), bytes(row.wrapped))
            for row in found
            if wrapped_under(bytes(row.wrapped)) != master
        ]

    def rewrap(self, key: WrappedKey, fresh: bytes) -> None:
        project, name = key.place
        same = (secrets.c.project == project) & (secrets.c.name == name) & (secrets.c.wrapped == key.wrapped)
        self._db.execute(update(secrets).where(same).values(wrapped=fresh))

    def remove(self, secret: Secret) -> None:
        self._db.execute(delete(secrets).where(secrets.c.project == secret.project, secrets.c.name == secret.name))

    def note_use(self, secret: Secret, at: datetime) -> None:
        self._db.execute(update(secrets).where(secrets.c.id == secret.id).values(used_at=at))
