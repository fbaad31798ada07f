"""`fabriek power`: limits, and what is planned beneath them."""

import csv
from datetime import UTC, datetime, timedelta
from math import isfinite
from pathlib import Path

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import counted, json_option, say, show, table
from fabriek.cli.session import connect
from fabriek.kernel.clock import SystemClock
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.invalid import checked
from fabriek.kernel.units import parse_seconds
from fabriek.schemas.powering import GridMessageIn, PowerReadingIn

FILE = click.Path(path_type=Path)
QUARTER = ["at", "planned_watts", "drawn_watts", "drawn_from", "allowed_watts", "over"]


@click.group(cls=Group)
def power() -> None:
    """Power limits and what is drawn."""


@power.command("show")
@json_option
def show_power(*, as_json: bool) -> None:
    """What may be drawn now, what running jobs are planned to draw, and which step of the power ladder is taken, and why."""
    show(connect().jobs.power(), as_json=as_json)


@power.command("kinds")
@json_option
def kinds(*, as_json: bool) -> None:
    """Kinds of work that a job may say with --work: parts of the most that a GPU draws, and what a GPU here would."""
    columns = ["name", "part_mean", "part_highest", "watts_mean", "watts_highest", "machine", "valid_from"]
    table(connect().jobs.power_kinds(), columns, as_json=as_json, empty="no kinds of work")


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
        watts=watts if watts is not None else _watts(kw or 0),
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


@power.command("record")
@click.option("--from", "begins", default="-24h", help="`-24h`, or an instant such as 2026-12-01T00:00+01:00.")
@click.option("--to", "ends", default="now", help="`now`, or an instant.")
@click.option("--csv", "to_csv", type=FILE, metavar="FILE", help="Write it for a spreadsheet to this file.")
@json_option
def record(begins: str, ends: str, to_csv: Path | None, *, as_json: bool) -> None:
    """Planned, drawn and allowed watts of each quarter of an hour."""
    now = SystemClock().now()
    found = connect().jobs.power_record(_instant(begins, now), _instant(ends, now))
    if to_csv is None:
        table(found, QUARTER, as_json=as_json, empty="nothing is on record")
        return
    rows = [one.model_dump(mode="json") for one in found]
    try:
        with to_csv.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, QUARTER, lineterminator="\r\n", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise InvalidInput(f"{to_csv} cannot be written ({type(error).__name__})", fix="name another --csv") from None
    say(f"{counted(len(rows), 'quarter')} in {to_csv}")


@power.group("message")
def message() -> None:
    """What grid operators announced."""


@message.command("ls")
@json_option
def messages(*, as_json: bool) -> None:
    """The latest messages, and what each was answered."""
    columns = ["id", "received_at", "begins_at", "ends_at", "kw", "standing", "late", "answer"]
    table(connect().jobs.power_messages(), columns, as_json=as_json, empty="no messages")


@message.command("add")
@click.argument("name", metavar="ID")
@click.option("--from", "begins", help="From when on: an instant with its zone.")
@click.option("--to", "ends", help="Until when.")
@click.option("--kw", type=float, help="Kilowatts.")
@click.option("--replaces", default="", metavar="ID", help="The earlier message that this one changes.")
@click.option("--withdraws", is_flag=True, help="Take that one back.")
@json_option
def take(
    name: str, begins: str | None, ends: str | None, kw: float | None, replaces: str, *, withdraws: bool, as_json: bool
) -> None:
    """Bring in a message that came by telephone or mail, under the grid operator's ID for it."""
    now = SystemClock().now()
    said = {
        "id": name, "announced_at": now, "from": _instant(begins, now) if begins else None, "to": _instant(ends, now) if ends else None,
        "kw": kw, "replaces": replaces, "withdraws": withdraws,
    }  # fmt: skip
    with checked("fabriek power message add ID --from 2026-12-01T17:00+01:00 --to 2026-12-01T20:00+01:00 --kw 400"):
        wanted = GridMessageIn.model_validate(said)
    show(connect().jobs.take_power_message(wanted), as_json=as_json)


@power.group("meter")
def meter() -> None:
    """What meters read."""


@meter.command("read")
@click.argument("name", metavar="METER")
@click.option("--at", default="now", help="When: `now`, or an instant.")
@click.option("--watts", type=float, help="What it reads.")
@click.option("--kwh", type=float, help="Where its counter stands.")
@json_option
def read(name: str, at: str, watts: float | None, kwh: float | None, *, as_json: bool) -> None:
    """Send one reading of METER, as its program would."""
    if watts is None and kwh is None:
        raise InvalidInput("a reading has a figure", fix="add --watts or --kwh")
    with checked("fabriek power meter read METER --watts 41000"):
        reading = PowerReadingIn(meter=name, at=_instant(at, SystemClock().now()), watts=watts, kwh=kwh)
    show(connect().jobs.read_power_meter(reading), as_json=as_json)


def _watts(kw: float) -> int:
    """Raises InvalidInput on what is no amount."""
    if not isfinite(kw):
        raise InvalidInput(f"{kw} kW is no amount", fix="--kw 400")
    return round(kw * 1000)


def _instant(text: str, now: datetime) -> datetime:
    if text == "now":
        return now
    try:
        if text.startswith(("+", "-")):
            span = timedelta(seconds=parse_seconds(text[1:]))
            return now + span if text[0] == "+" else now - span
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(f"{text!r} is not an instant", fix="write 2026-12-01T17:00+01:00, now, or +2h") from None
