"""`fabriek class`: a teacher's classes."""

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, say, table, warn
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput

if TYPE_CHECKING:
    from fabriek.schemas.classes import ClassOut

students_option = click.option(
    "--students",
    required=True,
    type=click.Path(path_type=Path),
    help="A CSV with the head email,name or email,name,organisation.",
)
ends_option = click.option(
    "--ends",
    required=True,
    metavar="DAY",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The last day of the term: 2027-02-01.",
)


@click.group("class", cls=Group)
def course() -> None:
    """A class: a project and a budget for each student, until the term ends."""


@course.command("create")
@click.argument("title")
@click.option(
    "--from-project", "project", default="", metavar="NAME", help="Whose hours pay; default: the one you work in."
)
@students_option
@click.option("--gpu-hours-each", required=True, type=click.IntRange(1), help="GPU-hours for each student.")
@click.option("--cpu-hours-each", type=click.IntRange(0), help="CPU-hours for each; default: in proportion.")
@ends_option
@json_option
def create(
    title: str, project: str, students: Path, gpu_hours_each: int, cpu_hours_each: int | None, ends: datetime, *, as_json: bool
) -> None:  # fmt: skip
    """Make a class, and print each student with the link that signs them in once, as CSV.

    \b
    fabriek class create "Deep learning 101" --students students.csv --gpu-hours-each 10 --ends 2027-02-01

    Either every student of the list gets a place, or none. Who is here already gets no link: they sign in as ever.
    """  # noqa: D301  # the sign that click keeps lines by
    made = connect().classes.create(
        title,
        _text(students),
        gpu_hours_each=gpu_hours_each,
        cpu_hours_each=cpu_hours_each,
        ends_on=ends.date(),
        project=project,
    )
    _show_links(made, as_json=as_json)


@course.command("ls")
@json_option
def ls(*, as_json: bool) -> None:
    """Your classes, newest first."""
    found = connect().classes.list()
    table(found, ["slug", "title", "state", "project", "starts_on", "ends_on"], as_json=as_json, empty="no classes")


@course.command("show")
@click.argument("name")
@json_option
def show_class(name: str, *, as_json: bool) -> None:
    """Each student: whether they came, and their GPU-hours used and left."""
    found = connect().classes.show(name)
    if as_json:
        print_json(found)
        return
    say(
        f"{found.title}: {found.state}, {found.starts_on} to {found.ends_on}; results can be taken out before {found.closes_on}"
    )
    table(found.students, ["number", "name", "email", "project", "state", "joined", "used", "left"], as_json=False)


@course.command("add")
@click.argument("name")
@students_option
@json_option
def add(name: str, students: Path, *, as_json: bool) -> None:
    """More students, with the budget of the others; all of the list, or none."""
    _show_links(connect().classes.add(name, _text(students)), as_json=as_json)


@course.command("drop")
@click.argument("name")
@click.argument("student")
def drop(name: str, student: str) -> None:
    """Take STUDENT, an id or an address, out: what they did not use goes back to your project."""
    connect().classes.drop(name, student)
    say("dropped")


@course.command("extend")
@click.argument("name")
@ends_option
def extend(name: str, ends: datetime) -> None:
    """Give the term a later last day, as far as the allocation that pays lasts."""
    say(f"it ends on {connect().classes.extend(name, ends.date()).ends_on}")


@course.command("end")
@click.argument("name")
def end(name: str) -> None:
    """End the term now: budgets go back, jobs that wait stop, and results stay for some weeks."""
    ended = connect().classes.end(name)
    say(f"it has ended; students can take out what they made before {ended.closes_on}")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}", fix="save the list as CSV in UTF-8") from None


def _show_links(made: "ClassOut", *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(["email", "name", "project", "sign_in"])
    rows.writerows([one.email, one.name, one.project, one.sign_in] for one in made.students)
    click.echo(written.getvalue(), nl=False)
    warn(f"{made.slug}: {len(made.students)} students until {made.ends_on}; each link opens once, within the hour")
