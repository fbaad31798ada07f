"""`fabriek data`: push, pull, check and share datasets. Everything is sealed and opened on this machine."""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabriek.cli.data_agreements import ALL, answers_of
from fabriek.cli.data_exchange import bring_in, take_out
from fabriek.cli.data_pushed import tell_pushed
from fabriek.cli.data_versions import diff, remove, tag
from fabriek.cli.groups import Headed
from fabriek.cli.output import counted, json_option, print_json, project_option, say, show, table, warn
from fabriek.cli.progress import bar
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import shown_bytes
from fabriek.schemas.codes import MEANINGS, Code

if TYPE_CHECKING:  # help should not pay for it
    from fabriek.schemas.vault import DatasetOut, VersionOut

DAY = click.DateTime(["%Y-%m-%d"])


HEADINGS = {
    "Versions": ("push", "import", "ls", "show", "diff", "tag", "rm"),
    "Reading": ("pull", "cat", "export", "verify"),
    "Sharing": ("agree", "agreements", "end", "terms", "acceptances", "grants", "revoke", "log"),
    "Asking for access": ("request", "requests", "move", "approve", "accept"),
    "Labels and releases": ("labels", "lower", "lowerings", "sign", "refuse"),
    "Care": ("keep", "hold", "holds", "unhold", "rotate", "erase", "certificate"),
}


@click.group(cls=Headed, headings=HEADINGS)
def data() -> None:
    """Push, pull and share datasets.

    A dataset is named NAME (the newest version), NAME@3, NAME@TAG, or PROJECT/NAME@3 when another project is its home.
    """


@data.command("push")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("name")
@click.option("--label", default="", help="How sensitive it is; default: internal, or what the dataset has.")
@click.option(
    "--key-home",
    type=click.Choice(["installation", "organisation"]),
    help="Who holds the key of a new dataset: installation (default; not against its operator), or your organisation, which can withdraw.",
)
@click.option(
    "--read-all", is_flag=True, help="Read every file, also those that nobody touched since the last push from here."
)
@project_option
@json_option
def push(
    folder: Path, name: str, label: str, key_home: str | None, project: str, *, read_all: bool, as_json: bool
) -> None:
    """Send the folder DIR as the next version of NAME. What is unchanged is not sent again.

    A push that was interrupted goes on where it stopped when it is given once more.
    """
    with bar("pushing") as drawn:
        pushed = connect(project).vault.push(
            folder,
            name,
            label=label,
            key_home=key_home or "",
            project=project,
            read_all=read_all,
            progress=drawn.advance,
            expect=drawn.expect,
            tell=warn,
        )
    tell_pushed(pushed, name, as_json=as_json)


@data.command("pull")
@click.argument("name", metavar="NAME[@V]")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--overwrite", is_flag=True, help="Replace files that are there; without it they are kept.")
@project_option
@json_option
def pull(name: str, folder: Path, paths: tuple[str, ...], project: str, *, overwrite: bool, as_json: bool) -> None:
    """Fetch a version, or files and folders of it, into DIR.

    PATH names them; without one, all of it. Needs the right to take it away.
    """
    with bar("pulling") as drawn:
        pulled = connect(project).vault.fetch(
            name, folder, project=project, paths=paths, overwrite=overwrite, progress=drawn.advance, expect=drawn.expect
        )
    if as_json:
        print_json(
            {"folder": str(folder), "files": pulled.files, "size_bytes": pulled.size_bytes, "kept": pulled.kept, "kept_files": pulled.kept_files}
        )  # fmt: skip
        return
    say(f"{counted(pulled.files, 'file')}, {shown_bytes(pulled.size_bytes)}, in {folder}")
    if pulled.kept:
        say(f"{pulled.kept_files} were there and were kept, {pulled.kept[0]} first; --overwrite replaces them")


@data.command("ls")
@project_option
@json_option
def ls(project: str, *, as_json: bool) -> None:
    """The project's datasets."""
    factory, found, cursor = connect(project), [], ""
    while True:
        page = factory.vault.list(project=project, cursor=cursor)
        found += page.items
        if not (cursor := page.next_cursor):
            break
    table(
        found,
        ["name", "newest", "label", "files", "size_bytes", "organisation", "verified_at", *_damaged(found)],
        as_json=as_json,
    )


@data.command("show")
@click.argument("name", metavar="NAME")
@project_option
@json_option
def show_dataset(name: str, project: str, *, as_json: bool) -> None:
    """A dataset and its versions."""
    vault = connect(project).vault
    dataset = vault.show(name, project=project)
    versions, tags = vault.versions(name, project=project), vault.tags(name, project=project)
    if as_json:
        print_json({"dataset": dataset, "versions": versions, "tags": tags})
        return
    show(dataset, as_json=False)
    for named in tags:
        say(f"tag {named.tag} is @{named.number}")
    table(
        versions,
        ["number", "label", "files", "size_bytes", "content_hash", "created_at", "verified_at", *_damaged(versions)],
        as_json=False,
    )


