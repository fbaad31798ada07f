"""`fabriek funding auditor-link`, `auditor-links`: a look at the ledger for somebody without an account."""

from datetime import datetime

import click

from fabriek.cli.funding import DAY, funding
from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, say, show, table
from fabriek.cli.session import connect


@funding.command("auditor-link")
@click.option("--name", required=True, help="Who the auditor is; the list of links says so.")
@click.option("--email", required=True, help="The auditor's address.")
@click.option("--until", required=True, type=DAY, metavar="YYYY-MM-DD", help="The last day; it counts.")
@click.option("--quarter", default="", metavar="2026Q4", help="The only quarter that it opens; default: all.")
@json_option
def auditor_link(name: str, email: str, until: datetime, quarter: str, *, as_json: bool) -> None:
    """Make a link that shows an auditor ledger, quarters, policy and export, and nothing else. It is shown this once."""
    made = connect().auditing.make(name, email, until.date(), quarter=quarter)
    if as_json:
        print_json(made)
        return
    say(made.link)
    say(f"for {made.name}, until {until.date()}; end it before: fabriek funding auditor-links end {made.id}")


@funding.group("auditor-links", cls=Group, invoke_without_command=True)
@json_option
@click.pass_context
def auditor_links(context: click.Context, *, as_json: bool) -> None:
    """Auditors' links, newest first; the audit log names an auditor by the id."""
    if context.invoked_subcommand is None:
        columns = ["id", "name", "email", "quarter", "state", "made_at", "expires_at"]
        table(connect().auditing.list(), columns, as_json=as_json)


@auditor_links.command("end")
@click.argument("link", metavar="ID")
@json_option
def end(link: str, *, as_json: bool) -> None:
    """End a link now, in every browser in which it was opened."""
    show(connect().auditing.end(link), as_json=as_json)
