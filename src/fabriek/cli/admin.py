"""`fabriek admin`: what operators do to the machine beneath, while it runs."""

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, say
from fabriek.cli.session import connect


@click.group(cls=Group)
def admin() -> None:
    """For operators: the machine beneath."""


@admin.group("slurm")
def slurm() -> None:
    """The cluster that runs the jobs."""


@slurm.command("sync")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@json_option
def sync(*, dry_run: bool, as_json: bool) -> int:
    """Bring Slurm's accounts and users in step with projects and their members; leaves with 1 when something is left."""
    found = connect().jobs.sync_accounts(dry_run=dry_run)
    if as_json:
        print_json(found)
    else:
        for line in found.planned if dry_run else found.done:
            say(f"would {line}" if dry_run else line)
        for line in found.left:
            say(f"left: {line}")
        if not (found.planned or found.left):
            say("in step already")
    return int(bool(found.left))
