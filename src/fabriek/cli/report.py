"""`fabriek report`: reports that awards ask for, and about who paid for what."""

import click

from fabriek.cli import report_duties, report_funders
from fabriek.cli.groups import Group


@click.group("report", cls=Group)
def report() -> None:
    """Reports that awards ask for, and about who paid for what."""


report_duties.register(report)
report_funders.register(report)
