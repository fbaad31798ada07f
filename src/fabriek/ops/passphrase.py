"""`fabriek passphrase`: the passphrase of the keyring, set, changed, taken away, and asked for at the start."""

import os
import sys
from pathlib import Path

import click

from fabriek.adapters.keyring_file import is_locked
from fabriek.adapters.keys import KEYRING_FILE, FileKeyring
from fabriek.kernel.errors import InvalidInput
from fabriek.ops.home import Home
from fabriek.settings import Settings, read_settings

CHARACTERS_MIN = 12
BYTES_MAX = 4_096


@click.command()
@click.option("--home", type=click.Path(path_type=Path), help="Folder of the installation; default ~/.fabriek.")
@click.option(
    "--new-file", type=click.Path(path_type=Path, exists=True), help="Holds the new one; without it you are asked."
)
@click.option("--remove", is_flag=True, help="Keep the keys in plain again.")
def passphrase(home: Path | None, new_file: Path | None, *, remove: bool) -> None:
    """Set or change the passphrase of the keyring, while no server runs on it.

    Without it nobody opens the keys: not from the file, and not from a backup of it. Keep it in two places.
    """
    settings = read_settings(home=home)
    with Home(settings.home).hold():
        keyring = FileKeyring(settings.home / "keys", create=False, passphrase=asked_for(settings, None))
        fresh = "" if remove else _fresh(new_file)
        keyring.set_passphrase(fresh)
    click.echo("the keys are kept in plain" if remove else "the keys open with the new passphrase alone")


def asked_for(settings: Settings, descriptor: int | None) -> str | None:
    """The passphrase of the keyring, from a descriptor, the file that the settings name, or a person at the terminal; None without one."""
    if descriptor is not None:
        with os.fdopen(descriptor, encoding="utf-8") as said:
            return said.read(BYTES_MAX).removesuffix("\n")
    if settings.passphrase_file:
        from fabriek.bootstrap.building import passphrase_of  # noqa: PLC0415  # the whole server: `up --detach` and `down` should not pay for it

        return passphrase_of(settings, None)
    folder = settings.home / "keys"
    if not (folder / KEYRING_FILE).exists() or not is_locked(folder, KEYRING_FILE):
        return None
    if not sys.stdin.isatty():
        return None  # opening the keyring says what is missing
    return str(click.prompt("Passphrase of the keyring", hide_input=True))


def _fresh(file: Path | None) -> str:
    if file is not None:
        said = file.read_text("utf-8").removesuffix("\n")
    else:
        said = str(click.prompt("New passphrase", hide_input=True, confirmation_prompt=True))
    if len(said) < CHARACTERS_MIN:
        raise InvalidInput(f"a passphrase has at least {CHARACTERS_MIN} characters", fix="take several words")
    return said
