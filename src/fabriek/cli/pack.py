"""`fabriek pack`: jobs packed for machines that we do not run, and what came back of them."""

from pathlib import Path

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, project_option, say, show, table
from fabriek.cli.session import connect
from fabriek.schemas.packs import PackOut


@click.group(cls=Group)
def pack() -> None:
    """Jobs packed for machines that we do not run.

    `fabriek run --pack DIR -- …` or `fabriek job pack JOB DIR` makes one.
    """


def tell(packed: PackOut, folder: Path, *, as_json: bool) -> int:
    """What became of packing."""
    if as_json:
        print_json(packed)
        return 0
    say(packed.id)
    say(f"packed into {folder}; label {packed.label}, purpose {packed.purpose.replace('_', ' ')}")
    if packed.stays:
        say(f"the data of its inputs is listed and stays here: {packed.stays}")
    say(f"run job.sh there, then: fabriek pack return {packed.id} results/ --site NAME")
    return 0


@pack.command("ls")
@project_option
@json_option
def ls(project: str, *, as_json: bool) -> None:
    """The project's packs, newest first."""
    table(
        connect(project).packs.list(),
        ["id", "name", "state", "packed_at", "label", "site", "exit_code"],
        as_json=as_json,
    )


@pack.command("show")
@click.argument("name", metavar="PACK")
@project_option
@json_option
def show_pack(name: str, project: str, *, as_json: bool) -> None:
    """One pack; its results are `output`: fabriek data pull OUTPUT DIR."""
    show(connect(project).packs.show(name), as_json=as_json)


@pack.command("return")
@click.argument("name", metavar="PACK")
@click.argument("results", metavar="RESULTS", type=click.Path(path_type=Path))
@click.option("--site", required=True, help="Where it ran, by your word.")
@click.option(
    "--usage",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What that site's sacct says of the job: its use is booked.",
)
@click.option("--zone", default="UTC", help="Of the times in FILE.")
@project_option
@json_option
def take_back(
    name: str, results: Path, site: str, usage: Path | None, zone: str, project: str, *, as_json: bool
) -> None:
    """Seal what the job made elsewhere: RESULTS is the folder that job.sh left, or a tar of it. The same once more changes nothing."""
    factory = connect(project)
    used = factory.foreign.one_job(usage, zone=zone, cluster=site) if usage else None
    back = factory.packs.take_back(name, results, site, usage=used)
    if as_json:
        print_json(back)
        return
    say(f"{back.id} came back from {back.site} with exit code {back.exit_code}; nobody here saw it run")
    say(f"its results: fabriek data pull {back.output} DIR")


@pack.command("withdraw")
@click.argument("name", metavar="PACK")
@project_option
@json_option
def withdraw(name: str, project: str, *, as_json: bool) -> None:
    """Take nothing back from a pack any more."""
    show(connect(project).packs.withdraw(name), as_json=as_json)


@pack.command("statement")
@click.argument("name", metavar="PACK")
@project_option
def statement(name: str, project: str) -> None:
    """The signed statement: of what came back, or of the pack while nothing has."""
    print_json(connect(project).packs.statement(name))
