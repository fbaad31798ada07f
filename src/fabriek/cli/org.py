"""`fabriek org`: organisations and their people."""

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, say, show, table
from fabriek.cli.session import connect


@click.group(cls=Group)
def org() -> None:
    """Organisations and their people."""


@org.command("create")
@click.argument("name")
@click.option("--kind", required=True, help="startup, company, hospital, university, public, funder or operator.")
@click.option("--country", default="NL", help="Two capitals.")
@click.option("--kvk", default="", help="Number in the Dutch business register; a new firm leaves it out.")
@click.option("--slug", default="", help="Short name in addresses; default: made of the name.")
@json_option
def create(name: str, kind: str, country: str, kvk: str, slug: str, *, as_json: bool) -> None:
    """A new organisation."""
    show(connect().access.create_organisation(name, kind, country=country, kvk=kvk, slug=slug), as_json=as_json)


@org.command("ls")
@json_option
def ls(*, as_json: bool) -> None:
    """Every organisation that takes part."""
    table(connect().access.organisations(), ["slug", "name", "kind", "country"], as_json=as_json)


@org.command("describe")
@click.argument("organisation")
@click.option("--sector", help="What it works in, by the words of the installation.")
@click.option("--region", help="Where it works.")
@click.option("--size", help="micro, small, medium or large; said by an administrator of the installation.")
@click.option("--head", help="The organisation at the head of its group; itself: none. Caps count a group as one.")
@json_option
def describe(
    organisation: str, sector: str | None, region: str | None, size: str | None, head: str | None, *, as_json: bool
) -> None:
    """Say what an organisation is, for reports and caps; without options: what is said of it."""
    said = {"sector": sector, "region": region, "size": size, "head": head}
    given = {name: value for name, value in said.items() if value is not None}
    access = connect().access
    show(access.describe(organisation, **given) if given else access.description(organisation), as_json=as_json)


@org.command("show")
@click.argument("organisation")
@json_option
def show_people(organisation: str, *, as_json: bool) -> None:
    """An organisation's people, and by what it shows that it is one."""
    factory = connect()
    table(factory.access.people(organisation), ["id", "name", "email", "roles"], as_json=as_json)
    if not as_json:
        proof = factory.joining.proof(organisation)
        told = ", ".join(f"{name} {value}" for name, value in proof.fields.items())
        say(
            f"proof: {proof.kind}: {told}" if proof.kind else f"no proof yet: fabriek org prove {organisation} --kind …"
        )
        if proof.due:
            say(
                f"something better was to follow by {proof.due_on}: fabriek org prove {organisation} --kind kvk --field number=…"
            )
