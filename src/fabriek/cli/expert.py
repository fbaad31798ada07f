"""`fabriek expert`: experts and their hours."""

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, project_option, show, table
from fabriek.cli.session import connect


@click.group(cls=Group)
def expert() -> None:
    """Experts and their hours."""


@expert.command("ls")
@json_option
def ls(*, as_json: bool) -> None:
    """Who may be booked, and what they know."""
    table(connect().desk.experts(), ["person", "name", "fields"], as_json=as_json)


@expert.command("offer")
@click.argument("fields")
@json_option
def offer(fields: str, *, as_json: bool) -> None:
    """Say what you know, so that others can book an hour."""
    show(connect().desk.offer(fields), as_json=as_json)


@expert.command("book")
@click.argument("person")
@click.option("--about", required=True, help="What the hour is for.")
@click.option("--hours", default=1, type=click.IntRange(1, 8))
@project_option
@json_option
def book(person: str, about: str, hours: int, project: str, *, as_json: bool) -> None:
    """Book an expert for your project; the hours are held at once."""
    show(connect(project).desk.book(person, about, hours=hours), as_json=as_json)


@expert.command("bookings")
@json_option
def bookings(*, as_json: bool) -> None:
    """Those that you made or are booked for."""
    table(connect().desk.bookings(), ["id", "expert", "project", "hours", "state", "about"], as_json=as_json)


@expert.command("done")
@click.argument("booking")
@json_option
def done(booking: str, *, as_json: bool) -> None:
    """As the expert: the hours were given."""
    show(connect().desk.finish(booking), as_json=as_json)


@expert.command("cancel")
@click.argument("booking")
@json_option
def cancel(booking: str, *, as_json: bool) -> None:
    """Call off a booking, yours or of you; what was held for it goes back."""
    show(connect().desk.cancel(booking), as_json=as_json)


@expert.command("extend")
@click.argument("booking")
@click.option("--hours", required=True, type=click.IntRange(1, 8), help="So many in all, those that it has among them.")
@json_option
def extend(booking: str, hours: int, *, as_json: bool) -> None:
    """Give a booking of yours more hours; they are held at once."""
    show(connect().desk.extend(booking, hours), as_json=as_json)
