"""`fabriek org keys`: an organisation's own key, which opens its data and which it can withdraw."""

from pathlib import Path

import click
from pydantic import SecretStr

from fabriek.cli.org import org
from fabriek.cli.output import json_option, say, show
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.keys import OwnKeysIn

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@org.group("keys")
def keys() -> None:
    """Your organisation's own key: data pushed with --key-home organisation opens with it alone."""


@keys.command("set")
@click.argument("organisation")
@click.option("--openbao", default="", metavar="URL", help="Your OpenBao: https://keys.example:8200.")
@click.option(
    "--token-file", type=FILE, help="Holds a token that may encrypt and decrypt with the key, and nothing else."
)
@click.option("--mount", default="transit", help="Where its transit engine is mounted.")
@click.option("--ca-file", type=FILE, help="Who signed its certificate, in PEM.")
@click.option("--pkcs11", default="", metavar="LABEL", help="Your token in this installation's machine, instead.")
@click.option("--pin-file", type=FILE, help="Holds the token's PIN.")
@click.option("--name", default="fabriek", help="The name of the key.")
@json_option
def set_keys(
    organisation: str, openbao: str, token_file: Path | None, mount: str, ca_file: Path | None, pkcs11: str, pin_file: Path | None,
    name: str, *, as_json: bool,
) -> None:  # fmt: skip
    """Tell how your organisation's own key is asked. It is tried first, and replaces what was told before."""
    file = token_file if openbao else pin_file
    if bool(openbao) == bool(pkcs11) or file is None:
        raise InvalidInput(
            "name one place for the key, and the file with what opens it",
            fix="--openbao URL --token-file FILE, or --pkcs11 LABEL --pin-file FILE",
        )
    told = OwnKeysIn(
        kind="openbao" if openbao else "pkcs11", place=openbao or pkcs11, name=name, mount=mount,
        credential=SecretStr(file.read_text("utf-8").strip()), ca=ca_file.read_text("utf-8") if ca_file else "",
    )  # fmt: skip
    show(connect().keys.set_own(organisation, told), as_json=as_json)


@keys.command("show")
@click.argument("organisation")
@json_option
def show_keys(organisation: str, *, as_json: bool) -> None:
    """What was told of your organisation's own key."""
    show(connect().keys.show_own(organisation), as_json=as_json)


@keys.command("withdraw")
@click.argument("organisation")
def withdraw(organisation: str) -> None:
    """Take it back: no new grant opens on data that only your key opens. What was opened stays opened."""
    connect().keys.withdraw_own(organisation)
    say("withdrawn; fabriek org keys set gives it back")
