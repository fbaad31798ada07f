"""`fabriek training`: courses, places and certificates."""

from datetime import datetime

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, say, show, table
from fabriek.cli.session import connect


@click.group("training", cls=Group)
def training() -> None:
    """Courses: when they are given, your place, and your certificates."""


@training.command("courses")
@json_option
def courses(*, as_json: bool) -> None:
    """What is taught, and what it asks for first."""
    found = connect().training.courses()
    if as_json:
        print_json(found)
        return
    rows = [
        {"name": one.name, "title": one.title["en"], "needs": one.needs, "valid_days": one.valid_days or "for ever"}
        for one in found
    ]
    table(rows, ["name", "title", "needs", "valid_days"], as_json=False)


@training.command("ls")
@click.option("--course", default="", metavar="NAME", help="Only lessons of this course.")
@json_option
def ls(course: str, *, as_json: bool) -> None:
    """The calendar from today on."""
    found = connect().training.lessons(course)
    table(
        found,
        ["id", "on", "course", "place", "language", "free", "waiting", "mine"],
        as_json=as_json,
        empty="no lesson is planned",
    )


@training.command("show")
@click.argument("lesson")
@json_option
def show_lesson(lesson: str, *, as_json: bool) -> None:
    """One lesson; as its teacher with everybody in it."""
    show(connect().training.lesson(lesson), as_json=as_json)


@training.command("join")
@click.argument("lesson")
@json_option
def join(lesson: str, *, as_json: bool) -> None:
    """Take a place, or one on the waiting list where it is full."""
    found = connect().training.sign_up(lesson)
    if as_json:
        print_json(found)
    else:
        say(
            f"you are number {found.waiting_place} on the waiting list"
            if found.waiting_place
            else f"you have a place on {found.on}"
        )


@training.command("leave")
@click.argument("lesson")
def leave(lesson: str) -> None:
    """Give your place back: the first who waits moves up."""
    connect().training.leave(lesson)
    say("given back")


@training.command("certificates")
@json_option
def certificates(*, as_json: bool) -> None:
    """Your own, and until when each counts."""
    table(
        connect().training.certificates(),
        ["id", "course", "given_on", "until", "in_force", "given_by"],
        as_json=as_json,
    )


@training.command("give")
@click.argument("course")
@click.option("--on", "day", required=True, metavar="DAY", type=click.DateTime(["%Y-%m-%d"]), help="2027-02-01.")
@click.option("--place", required=True, help="Where, or online.")
@click.option("--language", default="nl", help="Of ISO 639-1.", show_default=True)
@click.option("--seats", default=20, type=click.IntRange(1, 500), show_default=True)
@json_option
def give(course: str, day: datetime, place: str, language: str, seats: int, *, as_json: bool) -> None:
    """As a teacher: plan a lesson."""
    show(connect().training.give(course, day.date(), place, language=language, seats=seats), as_json=as_json)


@training.command("cancel")
@click.argument("lesson")
def cancel(lesson: str) -> None:
    """As its teacher: call it off."""
    connect().training.cancel(lesson)
    say("called off")


@training.command("attended")
@click.argument("lesson")
@click.argument("person")
@click.option("--absent", is_flag=True, help="They were not there.")
@json_option
def attended(lesson: str, person: str, *, absent: bool, as_json: bool) -> None:
    """As its teacher: PERSON was there, and gets a certificate. What was said stands."""
    made = connect().training.record(lesson, person, attended=not absent)
    if as_json:
        print_json(made)
    else:
        say(f"certificate {made.certificate}" if made.certificate else "absent, without a certificate")
