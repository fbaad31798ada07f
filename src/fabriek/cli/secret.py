"""`fabriek secret`: values that jobs may use and nobody reads back."""

import sys

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, project_option, say, table
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput


@click.group(cls=Group)
def secret() -> None:
    """Values that jobs may use and nobody reads back."""


@secret.command("set")
@click.argument("name")
@project_option
@json_option
def set_secret(name: str, project: str, *, as_json: bool) -> None:
    """Set NAME to what is typed, or to what comes on standard input.

    \b
    fabriek secret set WANDB_API_KEY
    fabriek secret set DEPLOY_KEY < key.pem

    One line break at the end is left out. The value is never taken from the command line, which others on this machine can read.
    """  # noqa: D301  # the sign that click keeps lines by
    kept = connect(project).secrets.set(name, _value(name))
    if as_json:
        print_json(kept)
    else:
        say(f"{kept.name} is set; a job gets it with --secret {kept.name}")


@secret.command("ls")
@project_option
@json_option
def ls(project: str, *, as_json: bool) -> None:
    """The project's secrets: name, who set it, when, and when a job last got it."""
    table(
        connect(project).secrets.list(),
        ["name", "set_by", "set_at", "used_at"],
        as_json=as_json,
        empty="no secrets yet: fabriek secret set NAME",
    )


@secret.command("rm")
@click.argument("name")
@project_option
def rm(name: str, project: str) -> None:
    """Remove NAME. Jobs that wait and name it fail when they start; those that run keep what they have."""
    connect(project).secrets.remove(name)
    say(f"{name} is removed")


def _value(name: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"Value of {name}", hide_input=True, confirmation_prompt="Once more"))
    try:
        text = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput(f"the value of {name} is no text", fix=f"base64 FILE | fabriek secret set {name}") from None
    return text.removesuffix("\n").removesuffix("\r")
