"""`fabriek power`: limits, and what is planned beneath them."""

from datetime import UTC, datetime, timedelta

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, say, show, table
from fabriek.cli.session import connect
from fabriek.kernel.clock import SystemClock
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import parse_seconds


@click.group(cls=Group)
def power() -> None:
    """Power limits and what is drawn."""


@power.command("show")
@json_option
def show_power(*, as_json: bool) -> None:
    """What may be drawn now, and what running jobs are planned to draw."""
    show(connect().jobs.power(), as_json=as_json)


@power.group("limit")
def limit() -> None:
    """The announced limits."""


@limit.command("add")
@click.option("--from", "starts", default="now", help="`now`, +15m, or an instant such as 2026-12-01T17:00+01:00.")
@click.option("--to", "ends", required=True, help="+2h, or an instant.")
@click.option("--kw", type=float, help="Kilowatts.")
@click.option("--watts", type=int, help="The same, in watts.")
@click.option("--source", default="operator", help="Who announced it.")
@json_option
def add(starts: str, ends: str, kw: float | None, watts: int | None, source: str, *, as_json: bool) -> None:
    """Announce a limit: jobs that would draw above it wait."""
    if (kw is None) == (watts is None):
        raise InvalidInput("a limit needs one figure", fix="add --kw or --watts")
    now = SystemClock().now()
    made = connect().jobs.limit_power(
        starts_at=_instant(starts, now),
        ends_at=_instant(ends, now),
        watts=watts if watts is not None else round((kw or 0) * 1000),
        source=source,
    )
    show(made, as_json=as_json)


@limit.command("ls")
@json_option
def ls(*, as_json: bool) -> None:
    """The limits that are in force or to come."""
    table(
        connect().jobs.power().limits,
        ["id", "starts_at", "ends_at", "watts", "source"],
        as_json=as_json,
        empty="no limits",
    )


@limit.command("end")
@click.argument("name", metavar="LIMIT")
def end(name: str) -> None:
    """Take a limit back, from now on."""
    say(f"ended {connect().jobs.end_power_limit(name).id}")


def _instant(text: str, now: datetime) -> datetime:
    if text == "now":
        return now
    if text.startswith("+"):
        return now + timedelta(seconds=parse_seconds(text[1:]))
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not an instant", fix="write 2026-12-01T17:00+01:00, now, or +2h") from None
    return read.astimezone(UTC)
