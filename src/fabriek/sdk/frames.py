"""Runs and their points as tables for pandas and Arrow, which need not be installed for anything else."""

import io
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from fabriek.kernel.errors import Unavailable
from fabriek.schemas.lab import RunOut

FIELDS = ("id", "name", "experiment", "experiment_name", "status", "label", "job", "person", "started_at", "ended_at")


def of_runs(runs: Sequence[RunOut], *, arrow: bool) -> Any:
    """A row for each run, wide. What a run did not log is missing there; a NaN that it did log is one."""
    columns: dict[str, list[Any]] = {field: [getattr(run, field) for run in runs] for field in FIELDS}
    for kind in ("metrics", "params", "tags"):
        for key in sorted({key for run in runs for key in getattr(run, kind)}):
            columns[f"{kind}.{key}"] = [getattr(run, kind).get(key) for run in runs]
    if not arrow:
        return _library("pandas").DataFrame(columns)
    pyarrow = _library("pyarrow")
    types = {field: pyarrow.string() for field in FIELDS} | dict.fromkeys(
        ("started_at", "ended_at"), pyarrow.timestamp("us", "UTC")
    )
    fields = [
        (name, types.get(name) or (pyarrow.float64() if name.startswith("metrics.") else pyarrow.string()))
        for name in columns
    ]
    return pyarrow.table(columns, schema=pyarrow.schema(fields))


def of_history(pieces: Iterable[bytes], *, arrow: bool) -> Any:
    """key, at_ms, step, value: whole numbers stay whole, and values are those that were logged, to the bit."""
    if arrow:
        pyarrow, reader = _library("pyarrow"), _library("pyarrow.csv")
        kinds = {"key": pyarrow.string(), "at_ms": pyarrow.int64(), "step": pyarrow.int64(), "value": pyarrow.float64()}
        # Of the words for nothing none is one here: nan is a number that was measured.
        convert = reader.ConvertOptions(column_types=kinds, null_values=[], strings_can_be_null=False)
        return reader.read_csv(io.BytesIO(b"".join(pieces)), convert_options=convert)
    frame = _library("pandas").read_csv(
        io.BytesIO(b"".join(pieces)),
        dtype={"key": "str", "at_ms": "int64", "step": "int64", "value": "str"},
        keep_default_na=False,
    )
    # Python's own reading of a number is exact; pandas' is, or is not, by its release.
    frame["value"] = _library("numpy").fromiter(map(float, frame["value"]), dtype="float64", count=len(frame))
    return frame


def _library(name: str) -> Any:
    """Raises Unavailable where it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise Unavailable(f"{package} is not installed here", fix=f"pip install {package}") from error
