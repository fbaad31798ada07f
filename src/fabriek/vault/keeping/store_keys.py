"""Wrapped keys, kept: of epochs, and of the objects that were sealed in the server's memory."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Row, String, Table, delete, insert, select, update

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import nothing_here
from fabriek.kernel.signing import wrapped_under
from fabriek.kernel.stored import Stored
from fabriek.vault.keeping.epochs import Epoch
from fabriek.vault.keeping.rotations import WrappedKey

REWRAP_AT_ONCE = 1_000
FORGOTTEN_AT_ONCE = 500

epochs = Table(
    "vault_epochs",
    metadata,
    Column("dataset", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("home", String, nullable=False, server_default=""),
    # The name of the master key, as it stands in `wrapped` too: what is left to rotate is asked by it.
    Column("master", String, nullable=False, index=True),
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
        values = asdict(epoch) | {"master": wrapped_under(epoch.wrapped)}
        self._db.execute(insert(epochs).values(values))
        return True

    def get(self, dataset: str, number: int) -> Epoch:
        row = self._db.row(select(epochs).where(epochs.c.dataset == dataset, epochs.c.number == number))
        if row is None:
            raise nothing_here()
        return _epoch(row)

    def of_dataset(self, dataset: str) -> Sequence[Epoch]:
        rows = self._db.rows(select(epochs).where(epochs.c.dataset == dataset).order_by(epochs.c.number))
        return [_epoch(row) for row in rows]

    def destroy(self, dataset: str, *, below: int = 0) -> int:
        gone = epochs.c.dataset == dataset
        if below:
            # What was sealed here under an older one, and is in no version yet, must open still.
            in_use = select(object_keys.c.epoch).where(object_keys.c.dataset == dataset)
            gone &= (epochs.c.number < below) & epochs.c.number.not_in(in_use)
        return self._db.execute(delete(epochs).where(gone))

    def not_under(self, master: str) -> Sequence[WrappedKey]:
        asked = select(epochs).where(epochs.c.home == "", epochs.c.master != master).limit(REWRAP_AT_ONCE)
        found = [_epoch(row) for row in self._db.rows(asked)]
        return [WrappedKey((one.dataset, str(one.number)), one.context, one.wrapped) for one in found]

    def rewrap(self, key: WrappedKey, fresh: bytes) -> None:
        dataset, number = key.place
        same = (epochs.c.dataset == dataset) & (epochs.c.number == int(number)) & (epochs.c.wrapped == key.wrapped)
        self._db.execute(update(epochs).where(same).values(wrapped=fresh, master=wrapped_under(fresh)))

    def keep_object_key(self, dataset: str, object_id: str, epoch: int, wrapped: bytes, stored: Stored) -> None:
        values = {"object": object_id, "dataset": dataset, "epoch": epoch, "wrapped": wrapped}
        self._db.execute(insert(object_keys).values(values | {"size": stored.size, "sha256": stored.sha256}))

    def object_key(self, dataset: str, object_id: str) -> tuple[int, bytes, Stored]:
        asked = select(object_keys).where(object_keys.c.dataset == dataset, object_keys.c.object == object_id)
        row = self._db.row(asked)
        if row is None:
            raise nothing_here()
        return row.epoch, bytes(row.wrapped), Stored(row.size, row.sha256)

    def forget_object_keys(self, dataset: str, objects: Sequence[str]) -> None:
        of_it = delete(object_keys).where(object_keys.c.dataset == dataset)
        for start in range(0, len(objects), FORGOTTEN_AT_ONCE):
            self._db.execute(of_it.where(object_keys.c.object.in_(objects[start : start + FORGOTTEN_AT_ONCE])))


def _epoch(row: Row[Any]) -> Epoch:
    return Epoch(row.dataset, row.number, bytes(row.wrapped), row.made_at, row.home)