@data.command("verify")
@click.argument("name", metavar="NAME[@V]")
@project_option
@json_option
def verify(name: str, project: str, *, as_json: bool) -> int:
    """Fetch every byte of a version and check it; nothing is kept. Names each damaged file, and leaves with 10 if there is one."""
    with bar("verifying") as drawn:
        damaged = connect(project).vault.verify(name, project=project, progress=drawn.advance)
    if as_json:
        print_json({"sound": not damaged, "damaged": [{"path": one.file.path, "why": one.damage} for one in damaged]})
    else:
        for one in damaged:
            say(f"damaged  {one.file.path}  {one.damage}")
        say(
            f"{len(damaged)} damaged; restore them from a backup, or push them again"
            if damaged
            else "every byte is sound"
        )
    return MEANINGS[Code.DAMAGED].exit if damaged else 0


@data.command("cat")
@click.argument("place", metavar="NAME[@V]:PATH")
@project_option
def cat(place: str, project: str) -> None:
    """Write one file of a version to standard output. Needs the right to take it away."""
    name, colon, path = place.partition(":")
    if not colon or not path:
        raise InvalidInput(f"{place!r} names no file", fix=f"fabriek data cat {name}:PATH")
    for piece in connect(project).vault.read(name, path, project=project):
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


@data.command("agree")
@click.argument("name")
@click.option("--project", required=True, metavar="NAME", help="The project that may use it.")
@click.option(
    "--purpose",
    "purposes",
    multiple=True,
    required=True,
    help="civilian, dual_use or exclusively_military; repeatable.",
)
@click.option("--until", required=True, type=DAY, metavar="YYYY-MM-DD", help="The last day; it counts.")
@click.option("--right", default="compute", help="compute (default), view or take_away.")
@click.option(
    "--place", "places", multiple=True, help="Where jobs may run: NL, or NL/OWNER; repeatable. Default: anywhere."
)
@json_option
def agree(
    name: str,
    project: str,
    purposes: tuple[str, ...],
    until: datetime,
    right: str,
    places: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Let a project use your data. Only people of the organisation that owns it can."""
    made = connect().vault.agree(
        name, project=project, purposes=list(purposes), until=until.date(), right=right, places=list(places)
    )
    show(made, as_json=as_json)


@data.command("agreements")
@click.argument("name")
@project_option
@json_option
def agreements(name: str, project: str, *, as_json: bool) -> None:
    """The agreements on a dataset."""
    found = connect(project).vault.agreements(name, project=project)
    table(found, ["id", "project", "right", "purposes", "until", "terms", "in_force"], as_json=as_json, empty="none")


@data.command("end")
@click.argument("agreement")
@json_option
def end(agreement: str, *, as_json: bool) -> None:
    """End an agreement, yours or that of a project that you lead.

    What the project has open of the dataset closes at once, and nothing opens any more. A job goes on with what was copied for it; what
    it mounted closes within a minute. What was pulled before stays where it is.
    """
    show(connect().vault.end_agreement(agreement), as_json=as_json)


@data.command("request")
@click.argument("name")
@click.option("--purpose", default="civilian", help="What for: civilian (default), dual_use or exclusively_military.")
@click.option("--right", default="compute", help="compute (default), view or take_away.")
@click.option("--reason", default="", help="A few words for its owner.")
@click.option(
    "--answer", "answers", multiple=True, metavar="QUESTION=ANSWER", help="An answer to the form; repeatable."
)
@click.option("--draft", is_flag=True, help="Keep it, and send it later: fabriek data move REQUEST sent.")
@project_option
@json_option
def request(
    name: str,
    purpose: str,
    right: str,
    reason: str,
    answers: tuple[str, ...],
    project: str,
    *,
    draft: bool,
    as_json: bool,
) -> None:
    """Ask the owner of a dataset for access."""
    asked = connect(project).vault.request(
        name, purpose=purpose, right=right, reason=reason, answers=answers_of(answers), draft=draft, project=project
    )
    show(asked, as_json=as_json)


@data.command("requests")
@click.argument("name", default="")
@project_option
@json_option
def requests(name: str, project: str, *, as_json: bool) -> None:
    """Who asked for access to your dataset. Without a name, what you asked for."""
    factory = connect(project)
    found = factory.vault.requests(name, project=project) if name else factory.agreements.own_requests()
    table(found, ["id", "state", "asked_at", "project", "person_name", "right", "purpose", "reason"], as_json=as_json)


@data.command("log")
@click.argument("name")
@project_option
@json_option
def log(name: str, project: str, *, as_json: bool) -> None:
    """Who opened your dataset, newest first. Then when each version was last verified."""
    vault = connect(project).vault
    found = vault.log(name, project=project)
    columns = ["opened_at", "number", "right", "person_name", "project", "job", "ended_at"]
    table(found, columns, as_json=as_json, empty="nobody")
    if not as_json:
        for one in vault.versions(name, project=project):
            when = f"{one.verified_at.astimezone():%Y-%m-%d %H:%M}" if one.verified_at else "not yet"
            say(f"@{one.number} last verified: {when}" + (f"; DAMAGED: {one.damage}" if one.damage else ""))


def _damaged(found: "Sequence[DatasetOut] | Sequence[VersionOut]") -> list[str]:
    """The column that says so, where anything is damaged."""
    return ["damage"] if any(one.damage for one in found) else []


for _one in (diff, tag, remove, bring_in, take_out, *ALL):
    data.add_command(_one)
