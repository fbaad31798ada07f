"""`fabriek passport`: a model's passport fetched, and one verified without any server."""

from pathlib import Path

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, project_option, say, show
from fabriek.cli.session import connect
from fabriek.kernel.errors import AlreadyExists


class OrMake(Group):
    """`fabriek passport MODEL` is `fabriek passport make MODEL`: what names no command names a model."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = next((one for one in args if not one.startswith("-")), "")
        if first and first not in self.commands:
            args = ["make", *args]
        return super().parse_args(ctx, args)


@click.group(cls=OrMake)
def passport() -> None:
    """A model's passport, and how one is verified.

    \b
    fabriek passport NAME@ALIAS
    fabriek passport verify FILE --key KEY
    """  # noqa: D301  # the sign that click keeps lines by


@passport.command("make")
@click.argument("name", metavar="MODEL")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to; default: here.")
@project_option
@json_option
def make(name: str, output: Path | None, project: str, *, as_json: bool) -> None:
    """Fetch the passport of MODEL as one page: data, agreement, code, label, metrics, energy, who paid, who promoted it.

    MODEL is NAME, NAME@3 or NAME@ALIAS. `make` may be left out.
    """
    called, page = connect(project).models.passport(name)
    target = output or Path(called)
    if output is None and target.exists() and target.read_bytes() != page:
        raise AlreadyExists(f"{target} is there already", fix=f"fabriek passport {name} --output FILE")
    target.write_bytes(page)
    if as_json:
        print_json({"file": str(target), "bytes": len(page)})
    else:
        say(
            f"{target}: {len(page)} bytes. Whoever gets it verifies it: fabriek passport verify {target.name} --key KEY"
        )


@passport.command("verify")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--key", required=True, metavar="KEY", help="The installation's, which you were given by another way than the page.")  # fmt: skip
@json_option
def verify(file: Path, key: str, *, as_json: bool) -> None:
    """Check FILE on this machine, without any server. Leaves with 10 where anything in it was changed."""
    from fabriek.sdk.passport import verify_file  # noqa: PLC0415  # cryptography: help should not pay for it

    found = verify_file(file, key)
    if as_json:
        print_json(found)
        return
    say(
        f"{found.model}@{found.version} holds: {found.issuer} signed this page on {found.issued_on}, and no byte of it was changed"
    )
    say(f"  files  {found.sha256} ({found.mark})")
    say(f"  label  {found.label}")


@passport.command("key")
@json_option
def key(*, as_json: bool) -> None:
    """The key of this installation, for those who get passports: give it to them by another way."""
    found = connect().models.passport_key()
    if as_json:
        show(found, as_json=True)
    else:
        say(found.key)
