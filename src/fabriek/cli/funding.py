"""`fabriek funding`: contributions, shares, allocations and the ledger."""

from datetime import datetime

import click

from fabriek.cli.funding_policy import policy
from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, say, show, table
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput

DAY = click.DateTime(["%Y-%m-%d"])


@click.group(cls=Group)
def funding() -> None:
    """Contributions, shares, allocations and the ledger."""


funding.add_command(policy)


@funding.command("contribute")
@click.argument("funder", metavar="ORGANISATION")
@click.option("--kind", required=True, help="eu, national, regional, defence or private.")
@click.option("--euro", required=True, type=click.IntRange(1), help="The sum, in whole euros.")
@click.option(
    "--hours", "hours", multiple=True, metavar="RESOURCE=HOURS", help="What it brings: gpu_hour=50000; repeatable."
)
@click.option("--name", default="", help="The share's name; default: the organisation's.")
@json_option
def contribute(funder: str, kind: str, euro: int, hours: tuple[str, ...], name: str, *, as_json: bool) -> None:
    """Record money that was granted, and the hours that it brings."""
    show(
        connect().funding.contribute(funder, kind, euro, dict(_hours(one) for one in hours), name=name), as_json=as_json
    )


@funding.command("shares")
@click.option("--on", type=DAY, metavar="YYYY-MM-DD", help="The parts of that day; default: today.")
@json_option
def shares(on: datetime | None, *, as_json: bool) -> None:
    """Every share, with its part of the machine, its group and what both may use at most, in millionths."""
    found = connect().funding.shares(on=on.date() if on else None)
    table(found, ["name", "funder", "kind", "part", "group", "ceiling", "group_ceiling"], as_json=as_json)


@funding.command("table")
@json_option
def totals(*, as_json: bool) -> None:
    """Granted, awarded, held and used, per share; and whether the ledger sums to zero."""
    found = connect().funding.table()
    if as_json:
        print_json(found)
        return
    table(found.rows, ["share", "resource", "granted", "unawarded", "unspent", "held", "used"], as_json=False)
    say("the ledger sums to zero" if found.balanced else "THE LEDGER DOES NOT SUM TO ZERO")


@funding.command("allocations")
@json_option
def allocations(*, as_json: bool) -> None:
    """Every allocation."""
    table(connect().funding.allocations(), ["id", "project", "share", "starts_on", "ends_on"], as_json=as_json)


@funding.command("award")
@click.argument("application")
@click.option("--share", default="", help="From which share; default: the one that fits best.")
@click.option(
    "--out-of-turn", default="", metavar="REASON", help="Why it goes before those that wait for the same share."
)
@click.option(
    "--project", default="", help="A project that its applicant leads and that goes on with it; default: a new one."
)
@click.option("--director", is_flag=True, help="Out of the director's part of the share.")
@json_option
def award(application: str, share: str, out_of_turn: str, project: str, *, director: bool, as_json: bool) -> None:
    """Turn an eligible application into a project with an allocation."""
    made = connect().funding.award(
        application, share=share, director=director, out_of_turn=out_of_turn, project=project
    )
    show(made, as_json=as_json)


@funding.command("rates")
@click.option("--on", type=DAY, metavar="YYYY-MM-DD", help="On which day; default: today.")
@json_option
def rates(on: datetime | None, *, as_json: bool) -> None:
    """What an hour costs: the rates in force on a day."""
    table(
        connect().funding.rates(on=on.date() if on else None),
        ["resource", "kind", "costs", "nodes", "wall_hours_max", "valid_from", "source"],
        as_json=as_json,
        empty="no rate is in force on that day",
    )


@funding.command("entries")
@click.option("--account", default="", help="Only this account, such as share:shr_….")
@json_option
def entries(account: str, *, as_json: bool) -> None:
    """Lines of the ledger, newest first."""
    table(
        connect().funding.entries(account=account),
        ["at", "account", "resource", "amount", "memo", "job", "transaction"],
        as_json=as_json,
    )


@funding.command("extend")
@click.argument("project", metavar="PROJECT")
@click.option("--allocation", default="", help="Which, where the project has several; default: the one that ends last.")
@json_option
def extend(project: str, allocation: str, *, as_json: bool) -> None:
    """More time and a part more, as the call's rule gives them after an accepted interim report, once."""
    show(connect(project).duties.extend(project, allocation=allocation), as_json=as_json)


@funding.command("acknowledgement")
@click.argument("share")
@click.option("--text-nl", required=True, help="In Dutch; {hours}, {quarters}, {project} and {funder} are filled in.")
@click.option("--text-en", required=True, help="The same in English.")
@json_option
def acknowledgement(share: str, text_nl: str, text_en: str, *, as_json: bool) -> None:
    """Set how projects thank a funder; `fabriek project acknowledgement` shows it filled in."""
    show(connect().duties.set_acknowledgement(share, nl=text_nl, en=text_en), as_json=as_json)


@funding.command("capacity")
@json_option
def capacity(*, as_json: bool) -> None:
    """What was awarded of the machine, against what it gives until those days."""
    found = connect().reporting.capacity()
    if as_json:
        print_json(found)
        return
    rows = [{"resource": one.resource} | due.model_dump(mode="json") for one in found for due in one.dues]
    table(rows, ["resource", "on", "sold", "there", "percent", "is_over"], as_json=False)
    for one in found:
        if not one.is_known:
            say(f"{one.resource}: nothing says what the machine gives of it; a [[supply]] row of the policy would")


def _hours(text: str) -> tuple[str, int]:
    name, _, amount = text.partition("=")
    if not (amount.isascii() and amount.isdigit()):
        raise InvalidInput(f"--hours {text!r} names no whole number", fix=f"--hours {name}=1000")
    return name, int(amount)
