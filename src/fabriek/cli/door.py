"""`fabriek door`: everything that you have open."""

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import counted, json_option, say, table
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput

person_option = click.option("--person", default="", metavar="ID", help="Somebody else's, for whoever oversees.")


@click.group(cls=Group)
def door() -> None:
    """What you have open: sessions, tokens, visits to notebooks."""


@door.command("ls")
@person_option
@json_option
def ls(person: str, *, as_json: bool) -> None:
    """Everything that is open, how it was opened, and which of them you came in by."""
    columns = ["id", "kind", "name", "method", "made_at", "used_at", "expires_at", "this"]
    table(connect().tokens.doors(person), columns, as_json=as_json, empty="nothing is open")


@door.command("end")
@click.argument("door_id", metavar="ID", default="")
@click.option("--others", is_flag=True, help="All but the one that you came in by.")
@click.option("--all", "all_of_them", is_flag=True, help="With --person: all of theirs.")
@person_option
def end(door_id: str, person: str, *, others: bool, all_of_them: bool) -> None:
    """End one, or all others. What was opened through it ends too."""
    tokens = connect().tokens
    if sum(map(bool, (door_id, others, all_of_them))) != 1 or (all_of_them and not person) or (others and person):
        raise InvalidInput("what is to end?", fix="fabriek door end ID, or --others, or --person ID --all")
    if others:
        say(f"{counted(tokens.end_others(), 'door')} ended")
    elif all_of_them:
        say(f"{counted(tokens.end_all_of(person), 'door')} ended")
    else:
        tokens.end(door_id, person)
        say(f"{door_id} is ended")
