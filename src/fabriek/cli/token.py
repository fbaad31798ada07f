"""`fabriek token`: what your programs come with."""

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, say, table, warn
from fabriek.cli.session import connect


@click.group(cls=Group)
def token() -> None:
    """Tokens for your programs: narrowed, with an end, revoked when you like."""


@token.command("create")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    help="What it may do: see `fabriek token scopes`; repeatable. Default: all that you may.",
)
@click.option("--project", default="", metavar="NAME", help="The one project that it opens; default: all of yours.")
@click.option("--days", type=click.IntRange(1), default=None, help="How long it lasts; default 30.")
@json_option
def create(name: str, scopes: tuple[str, ...], project: str, days: int | None, *, as_json: bool) -> None:
    """Make a token and show it, once.

    \b
    fabriek token create nightly --scope lab --project playground --days 90

    A token with a scope or a project makes no other token and changes nobody's rights. NAME is for you, to know it again.
    """  # noqa: D301  # the sign that click keeps lines by
    made = connect().tokens.create(name, scopes, project=project, days=days or 0)
    if as_json:
        print_json(made)
        return
    click.echo(made.token)
    opens = ", ".join(made.scopes) or "all that you may do"
    warn(
        f"{made.name} opens {opens}{f' in {made.project}' if made.project else ''} until {made.expires_at:%Y-%m-%d}; it is not shown again"
    )


@token.command("ls")
@json_option
def ls(*, as_json: bool) -> None:
    """Your tokens: what each opens, when it was last used, when it ends."""
    table(
        connect().tokens.list(), ["name", "scopes", "project", "made_at", "used_at", "expires_at"], as_json=as_json,
        empty="no tokens yet: fabriek token create NAME",
    )  # fmt: skip


@token.command("scopes")
@json_option
def scopes(*, as_json: bool) -> None:
    """What a token can be narrowed to."""
    table(connect().tokens.scopes(), ["name", "says"], as_json=as_json)


@token.command("revoke")
@click.argument("name")
def revoke(name: str) -> None:
    """Revoke a token, by its name or id: from now on it opens nothing."""
    say(f"{connect().tokens.revoke(name).name} opens nothing any more")
