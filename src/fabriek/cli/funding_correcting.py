"""`fabriek funding charge, correct`: what a job or a reading was charged, and setting it right."""

import click

from fabriek.cli.funding import funding
from fabriek.cli.output import json_option, show
from fabriek.cli.session import connect

CHARGE = "JOB|READING|POSTING"


@funding.command("charge")
@click.argument("charge", metavar=CHARGE)
@json_option
def charge(charge: str, *, as_json: bool) -> None:
    """What was charged for a job or a reading, and what it stands at behind its corrections."""
    show(connect().funding.charge(charge), as_json=as_json)


@funding.command("correct")
@click.argument("charge", metavar=CHARGE)
@click.option(
    "--used", required=True, metavar="AMOUNT", help="What it should have been, such as 3.5; 0 takes it all back."
)
@click.option("--reason", required=True, help="Why; it is kept with the correction.")
@json_option
def correct(charge: str, used: str, reason: str, *, as_json: bool) -> None:
    """Set a charge right by a counter-entry. The difference goes back to who paid, or is charged to them; reports show it as corrected."""
    show(connect().funding.correct(charge, used, reason), as_json=as_json)
