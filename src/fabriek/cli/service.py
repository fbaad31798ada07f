"""`fabriek service`: programs that act in a project under a name of their own."""

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, project_option, say, show, table, warn
from fabriek.cli.session import connect


@click.group(cls=Group)
def service() -> None:
    """Programs that act in a project under a name of their own."""


@service.command("create")
@click.argument("name")
@click.option("--role", default="member", show_default=True, help="What it is in the project.")
@project_option
@json_option
def create(name: str, role: str, project: str, *, as_json: bool) -> None:
    """Make a service. You answer for it: it opens nothing once you have left the project, until another lead signs."""
    made = connect(project).service_identities.create(name, role)
    if as_json:
        print_json(made)
    else:
        say(
            f"{made.name} is a {made.role} of the project, and you answer for it; it comes in with: fabriek service token {made.name} NAME"
        )


@service.command("ls")
@project_option
@json_option
def ls(project: str, *, as_json: bool) -> None:
    """The project's services: who answers for each, and whether it opens anything."""
    table(
        connect(project).service_identities.list(), ["name", "role", "signed_for_by_name", "opens"], as_json=as_json,
        empty="no services yet: fabriek service create NAME",
    )  # fmt: skip


@service.command("token")
@click.argument("name")
@click.argument("token_name", metavar="TOKEN")
@click.option("--scope", "scopes", multiple=True, help="What it may do: see `fabriek token scopes`; repeatable.")
@click.option("--days", type=click.IntRange(1), default=None, help="How long it lasts; default 30.")
@project_option
@json_option
def token(
    name: str, token_name: str, scopes: tuple[str, ...], days: int | None, project: str, *, as_json: bool
) -> None:
    """Make a token called TOKEN for the service NAME and show it, once."""
    made = connect(project).service_identities.token(name, token_name, scopes, days=days or 0)
    if as_json:
        print_json(made)
        return
    click.echo(made.token)
    warn(f"{made.name} of {name} lasts until {made.expires_at:%Y-%m-%d}; it is not shown again")


@service.command("revoke")
@click.argument("name")
@click.argument("token_name", metavar="TOKEN")
@project_option
def revoke(name: str, token_name: str, project: str) -> None:
    """Revoke the token TOKEN of the service NAME."""
    gone = connect(project).service_identities.revoke(name, token_name)
    say(f"{gone.name} of {name} opens nothing any more")


@service.command("sign")
@click.argument("name")
@project_option
@json_option
def sign(name: str, project: str, *, as_json: bool) -> None:
    """Answer for the service NAME from now on, in place of who did."""
    show(connect(project).service_identities.sign(name), as_json=as_json)


@service.command("retire")
@click.argument("name")
@project_option
def retire(name: str, project: str) -> None:
    """Retire the service NAME: its tokens end, and what it did stays under its name."""
    connect(project).service_identities.retire(name)
    say(f"{name} is retired")
