"""`fabriek report funder` and `fabriek report public`: what became of the credits, for those who pay and for all."""

from pathlib import Path

import click

from fabriek.cli.output import clean, json_option, print_json, say, table
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.reporting import ReportLineOut, ReportOut

FILE = click.Path(path_type=Path)


@click.command("funder")
@click.argument("share", metavar="NAME")
@click.option("--quarter", required=True, metavar="QUARTER", help="Such as 2026Q4.")
@click.option("--csv", "to_csv", type=FILE, metavar="FILE", help="Write it for a spreadsheet to this file.")
@click.option("--pdf", "to_pdf", type=FILE, metavar="FILE", help="Write it with charts as PDF to this file.")
@click.option("--entries", "row", default="", metavar="ROW", help="The ledger's lines behind a row: used, or used.sector.health.")  # fmt: skip
@click.option("--resource", default="gpu_hour", help="Of which resource, with --entries.")
@json_option
def funder(
    share: str, quarter: str, to_csv: Path | None, to_pdf: Path | None, row: str, resource: str, *, as_json: bool
) -> None:
    """What the share NAME (or a funder's) brought, awarded and used in a quarter, and for whom."""
    reporting = connect().reporting
    if row:
        _entries(share, quarter, row, resource, as_json=as_json)
        return
    if to_csv is not None:
        _write(to_csv, reporting.funder_csv(share, quarter), "--csv")
    if to_pdf is not None:
        _write(to_pdf, reporting.funder_pdf(share, quarter), "--pdf")
    if as_json or not (to_csv or to_pdf):
        found = reporting.funder(share, quarter)
        print_json(found) if as_json else _tell(found)


@click.command("public")
@click.option("--year", required=True, type=click.IntRange(2000, 9998), help="The year that it is about.")
@click.option("--pdf", "to_pdf", type=FILE, metavar="FILE", help="Write it as PDF to this file.")
@json_option
def public(year: int, to_pdf: Path | None, *, as_json: bool) -> None:
    """One page about a year for parliament and press, in plain Dutch."""
    reporting = connect().reporting
    if to_pdf is not None:
        _write(to_pdf, reporting.public_pdf(year), "--pdf")
    if as_json or to_pdf is None:
        page = reporting.public(year)
        if as_json:
            print_json(page)
        else:
            click.echo(clean(page.text), nl=False)


def _entries(share: str, quarter: str, row: str, resource: str, *, as_json: bool) -> None:
    pages = list(connect().reporting.entries(share, quarter, row, resource))
    lines = [one for page in pages for one in page.items]
    first = pages[0]
    if as_json:
        print_json(first.model_copy(update={"items": lines, "after": ""}))
        return
    table(lines, ["at", "account", "amount", "memo", "job", "transaction"], as_json=False, empty="no line to show")
    if first.folded_lines:
        say(f"{first.folded} in {first.folded_lines} lines that are not shown one by one: they would tell of single organisations")  # fmt: skip
    say(f"{row}: {first.total} {resource} in all")


def _tell(found: ReportOut) -> None:
    say(f"share {found.share}, {found.period} ({found.first} to {found.last}){', which has not ended' if found.is_open else ''}")  # fmt: skip
    say(f"{found.organisations} organisations helped, {found.smes} of them small or medium-sized; {found.projects} projects")  # fmt: skip
    say(f"energy {found.energy_kwh} kWh and {found.co2_kg} kg of CO2, estimated; "
        f"value in kind {found.value_euro} euro, by rates of this installation")  # fmt: skip
    for line in found.lines:
        _tell_line(line)


def _tell_line(line: ReportLineOut) -> None:
    say("")
    say(line.resource)
    width = max(len(row) for row in line.rows)
    for row, amount in line.rows.items():
        say(f"  {row.replace('_', ' '):<{width}}  {amount}")
    if line.waited_mean_seconds is not None:
        say(f"  waited {line.waited_mean_seconds} s on average, 95 of 100 of {line.jobs} jobs at most {line.waited_p95_seconds} s")  # fmt: skip
    for dimension, groups in line.groups.items():
        told = ", ".join(f"{one.word} {one.used}" for one in groups)
        if told:
            say(f"  used by {dimension}: {told}")


def _write(file: Path, content: bytes, option: str) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}", fix=f"{option} with another file") from None
    say(f"{file}: {len(content)} bytes")


def register(group: click.Group) -> None:
    group.add_command(funder)
    group.add_command(public)
