"""Wrapped keys, kept: of epochs, and of the objects that were sealed in the server's memory."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, delete, insert, select

from fabriek.adapters.database import Database, Instant, metadata
from fabriek.kernel.errors import nothing_here
from fabriek.kernel.stored import Stored
from fabriek.vault.epochs import Epoch

epochs = Table(
    "vault_epochs",
    metadata,
    Column("dataset", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("made_at", Instant, nullable=False),
)

object_keys = Table(
    "vault_object_keys",
    metadata,
    Column("object", String, primary_key=True),
    Column("dataset", String, nullable=False, index=True),
    Column("epoch", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String, nullable=False),
)


class SqlEpochKeys:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, epoch: Epoch) -> bool:
        known = select(epochs.c.number).where(epochs.c.dataset == epoch.dataset, epochs.c.number == epoch.number)
        if self._db.scalar(known) is not None:
            return False
        values = {"dataset": epoch.dataset, "number": epoch.number, "wrapped": epoch.wrapped, "made_at": epoch.made_at}
        self._db.execute(insert(epochs).values(values))
        return True

    def get(self, dataset: str, number: int) -> Epoch:
        row = self._db.row(select(epochs).where(epochs.c.dataset == dataset, epochs.c.number == number))
        if row is None:
            raise nothing_here()
        return Epoch(row.dataset, row.number, bytes(row.wrapped), row.made_at)

    def keep_object_key(self, dataset: str, object_id: str, epoch: int, wrapped: bytes, stored: Stored) -> None:
        values = {"object": object_id, "dataset": dataset, "epoch": epoch, "wrapped": wrapped}
        self._db.execute(insert(object_keys).values(values | {"size": stored.size, "sha256": stored.sha256}))

    def object_key(self, dataset: str, object_id: str) -> tuple[int, bytes, Stored]:
        asked = select(object_keys).where(object_keys.c.dataset == dataset, object_keys.c.object == object_id)
        row = self._db.row(asked)
        if row is None:
            raise nothing_here()
        return row.epoch, bytes(row.wrapped), Stored(row.size, row.sha256)

    def forget_object_key(self, dataset: str, object_id: str) -> None:
        gone = (object_keys.c.dataset == dataset) & (object_keys.c.object == object_id)
        self._db.execute(delete(object_keys).where(gone))
