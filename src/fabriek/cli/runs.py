"""`fabriek runs`: what runs logged."""

import click

from fabriek.cli.groups import Headed
from fabriek.cli.runs_exchange import export, import_runs

HEADINGS = {
    "Exchange": ("import", "export"),
}


@click.group(cls=Headed, headings=HEADINGS)
def runs() -> None:
    """What runs logged: find, compare, bring in from MLflow, take along."""


runs.add_command(import_runs)
runs.add_command(export)
