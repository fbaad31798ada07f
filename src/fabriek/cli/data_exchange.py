"""`fabriek data import` and `export`: files for and from other houses, in Crypt4GH."""

import os
import sys
from pathlib import Path

import click

from fabriek.cli.data_pushed import tell_pushed
from fabriek.cli.output import counted, json_option, project_option, say, warn
from fabriek.cli.progress import bar
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput, StorageFull
from fabriek.kernel.units import shown_bytes

FILE = click.Path(path_type=Path)


@click.command("import")
@click.argument("files", metavar="FILE.c4gh...", type=FILE, nargs=-1, required=True)
@click.argument("name")
@click.option("--key", required=True, type=FILE, help="Your secret key, of crypt4gh-keygen or OpenSSH (Ed25519).")
@click.option("--passphrase-file", type=FILE, help="Holds the key's passphrase; without it you are asked.")
@click.option("--label", default="", help="How sensitive it is; default: internal, or what the dataset has.")
@project_option
@json_option
def bring_in(
    files: tuple[Path, ...],
    name: str,
    key: Path,
    passphrase_file: Path | None,
    label: str,
    project: str,
    *,
    as_json: bool,
) -> None:
    """Add Crypt4GH files to NAME, which makes its next version.

    They stand beside what the newest one holds, and are opened and sealed again on this machine, in memory. Each is checked to its
    end before anything is sent.
    """
    from fabriek.sdk.crypt4gh import read_secret_key  # noqa: PLC0415  # cryptography costs time that help should not pay

    secret = read_secret_key(key, lambda: _passphrase(key, passphrase_file))
    with bar("importing") as drawn:
        pushed = connect(project).exchange.bring_in(
            files, name, key=secret, label=label, project=project, progress=drawn.advance, expect=drawn.expect, tell=warn
        )  # fmt: skip
    tell_pushed(pushed, name, as_json=as_json)


@click.command("export")
@click.argument("place", metavar="NAME[@V]:PATH")
@click.argument("into", metavar="[FILE.c4gh]", type=FILE, required=False)
@click.option(
    "--recipient",
    "recipients",
    type=FILE,
    multiple=True,
    required=True,
    help="Who may open it: a public key; repeatable.",
)
@click.option("--key", type=FILE, help="Your secret key, where the recipient should see who made it.")
@click.option("--passphrase-file", type=FILE, help="Holds the key's passphrase; without it you are asked.")
@project_option
def take_out(
    place: str,
    into: Path | None,
    recipients: tuple[Path, ...],
    key: Path | None,
    passphrase_file: Path | None,
    project: str,
) -> None:
    """Write one file of a version as Crypt4GH.

    It goes to FILE, or to standard output. Needs the right to take it away.
    """
    from fabriek.sdk.crypt4gh import read_public_key, read_secret_key  # noqa: PLC0415

    name, colon, path = place.partition(":")
    if not colon or not path:
        raise InvalidInput(f"{place!r} names no file", fix=f"fabriek data export {name}:PATH")
    if into is None and sys.stdout.isatty():
        raise InvalidInput("a terminal cannot show it", fix=f"fabriek data export {place} FILE.c4gh …")
    if into is not None and into.exists():
        raise InvalidInput(f"{into} is there already", fix="remove it, or name another file")
    own = read_secret_key(key, lambda: _passphrase(key, passphrase_file)) if key else None
    pieces = connect(project).exchange.take_out(
        name, path, [read_public_key(one) for one in recipients], sender=own, project=project
    )
    if into is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return
    part = into.with_name(f".{into.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as out:
            for piece in pieces:
                out.write(piece)
            size = out.tell()
            out.flush()
            os.fsync(out.fileno())
        part.replace(into)
    except OSError as error:
        raise StorageFull(f"{into} cannot be written ({error.strerror})", fix="name a place with room") from None
    finally:
        part.unlink(missing_ok=True)
    say(f"{into}, {shown_bytes(size)}, for {counted(len(recipients), 'recipient')}")


def _passphrase(key: Path | None, file: Path | None) -> str:
    if file is None:
        return str(click.prompt(f"Passphrase of {key}", hide_input=True, err=True))
    try:
        return file.read_text("utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError):
        raise InvalidInput(f"{file} cannot be read", fix="name a file with the passphrase in its one line") from None
