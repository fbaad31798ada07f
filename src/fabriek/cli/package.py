"""`fabriek package`: what may be installed, asking for more, and deciding on it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, project_option, say, table
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput

if TYPE_CHECKING:
    from fabriek.schemas.packages import FindingOut, PackageFileOut, PackageRequestOut

FILES = ["package", "version", "standing", "projects", "licence", "file"]
REQUESTS = ["id", "package", "project", "by", "state", "trouble", "asked_at"]


@click.group(cls=Group)
def package() -> None:
    """What may be installed here, and how to ask for more."""


@package.command("ls")
@json_option
def ls(*, as_json: bool) -> None:
    """What your projects may install."""
    _files(connect().packages.list(), as_json=as_json)


@package.command("search")
@click.argument("text")
@json_option
def search(text: str, *, as_json: bool) -> None:
    """What your projects may install that holds TEXT in its name or summary."""
    _files(connect().packages.list(text), as_json=as_json)


@package.command("show")
@click.argument("what")
@json_option
def show(what: str, *, as_json: bool) -> None:
    """A package or a request, with everything that was found."""
    if what.startswith("pkg_"):
        _request(connect().packages.shown(what), as_json=as_json)
        return
    name, _, version = what.partition("==")
    found = [one for one in connect().packages.show(name) if version in {"", one.version}]
    if as_json:
        print_json(found)
    elif not found:
        say(f"nothing of {what} may be installed here; fabriek package request {name}=={version or 'VERSION'}")
    for one in [] if as_json else found:
        _file(one)


@package.command("request")
@click.argument("package_version", metavar="NAME==VERSION")
@click.option("--reason", default="needed by our jobs", show_default=True, help="What for; who approves reads it.")
@project_option
@json_option
def request(package_version: str, reason: str, project: str, *, as_json: bool) -> None:
    """Ask for a package and all that it needs."""
    _request(connect(project).packages.request(package_version, reason), as_json=as_json)


@package.command("requests")
@click.option("--all", "everybody", is_flag=True, help="Of all projects, for who approves.")
@project_option
@json_option
def requests(project: str, *, everybody: bool, as_json: bool) -> None:
    """What your project asked for, newest first."""
    table(connect(project).packages.requests(everybody=everybody), REQUESTS, as_json=as_json)


@package.command("add")
@click.argument("wheels", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--request", "request_id", default="", metavar="ID", help="Whose files these are; else a new one for all."
)
@click.option("--reason", default="", help="Why they are here.")
@json_option
def add(wheels: tuple[Path, ...], request_id: str, reason: str, *, as_json: bool) -> None:
    """As an operator: bring wheels, the package first and then what it needs. Somebody else approves them."""
    _request(connect().packages.add(wheels, request=request_id, reason=reason), as_json=as_json)


@package.command("approve")
@click.argument("request_id", metavar="REQUEST")
@click.option("--all", "everybody", is_flag=True, help="For all projects, and not the asking one alone.")
@click.option("--despite", default="", metavar="REASON", help="Why, against a grave finding.")
@json_option
def approve(request_id: str, despite: str, *, everybody: bool, as_json: bool) -> None:
    """Put a request's files on the index. Never by who asked."""
    _request(connect().packages.approve(request_id, everybody=everybody, despite=despite), as_json=as_json)


@package.command("refuse")
@click.argument("request_id", metavar="REQUEST")
@click.option("--reason", required=True, help="Why; who asked reads it.")
@json_option
def refuse(request_id: str, reason: str, *, as_json: bool) -> None:
    """Refuse a request."""
    _request(connect().packages.refuse(request_id, reason), as_json=as_json)


@package.command("withdraw")
@click.argument("what", metavar="REQUEST|NAME==VERSION")
@click.option("--reason", default="", help="Why; needed for a version.")
@json_option
def withdraw(what: str, reason: str, *, as_json: bool) -> None:
    """Take back a request of yours; as who approves, take a version off every index."""
    if what.startswith("pkg_"):
        _request(connect().packages.take_back(what), as_json=as_json)
        return
    if not reason:
        raise InvalidInput("a version is withdrawn for a reason", fix=f"fabriek package withdraw {what} --reason …")
    _files(connect().packages.withdraw(what, reason), as_json=as_json)


def _files(found: "Sequence[PackageFileOut]", *, as_json: bool) -> None:
    if as_json:
        print_json(list(found))
        return
    rows = [one.model_dump() | {"projects": ["all"] if one.everybody else one.projects} for one in found]
    table(rows, FILES, as_json=False, empty="nothing yet; fabriek package request NAME==VERSION")


def _request(found: "PackageRequestOut", *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    say(f"{found.id}  {found.package}  {found.state}{f' for {found.project}' if found.project else ''}")
    for line in (found.trouble, found.decision):
        if line:
            say(f"  {line}")
    for one in found.files:
        _file(one)
    say(found.page)


def _file(one: "PackageFileOut") -> None:
    say(f"  {one.file}  {one.standing}{f': {one.withdrawn_for}' if one.withdrawn_for else ''}")
    for finding in one.findings:
        say(_line(finding))


def _line(finding: "FindingOut") -> str:
    return f"    {finding.weight:<5}  {finding.says}"
