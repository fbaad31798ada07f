"""`fabriek expert`: experts and their hours."""

from datetime import datetime

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, project_option, show, table
from fabriek.cli.session import connect

week_option = click.option(
    "--week",
    default=None,
    metavar="DAY",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Any day of it: 2027-02-01; default: this week.",
)


@click.group(cls=Group)
def expert() -> None:
    """Experts and their hours."""


@expert.command("ls")
@click.argument("words", nargs=-1)
@click.option("--skill", default="", metavar="NAME", help="Of the list: fabriek expert skills.")
@click.option("--language", default="", metavar="CODE", help="Of ISO 639-1: nl.")
@week_option
@json_option
def ls(words: tuple[str, ...], skill: str, language: str, week: datetime | None, *, as_json: bool) -> None:
    """Who may be booked, what they know (all of WORDS, in any form), and the hours left in a week."""
    day = week.date() if week else None
    found = connect().desk.experts(" ".join(words), skill=skill, language=language, week=day)
    table(found, ["person", "name", "left", "skills", "languages", "fields"], as_json=as_json, empty="nobody")


@expert.command("skills")
@json_option
def skills(*, as_json: bool) -> None:
    """The words for skills."""
    found = connect().desk.skills()
    if as_json:
        print_json(found)
        return
    table([{"name": one.name, **one.title} for one in found], ["name", "en", "nl"], as_json=False)


@expert.command("offer")
@click.argument("fields")
@click.option("--skill", "skills", multiple=True, metavar="NAME", help="Of the list; repeatable.")
@click.option("--language", "languages", multiple=True, metavar="CODE", help="Of ISO 639-1; repeatable.")
@click.option("--hours-a-week", default=8, type=click.IntRange(0, 40), show_default=True, help="0 while you give none.")
@json_option
def offer(
    fields: str, skills: tuple[str, ...], languages: tuple[str, ...], hours_a_week: int, *, as_json: bool
) -> None:
    """Say what you know, so that others can book an hour; in place of what you said before."""
    show(connect().desk.offer(fields, skills=skills, languages=languages, hours_a_week=hours_a_week), as_json=as_json)


@expert.command("book")
@click.argument("person")
@click.option("--about", required=True, help="What the hour is for.")
@click.option("--hours", default=1, type=click.IntRange(1, 8))
@week_option
@project_option
@json_option
def book(person: str, about: str, hours: int, week: datetime | None, project: str, *, as_json: bool) -> None:
    """Book an expert for your project in a week; the hours are held at once."""
    day = week.date() if week else None
    show(connect(project).desk.book(person, about, hours=hours, week=day), as_json=as_json)


@expert.command("bookings")
@json_option
def bookings(*, as_json: bool) -> None:
    """Those that you made or are booked for."""
    table(connect().desk.bookings(), ["id", "expert", "project", "hours", "week", "state", "about"], as_json=as_json)


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
