"""`fabriek funding contributions, apply, grant …`: how far money is, what each quarter brings, and what the caps leave."""

from datetime import datetime

import click

from fabriek.cli.funding import DAY, funding
from fabriek.cli.output import json_option, print_json, say, show, table
from fabriek.cli.session import connect

on_option = click.option("--on", type=DAY, metavar="YYYY-MM-DD", help="From that day on; default: today.")


@funding.command("contributions")
@json_option
def contributions(*, as_json: bool) -> None:
    """Every contribution, and how far it is: applied, granted, received or withdrawn."""
    columns = ["id", "funder", "kind", "amount_euro", "state", "granted_on", "received_on", "withdrawn_on"]
    table(connect().funding.contributions(), columns, as_json=as_json)


@funding.command("apply")
@click.argument("funder", metavar="ORGANISATION")
@click.option("--kind", required=True, help="eu, national, regional, defence or private.")
@click.option("--euro", required=True, type=click.IntRange(1), help="The sum, in whole euros.")
@click.option("--name", default="", help="The share's name; default: the organisation's.")
@json_option
def apply(funder: str, kind: str, euro: int, name: str, *, as_json: bool) -> None:
    """Record money that is asked for. It makes no share until it is granted."""
    show(connect().funding.apply(funder, kind, euro, name=name), as_json=as_json)


@funding.command("grant")
@click.argument("contribution", metavar="ID")
@on_option
@json_option
def grant(contribution: str, on: datetime | None, *, as_json: bool) -> None:
    """Money that was applied for is granted: from that day on it makes a share."""
    _step(contribution, "granted", on, as_json=as_json)


@funding.command("receive")
@click.argument("contribution", metavar="ID")
@on_option
@json_option
def receive(contribution: str, on: datetime | None, *, as_json: bool) -> None:
    """Money that was granted is on the account."""
    _step(contribution, "received", on, as_json=as_json)


@funding.command("withdraw")
@click.argument("contribution", metavar="ID")
@on_option
@json_option
def withdraw(contribution: str, on: datetime | None, *, as_json: bool) -> None:
    """The money does not come, or goes: from that day on it makes no share. What is awarded and billed stays."""
    _step(contribution, "withdrawn", on, as_json=as_json)


def _step(contribution: str, to: str, on: datetime | None, *, as_json: bool) -> None:
    show(connect().funding.step(contribution, to, on=on.date() if on else None), as_json=as_json)


@funding.command("quarter")
@click.argument("quarter", default="", metavar="[QUARTER]")
@json_option
def quarter(quarter: str, *, as_json: bool) -> None:
    """What a quarter, such as 2026Q4, brought each share, and what became of it; default: this one."""
    found = connect().funding.quarter(quarter)
    if as_json:
        print_json(found)
        return
    say(f"{found.quarter}: {found.first} to {found.last}")
    columns = ["share", "resource", "entitled", "began", "brought", "awarded", "lapsed", "carried"]
    table(found.rows, columns, as_json=False, empty="nothing came in this quarter")


@funding.command("caps")
@json_option
def caps(*, as_json: bool) -> None:
    """Each cap in force, and what each share has left of it."""
    table(connect().funding.caps(), ["cap", "share", "says", "bound", "awarded", "left", "resource"], as_json=as_json)
