"""`fabriek admin keys`, `seal`, `unseal`: the master key, and the seal on the whole vault."""

from pathlib import Path

import click

from fabriek.cli.admin import admin
from fabriek.cli.output import json_option, print_json, say, show
from fabriek.cli.session import connect


@admin.group("keys")
def keys() -> None:
    """The master key that everything else is wrapped under."""


@keys.command("show")
@json_option
def show_keys(*, as_json: bool) -> None:
    """Which master key wraps now, and how far its rotation is."""
    show(connect().keys.show(), as_json=as_json)


@keys.command("rotate")
@json_option
def rotate(*, as_json: bool) -> None:
    """Make a new master key and wrap everything under it. Interrupted, give it again; the server also goes on by itself."""
    done = connect().keys.rotate()
    if as_json:
        print_json(done)
    else:
        say(
            f"everything is wrapped under {done.target}; the old master key is destroyed in ten minutes, if nothing is under it then"
        )


@admin.command("seal")
@click.option("--reason", required=True, help="Why; it stays on record.")
@json_option
def seal(reason: str, *, as_json: bool) -> None:
    """Seal the whole vault: nothing opens, nothing starts, the server answers only its status. Running jobs go on."""
    show(connect().keys.seal(reason), as_json=as_json)


@admin.command("unseal")
@click.option("--passphrase", "asks", is_flag=True, help="The keyring has a passphrase: ask for it.")
@click.option("--passphrase-file", type=click.Path(path_type=Path, exists=True), help="The file with the passphrase.")
@json_option
def unseal(passphrase_file: Path | None, *, asks: bool, as_json: bool) -> None:
    """Open the vault again."""
    passphrase = passphrase_file.read_text("utf-8").removesuffix("\n") if passphrase_file else ""
    if asks and not passphrase:
        passphrase = click.prompt("Passphrase", hide_input=True)
    show(connect().keys.unseal(passphrase), as_json=as_json)
