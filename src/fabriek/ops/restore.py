"""`fabriek restore`: a backup and its keys, checked to the byte, into an empty home."""

import json
import os
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

import click

from fabriek import __version__
from fabriek.adapters.keys import KEYRING_FILE
from fabriek.kernel.errors import AlreadyExists, Damaged, NotFound, WrongState
from fabriek.ops.backup import FORM, LIST_FILE, digest
from fabriek.ops.home import Home
from fabriek.ops.migrate import known_schemas
from fabriek.settings import read_settings


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--keys", type=click.Path(path_type=Path), required=True, help="The key file of that backup.")
@click.option("--home", type=click.Path(path_type=Path), required=True, help="An empty folder for the installation.")
def restore(folder: Path, keys: Path, home: Path) -> None:
    """Restore the backup in FOLDER. Every file is checked before anything is written."""
    files = read_backup(folder, keys, read_settings(home=home).home)
    click.echo(f"restored {files} files into {home}; start it with: fabriek up --home {home}")


def read_backup(folder: Path, keys: Path, home: Path) -> int:
    """How many files were restored. Raises Damaged naming the first file that is not what was backed up; then nothing was written."""
    listed = _list_of(folder)
    if listed["schema"] not in known_schemas():
        raise WrongState(
            f"this backup is of a newer release ({listed['version']})", fix="pip install --upgrade 'fabriek[server]'"
        )
    if home.exists() and any(home.iterdir()):
        raise AlreadyExists(f"{home} is not empty", fix="name an empty folder with --home")
    if not keys.is_file():
        raise NotFound(f"there is no key file at {keys}", fix="without its keys a backup cannot be read")
    for name, (size, sha256) in listed["files"].items():
        if ".." in PurePosixPath(name).parts or name.startswith("/"):
            raise Damaged(f"the backup names a file outside itself: {name}", fix="take another backup", where=name)
        if not (folder / name).is_file() or digest(folder / name) != (size, sha256):
            raise Damaged(f"{name} is not what was backed up", fix="take another copy of the backup", where=name)
    place = Home(home)
    place.prepare()
    for name in listed["files"]:
        (home / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(folder / name, home / name)
        (home / name).chmod(0o600)
    with os.fdopen(os.open(home / "keys" / KEYRING_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(keys.read_bytes())
    place.write_release(listed["schema"], __version__)
    return len(listed["files"])


def _list_of(folder: Path) -> dict[str, Any]:
    try:
        listed: dict[str, Any] = json.loads((folder / LIST_FILE).read_text("utf-8"))
        listed["files"] = {str(name): (int(size), str(sha256)) for name, (size, sha256) in listed["files"].items()}
        form = listed["form"]
    except FileNotFoundError:
        raise NotFound(f"there is no backup in {folder}", fix="name the folder that fabriek backup wrote") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Damaged(
            "the list of the backup is not readable", fix="take another copy of the backup", where=LIST_FILE
        ) from None
    if form != FORM:
        raise Damaged(
            f"this is not a backup of the form {FORM}", fix="name the folder that fabriek backup wrote", where=LIST_FILE
        )
    return listed
