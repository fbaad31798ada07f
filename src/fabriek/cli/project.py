"""`fabriek project`: projects and their members."""

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, project_option, say, show, table
from fabriek.cli.session import connect


@click.group(cls=Group)
def project() -> None:
    """Projects and their members."""


@project.command("ls")
@json_option
def ls(*, as_json: bool) -> None:
    """Your projects."""
    table(
        connect().access.projects(),
        ["slug", "title", "purpose", "label_ceiling"],
        as_json=as_json,
        empty="no project yet: fabriek apply new",
    )


@project.command("show")
@project_option
@json_option
def show_project(project: str, *, as_json: bool) -> None:
    """The project you work in."""
    show(connect(project).access.project(), as_json=as_json)


@project.command("credits")
@project_option
@json_option
def credits_left(project: str, *, as_json: bool) -> None:
    """What the project may still spend, and what comes of it where that is little."""
    funding = connect(project).funding
    table(
        funding.credits(),
        ["resource", "granted", "held", "used", "left", "owed"],
        as_json=as_json,
        empty="no allocation in force",
    )
    if not as_json:
        stands = funding.standing()
        says = "; ".join(stands.says)
        say(f"{stands.state.replace('_', ' ').capitalize()}{': ' if says else ''}{says}.")


@project.command("standing")
@project_option
@json_option
def standing(project: str, *, as_json: bool) -> None:
    """Whether the project may submit jobs and reach its data, and what comes next."""
    show(connect(project).funding.standing(), as_json=as_json)


@project.command("burndown")
@project_option
@json_option
def burndown(project: str, *, as_json: bool) -> None:
    """How the project spends, and on which day it runs out."""
    found = connect(project).reporting.burndown()
    if as_json:
        print_json(found)
        return
    table(found, ["resource", "granted", "left", "held", "owed", "each_week", "ends_on", "on"], as_json=False)
    for one in found:
        say(f"{one.resource}: {one.says}")


@project.command("members")
@project_option
@json_option
def members(project: str, *, as_json: bool) -> None:
    """Who is in the project."""
    table(connect(project).access.members(), ["name", "role", "organisation", "person"], as_json=as_json)


@project.command("add")
@click.argument("person")
@click.option("--role", default="member", help="member or lead.")
@project_option
@json_option
def add(person: str, role: str, project: str, *, as_json: bool) -> None:
    """Add PERSON, an id or an address of somebody who is here already."""
    show(connect(project).access.add_member(person, role), as_json=as_json)


@project.command("remove")
@click.argument("person")
@project_option
def remove(person: str, project: str) -> None:
    """Take PERSON, an id, out of the project; or leave it yourself. What they have open there ends."""
    connect(project).access.remove_member(person)
    say(f"{person} is no longer a member")


@project.command("acknowledgement")
@click.option("--lang", type=click.Choice(["en", "nl"]), default="en", help="The language of the text.")
@project_option
@json_option
def acknowledgement(lang: str, project: str, *, as_json: bool) -> None:
    """How to thank who paid, where you publish: with the hours and quarters that each share really paid."""
    found = connect(project).duties.acknowledgement(lang=lang)
    if as_json:
        print_json(found)
        return
    for one in found:
        say(one.text)
    if not found:
        say("no share has paid for anything yet")
