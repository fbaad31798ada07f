"""`fabriek catalogue harvest`: catalogues elsewhere, whose entries are found here."""

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import counted, json_option, print_json, say, table
from fabriek.cli.session import connect
from fabriek.schemas.codes import MEANINGS, Code
from fabriek.schemas.harvest import SourceOut


@click.group(cls=Group)
def harvest() -> None:
    """Catalogues elsewhere, whose entries are found here and opened there. For operators."""


@harvest.command("add")
@click.argument("address", metavar="https://…")
@click.option("--name", default="", help="What people here call it; its host by default.")
@json_option
def add(address: str, name: str, *, as_json: bool) -> None:
    """Add a catalogue: the address of its DCAT, in JSON-LD or Turtle. It is read within a minute, and once a day from then on."""
    made = connect().harvest.add(address, name=name)
    if as_json:
        print_json(made)
    else:
        say(f"added {made.name} as {made.id}")


@harvest.command("ls")
@json_option
def ls(*, as_json: bool) -> None:
    """The catalogues, and how each was when it was read last."""
    table(
        list(connect().harvest.list()),
        ["id", "name", "entries", "left_out_count", "good_at", "tried_at", "trouble"],
        as_json=as_json,
        empty="none yet; fabriek catalogue harvest add https://…",
    )


@harvest.command("run")
@click.argument("source")
@json_option
def run(source: str, *, as_json: bool) -> int:
    """Read one now. Leaves with 8 where it could not be read; what was here stays."""
    done = connect().harvest.run(source)
    if as_json:
        print_json(done)
    else:
        _tell(done)
    return MEANINGS[Code.UNAVAILABLE].exit if done.trouble else 0


@harvest.command("rm")
@click.argument("source")
def rm(source: str) -> None:
    """Take one away, with all entries that came from it."""
    connect().harvest.remove(source)
    say(f"{source} is read no more, and its entries are gone from the catalogue")


def _tell(done: SourceOut) -> None:
    if done.trouble:
        say(f"{done.name} could not be read: {done.trouble}")
        say(f"what was here stays: {done.entries} of its entries")
        return
    say(f"{done.name}: {counted(done.entries, 'dataset')} on {counted(done.pages, 'page')}")
    for why in done.left_out:
        say(f"left out  {why}")
    if done.left_out_count > len(done.left_out):
        say(f"{done.left_out_count} were left out in all")
