"""`fabriek funding export`: the ledger as a file, and whether such a file is whole."""

from pathlib import Path

import click

from fabriek.cli.funding import funding
from fabriek.cli.output import json_option, print_json, say
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput

file_type = click.Path(path_type=Path, dir_okay=False)


@funding.command("export")
@click.option("--quarter", default="", metavar="2026Q4", help="Of one quarter; default: all.")
@click.option("--csv", "as_csv", type=file_type, metavar="FILE", help="For a spreadsheet; no cell is a formula.")
@click.option("--jsonl", type=file_type, metavar="FILE", help="For programs, a JSON object a line.")
@json_option
def export(quarter: str, as_csv: Path | None, jsonl: Path | None, *, as_json: bool) -> None:
    """Write the ledger into a new file. Its last line says how many entries there are, their sums, and the SHA-256 of all before it."""
    file = as_csv or jsonl
    if file is None or (as_csv and jsonl):
        raise InvalidInput("an export is one file", fix="fabriek funding export --csv ledger.csv")
    _tell(file, connect().funding.export(file, quarter=quarter, form="csv" if as_csv else "jsonl"), as_json=as_json)


@funding.command("check-export")
@click.argument("file", type=file_type)
@json_option
def check_export(file: Path, *, as_json: bool) -> None:
    """Check that an exported ledger is whole, without any server; leaves with 10 where it is not."""
    from fabriek.sdk.ledger_file import check_export as check  # noqa: PLC0415  # for this one command

    _tell(file, check(file), as_json=as_json)


def _tell(file: Path, manifest: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(file), **manifest})
    else:
        say(f"{file}: {manifest['entries']} entries of {manifest['quarter']}, whole; they sum to zero in each resource")
