"""The tables as files: Parquet, for who reckons on, or CSV. Neither holds anything that would differ the next time."""

import csv
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from fabriek.compute.simulator.reporting.tables import Table
from fabriek.kernel.spreadsheets import shown_cell

ROWS_AT_ONCE = 100_000


def write_parquet(tables: Iterable[Table], folder: Path) -> bool:
    """One file each; whether pyarrow is there to write them."""
    try:
        import pyarrow as pa  # noqa: PLC0415  # an extra of its own
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        return False
    types = {
        str: pa.string(),
        bool: pa.bool_(),
        int: pa.int64(),
        float: pa.float64(),
        datetime: pa.timestamp("us", tz="UTC"),
    }
    for table in tables:
        schema = pa.schema([(name, types[kind]) for name, kind in table.kinds.items()])
        with pq.ParquetWriter(folder / f"{table.name}.parquet", schema, compression="zstd") as out:
            for first in range(0, len(table.rows), ROWS_AT_ONCE):
                rows = table.rows[first : first + ROWS_AT_ONCE]
                columns = list(zip(*rows, strict=True))
                arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
                out.write_table(pa.table(arrays, schema=schema))
    return True


def write_csv(table: Table, folder: Path) -> None:
    """Words of others as text, whatever a spreadsheet would make of them."""
    with (folder / f"{table.name}.csv").open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(table.kinds)
        rows.writerows([_cell(value) for value in row] for row in table.rows)


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return shown_cell(value)
    return value.isoformat() if isinstance(value, datetime) else value
