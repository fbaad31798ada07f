"""`fabriek match`: needs and offers of organisations."""

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, say, show, table
from fabriek.cli.session import connect


@click.group("match", cls=Group)
def match() -> None:
    """Needs and offers: who fits you, named once both said yes."""


@match.command("post")
@click.argument("kind", type=click.Choice(["need", "offer"]))
@click.argument("text")
@click.option(
    "--skill", "skills", multiple=True, metavar="NAME", help="A skill of the list (fabriek expert skills); repeatable."
)
@click.option("--word", "words", multiple=True, help="A skill in your own words; repeatable.")
@click.option("--region", default="", help="Where; for the other side once you both said yes.")
@json_option
def post(kind: str, text: str, skills: tuple[str, ...], words: tuple[str, ...], region: str, *, as_json: bool) -> None:
    """Say what your organisation needs, or has to offer. Nobody else reads it before both said yes."""
    show(connect().matching.post(kind, text, skills=skills, words=words, region=region), as_json=as_json)


@match.command("ls")
@json_option
def ls(*, as_json: bool) -> None:
    """Your organisation's listings, and the matches of those."""
    client = connect().matching
    listings, matches = client.listings(), client.matches()
    if as_json:
        print_json({"listings": listings, "matches": matches})
        return
    table(listings, ["id", "kind", "skills", "words", "withdrawn", "text"], as_json=False, empty="no listings")
    if matches:
        say("")
        table(matches, ["id", "listing", "shared", "state"], as_json=False)
    for one in matches:
        if one.other:
            say(f"\n{one.id}: {one.other.organisation}, {one.other.name} <{one.other.email}>: {one.other.text}")


@match.command("yes")
@click.argument("match_id", metavar="MATCH")
@json_option
def yes(match_id: str, *, as_json: bool) -> None:
    """Say yes for your side. Each learns who the other is once both did."""
    show(connect().matching.answer(match_id, yes=True), as_json=as_json)


@match.command("no")
@click.argument("match_id", metavar="MATCH")
@json_option
def no(match_id: str, *, as_json: bool) -> None:
    """Say no, also after a yes: it is over."""
    show(connect().matching.answer(match_id, yes=False), as_json=as_json)


@match.command("withdraw")
@click.argument("listing")
def withdraw(listing: str) -> None:
    """Take a listing back: its matches are over."""
    connect().matching.withdraw(listing)
    say("taken back")
