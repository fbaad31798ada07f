"""`fabriek usage`: what was measured of projects: their storage and tokens here, and all that they used at sites that we do not run."""

from pathlib import Path

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import counted, json_option, print_json, project_option, say, show, table
from fabriek.cli.session import connect

FILE = click.Path(path_type=Path)


@click.group(cls=Group)
def usage() -> None:
    """What was measured: storage and tokens here, and what projects used at sites that we do not run."""


@usage.command("import")
@click.argument("file", metavar="FILE", type=FILE)
@click.option("--site", required=True, help="The site whose accounts these are: a short name of yours.")
@click.option("--map", "mapping", required=True, type=FILE, help="A TOML file that says whose each account is.")
@click.option("--dry-run", is_flag=True, help="Say what it would come to, and book nothing.")
@json_option
def import_file(file: Path, site: str, mapping: Path, *, dry_run: bool, as_json: bool) -> None:
    """Book what FILE says: `sacct --parsable2` with its header, or `sacct --json`. The same file again changes nothing.

    Lines that cannot be booked are kept apart with the reason: `fabriek usage quarantine IMPORT`.
    """
    foreign = connect().foreign
    if dry_run:
        _preview(file, site, mapping, as_json=as_json)
        return
    dump = foreign.import_sacct(file, site, mapping)
    show(dump, as_json=as_json)
    if dump.quarantined and not as_json:
        say(f"{counted(dump.quarantined, 'line')} could not be booked: fabriek usage quarantine {dump.id}")


def _preview(file: Path, site: str, mapping: Path, *, as_json: bool) -> None:
    told = connect().foreign.preview_sacct(file, site, mapping)
    totals = [
        {"project": project, "resource": resource, "used": str(used)}
        for (project, resource), used in sorted(told.used.items())
    ]
    refused = len(told.refused) + told.refused_more
    if as_json:
        counts = {name: getattr(told, name) for name in ("lines_in", "booked", "known", "skipped")}
        print_json({**counts, "quarantined": refused, "totals": totals, "refused": told.refused})
        return
    say(
        f"{counted(told.lines_in, 'line')}: {told.booked} would be booked, {told.known} are known, {told.skipped} are no job's use, "
        f"{refused} would be quarantined"
    )
    table(totals, ["project", "resource", "used"], as_json=False, empty="nothing would be booked")
    for line in told.refused:
        say(f"line {line.line}: {line.reason}")
    if told.refused_more:
        say(f"and {told.refused_more} more")


@usage.command("foreign")
@click.option("--all", "everybody", is_flag=True, help="Every project, for funders and the operator.")
@project_option
@json_option
def foreign(project: str, *, everybody: bool, as_json: bool) -> None:
    """What the project used at other sites. `over` is what no allocation covered."""
    found = connect(project).foreign.usage(everybody=everybody)
    table(found, ["project", "site", "resource", "jobs", "used", "over"], as_json=as_json)


@usage.command("readings")
@project_option
@json_option
def readings(project: str, *, as_json: bool) -> None:
    """What was measured of the project's storage and tokens, newest first. `over` is what nothing was ever awarded for."""
    found = connect(project).funding.readings()
    table(
        found,
        ["at", "resource", "amount", "charged", "owed", "over"],
        as_json=as_json,
        empty="nothing was measured yet",
    )


@usage.command("imports")
@json_option
def imports(*, as_json: bool) -> None:
    """Imports, newest first."""
    columns = ["id", "site", "file", "opened_at", "lines_in", "booked", "known", "skipped", "quarantined"]
    table(connect().foreign.imports(), columns, as_json=as_json)


@usage.command("quarantine")
@click.argument("dump", metavar="IMPORT")
@json_option
def quarantine(dump: str, *, as_json: bool) -> None:
    """The lines of an import that are not in the books, and why."""
    table([*connect().foreign.quarantine(dump)], ["line", "reason"], as_json=as_json, empty="none")
