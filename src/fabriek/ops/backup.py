"""`fabriek backup`: a consistent copy of database and objects in one folder, and the keys in a file apart from it."""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import click

from fabriek import __version__
from fabriek.adapters.blobs_local import standing_still
from fabriek.adapters.database import open_database
from fabriek.adapters.keys import KEYRING_FILE
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound
from fabriek.kernel.units import shown_bytes
from fabriek.ops.migrate import known_schemas
from fabriek.settings import Settings, read_settings
from fabriek.vault.labelling.places import read_places
from fabriek.vault.labelling.policy import labels_of
from fabriek.vault.rules import may_stand
from fabriek.vault.store import SqlDatasets, SqlVersions

FORM = "fabriek-backup-1"
LIST_FILE = "backup.json"
DATABASE_FILE = "fabriek.db"
OBJECTS = "objects"
PIECE_BYTES = 4 * 2**20


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--keys", type=click.Path(path_type=Path), required=True, help="Where the keys go: another place than FOLDER."
)
@click.option("--home", type=click.Path(path_type=Path), help="Folder of the installation; default ~/.fabriek.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def backup(folder: Path, keys: Path, home: Path | None, *, as_json: bool) -> None:
    """Write a backup of the whole installation into FOLDER, while it runs.

    Whoever has FOLDER alone can read nothing of the data; whoever has FOLDER and the keys can read everything.
    """
    settings = read_settings(home=home)
    if settings.database_url:
        raise InvalidInput(
            "this installation keeps its state in PostgreSQL",
            fix="back that up with pg_dump, and the objects with your store",
        )
    if settings.store != "local":
        raise InvalidInput(
            f"this installation keeps its objects in the bucket {settings.store_bucket}",
            fix="back that up with your store, then HOME/fabriek.db and HOME/keys: docs/howto/stores.md says in which order",
        )
    if keys.absolute().is_relative_to(folder.absolute()):
        raise InvalidInput(
            "keys beside the data protect nothing", fix="name a place outside the backup's folder with --keys"
        )
    check_place(settings)
    made = write_backup(settings.home, folder, keys)
    said = {
        "folder": str(folder),
        "keys": str(keys),
        "files": len(made),
        "bytes": sum(size for size, _ in made.values()),
    }
    click.echo(
        json.dumps(said)
        if as_json
        else f"backed up {len(made)} files, {shown_bytes(int(str(said['bytes'])))}, to {folder}; keys in {keys}"
    )


def check_place(settings: Settings) -> None:
    """Raises NotPermitted when a label in this installation may not be where backups go."""
    places = read_places(settings.place, settings.place_store, settings.place_nodes, settings.place_backup)
    labels = labels_of(settings.labels)
    with closing(open_database(settings.database)) as database:
        # A row may be lowered by whoever writes to the database, a record is signed: of both, the higher counts.
        held = SqlDatasets(database).labels() | SqlVersions(database).labels()
    for label in sorted(held):
        if refusal := may_stand(label, "the backup", places.backup, labels):
            raise refusal.error()


def write_backup(home: Path, folder: Path, keys: Path) -> dict[str, tuple[int, str]]:
    """The database first, the objects after: what it names is there already, since objects are written before their rows, and nothing is
    collected meanwhile.

    Returns name → (bytes, SHA-256). Raises AlreadyExists when the folder or the key file is there, NotFound when there is no home.
    """
    if not (home / DATABASE_FILE).exists():
        raise NotFound(f"there is no installation in {home}", fix="name one with --home")
    if keys.exists() or (folder.exists() and any(folder.iterdir())):
        raise AlreadyExists(
            f"{keys if keys.exists() else folder} is there already", fix="name a new folder and a new key file"
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # What the copy of the database names must not be collected before it is copied too.
    (home / OBJECTS).mkdir(exist_ok=True, mode=0o700)
    with standing_still(home / OBJECTS):
        _copy_database(home / DATABASE_FILE, folder / DATABASE_FILE)
        for name in _objects(home):
            (folder / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with suppress(FileNotFoundError):  # erased meanwhile, or removed by the run that it belonged to
                shutil.copyfile(home / name, folder / name)
    made = {str(file.relative_to(folder)): digest(file) for file in sorted(folder.rglob("*")) if file.is_file()}
    listed = {"form": FORM, "version": __version__, "schema": known_schemas()[-1], "files": made}
    (folder / LIST_FILE).write_text(json.dumps(listed, indent=1), "utf-8")
    with os.fdopen(os.open(keys, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write((home / "keys" / KEYRING_FILE).read_bytes())
        out.flush()
        os.fsync(out.fileno())
    return made


def digest(file: Path) -> tuple[int, str]:
    """(bytes, SHA-256)."""
    hasher, size = hashlib.sha256(), 0
    with file.open("rb") as source:
        while piece := source.read(PIECE_BYTES):
            hasher.update(piece)
            size += len(piece)
    return size, hasher.hexdigest()


def _copy_database(source: Path, target: Path) -> None:
    """SQLite's own online copy: one consistent state, whatever is being written meanwhile."""
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        copy.execute("pragma journal_mode=delete")


def _objects(home: Path) -> Iterator[str]:
    """Every whole object, by its path in the home; drafts that are being written are not objects yet."""
    root = home / OBJECTS
    for file in sorted(root.rglob("obj_*")):
        if file.is_file() and file.name.startswith("obj_") and "." not in file.name:
            yield str(file.relative_to(home))
