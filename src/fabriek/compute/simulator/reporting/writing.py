"""All of it into a folder: the page, the figures, and the tables as Parquet or, where nothing writes that, as CSV."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from fabriek.compute.simulator.figures import Figures
from fabriek.compute.simulator.recorded import Reading, in_order
from fabriek.compute.simulator.replay import Machine
from fabriek.compute.simulator.reporting.files import write_csv, write_parquet
from fabriek.compute.simulator.reporting.folders import PAGE
from fabriek.compute.simulator.reporting.page import page_of
from fabriek.compute.simulator.reporting.results import LeftOut, Report, Result
from fabriek.compute.simulator.reporting.tables import Table, tables_of

NO_PARQUET = "Parquet is written by pyarrow, which is not installed here: the tables were written as CSV"
PARQUET_BY = "pip install 'fabriek[reports]', and simulate again"


def report_of(trace: Path, reading: Reading, machine: Machine, results: Sequence[Result]) -> Report:
    """What is reported of a trace that was read and replayed."""
    left_out = tuple(LeftOut(why, count, reading.first.get(why, 0)) for why, count in reading.skipped.most_common())
    names = tuple(one.name for one in in_order(reading))
    with trace.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Report(trace.name, digest, machine, tuple(results), names, left_out, reading.guessed)


def write_report(report: Report, folder: Path) -> bool:
    """Whether the tables are Parquet."""
    (folder / PAGE).write_text(page_of(report), encoding="utf-8")
    write_csv(_figures([one.figures for one in report.results]), folder)
    tables = tables_of(report)
    if write_parquet(tables, folder):
        return True
    for table in tables:
        write_csv(table, folder)
    return False


def _figures(figures: Sequence[Figures]) -> Table:
    """One row each; shares are in the table of shares."""
    rows = [{name: value for name, value in asdict(one).items() if not isinstance(value, dict)} for one in figures]
    return Table(
        "figures", {name: type(value) for name, value in rows[0].items()}, [tuple(row.values()) for row in rows]
    )
