"""`fabriek data diff`, `tag` and `rm`: versions beside each other, their names, and their end."""

import sys

import click

from fabriek.cli.output import clean, counted, json_option, print_json, project_option, say, show
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import shown_bytes
from fabriek.sealing.comparing import Change, How

_SIGNS = {How.ADDED: "+", How.REMOVED: "-", How.CHANGED: "~", How.MODE: "x"}


@click.command("diff")
@click.argument("older", metavar="NAME@V")
@click.argument("newer", metavar="NAME[@V]")
@project_option
@json_option
def diff(older: str, newer: str, project: str, *, as_json: bool) -> None:
    """How the files of two versions differ.

    + added, - removed, ~ changed, x whether it may be run.
    """
    found = connect(project).vault.diff(older, newer, project=project)
    if as_json:
        print_json([{"path": one.path, "how": one.how, "was_bytes": one.was, "size_bytes": one.size} for one in found])
        return
    for one in found:
        say(_line(one))
    if not found:
        say("the same files")


@click.command("tag")
@click.argument("name", metavar="NAME@V")
@click.argument("tag_name", metavar="TAG")
@click.option("--remove", "is_removed", is_flag=True, help="Take the tag away from whatever version it names.")
@project_option
@json_option
def tag(name: str, tag_name: str, project: str, *, is_removed: bool, as_json: bool) -> None:
    """Give a version a name of your own.

    NAME@TAG is it from now on, wherever a version is named. A tag can be moved; a version cannot.
    """
    vault = connect(project).vault
    if is_removed:
        vault.untag(name.partition("@")[0], tag_name, project=project)
        if not as_json:
            say(f"the tag {tag_name} is gone")
        return
    made = vault.tag(name, tag_name, project=project)
    if as_json:
        show(made, as_json=True)
    else:
        say(f"{name.partition('@')[0]}@{made.tag} is @{made.number}")


@click.command("rm")
@click.argument("name", metavar="NAME@V")
@click.option("--yes", is_flag=True, help="Do not ask.")
@project_option
@json_option
def remove(name: str, project: str, *, yes: bool, as_json: bool) -> None:
    """Remove one version for good. Refused while a tag names it or somebody has it open."""
    vault = connect(project).vault
    if not yes:
        # Looked up first: nobody is asked about what is not there, and who named a tag reads which version that is.
        found = vault.to_remove(name, project=project)
        what = f"{found.name}@{found.number}, {counted(found.files, 'file')} of {shown_bytes(found.size_bytes)},"
        if not sys.stdin.isatty():
            raise InvalidInput(f"{what} would be gone for good", fix="add --yes if that is what you want")
        click.confirm(f"Remove {what} for good?", abort=True)
    gone = vault.remove(name, project=project)
    if as_json:
        show(gone, as_json=True)
    else:
        say(f"{gone.name}@{gone.number} is gone")


def _line(one: Change) -> str:
    path = clean(one.path).replace("\n", "\N{REPLACEMENT CHARACTER}")
    sizes = (
        f"{shown_bytes(one.was)} → {shown_bytes(one.size)}"
        if one.how is How.CHANGED
        else shown_bytes(max(one.was, one.size))
    )
    return f"{_SIGNS[one.how]} {path}  {sizes}"
