"""Keys that an earlier release wrapped open after the migration, and are rotated like any other."""

from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text

from fabriek.adapters.database import open_database
from fabriek.adapters.keyring_file import read_ring
from fabriek.adapters.keys import KEYRING_FILE, FileKeyring
from fabriek.ops.migrate import HERE, migrate_database
from fabriek.vault.keeping.store_keys import SqlEpochKeys

KEY, NONCE = bytes(range(32)), b"n" * 12


def test_an_epoch_key_of_an_earlier_release_opens_and_names_its_master_key(tmp_path: Path) -> None:
    keys = FileKeyring(tmp_path / "keys")
    ring, _ = read_ring(tmp_path / "keys", KEYRING_FILE, None)
    old = NONCE + AESGCM(ring.masters[1]).encrypt(NONCE, KEY, b"fabriek/epoch\nds_1\n1")
    database = open_database(f"sqlite:///{tmp_path}/fabriek.db")
    with database.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")
        config = Config()
        config.set_main_option("script_location", str(HERE))
        config.attributes["connection"] = connection
        command.upgrade(config, "0007")
        row = {"wrapped": old, "at": datetime(2026, 11, 1, tzinfo=UTC).replace(tzinfo=None).isoformat(" ")}
        connection.execute(text("insert into vault_epochs values ('ds_1', 1, :wrapped, :at)"), row)
        connection.exec_driver_sql("COMMIT")
    migrate_database(database)
    epochs = SqlEpochKeys(database)
    epoch = epochs.get("ds_1", 1)
    assert keys.unwrap(epoch.wrapped, epoch.context) == KEY
    assert epochs.not_under("file/1") == []
    assert [one.place for one in epochs.not_under("file/2")] == [("ds_1", "1")]
    database.close()
