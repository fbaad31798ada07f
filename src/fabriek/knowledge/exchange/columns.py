"""The columns of a table in a file, where their names and types are known: of CSV and TSV by reading all of it, of Parquet by its own end."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any

TEXT_BYTES_MAX = 4 * 2**20
"""Of a longer file only the names of its columns are told: a type that was seen in a part of it may not hold in the rest."""

HEAD_BYTES = 64 * 2**10
COLUMNS_MAX = 1_000
NAME_CHARACTERS_MAX = 200
FOOTER_BYTES_MAX = 4 * 2**20
FOOTER_END_BYTES = 8

Read = Callable[[int, int], bytes]
"""The file's bytes start ≤ position < stop."""

INTEGER = re.compile(r"[+-]?\d{1,18}")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
SEPARATORS = {"csv": ",", "tsv": "\t"}


@dataclass(frozen=True, slots=True)
class Column:
    """`type`: of schema.org, as Croissant names them: `sc:Integer`, `sc:Float`, `sc:Boolean`, `sc:Date`, `sc:Text`."""

    name: str
    type: str


def columns_of(path: str, size: int, read: Read) -> Sequence[Column]:
    """In their order; none where the file is no table that we know how to read."""
    ending = path.rpartition(".")[2].lower()
    if ending in SEPARATORS:
        whole = size <= TEXT_BYTES_MAX
        return _of_text(read(0, size if whole else HEAD_BYTES), SEPARATORS[ending], is_whole=whole)
    return _of_parquet(size, read) if ending == "parquet" else ()


def _of_text(content: bytes, separator: str, *, is_whole: bool) -> Sequence[Column]:
    if not is_whole:
        content = content[: content.rfind(b"\n") + 1]
    try:
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=separator, strict=True)
        names = next(rows, [])
        if not _are_names(names):
            return ()
        kinds = [_Kind() for _ in names]
        for row in rows:
            if len(row) != len(names):
                if not row:
                    continue
                return ()
            for kind, said in zip(kinds, row, strict=True):
                kind.take(said)
    except (csv.Error, UnicodeDecodeError):
        return ()
    return [Column(name, kind.type if is_whole else "sc:Text") for name, kind in zip(names, kinds, strict=True)]


def _are_names(names: Sequence[str]) -> bool:
    """Whether a first line is a head: numbers are no names, and neither is the same word twice."""
    fit = all(name.strip() == name and 0 < len(name) <= NAME_CHARACTERS_MAX and name.isprintable() for name in names)
    return (
        0 < len(names) <= COLUMNS_MAX
        and len(set(names)) == len(names)
        and fit
        and not any(map(NUMBER.fullmatch, names))
    )


class _Kind:
    """Of a column in text: the narrowest type that holds for all its cells."""

    def __init__(self) -> None:
        self._seen, self._fits = False, {"sc:Integer", "sc:Float", "sc:Boolean", "sc:Date"}
        self._gaps = False

    def take(self, said: str) -> None:
        if not said:
            self._gaps = True
            return
        self._seen = True
        if not self._fits:
            return
        held = {
            "sc:Integer": INTEGER.fullmatch(said) is not None,
            "sc:Float": NUMBER.fullmatch(said) is not None,
            "sc:Boolean": said in {"True", "False", "true", "false"},
            "sc:Date": _is_day(said),
        }
        self._fits = {one for one in self._fits if held[one]}

    @property
    def type(self) -> str:
        """Whole numbers with gaps are read as fractions everywhere, and truths with gaps as text."""
        order = ("sc:Float", "sc:Date") if self._gaps else ("sc:Integer", "sc:Float", "sc:Boolean", "sc:Date")
        return next((one for one in order if self._seen and one in self._fits), "sc:Text")


def _is_day(said: str) -> bool:
    if DAY.fullmatch(said) is None:
        return False
    try:
        date.fromisoformat(said)
    except ValueError:
        return False
    return True


def _of_parquet(size: int, read: Read) -> Sequence[Column]:
    """By pyarrow, where it is installed. The end of a file says how long its list of columns is; more than that is not read."""
    try:
        parquet, arrow = import_module("pyarrow.parquet"), import_module("pyarrow")
    except ImportError:
        return ()
    end = read(max(0, size - FOOTER_END_BYTES), size)
    footer = int.from_bytes(end[:4], "little") + FOOTER_END_BYTES if end[4:] == b"PAR1" else 0
    if not FOOTER_END_BYTES < footer <= min(size - 4, FOOTER_BYTES_MAX):
        return ()
    # What stands before its end is never looked at for the columns alone.
    told = b"PAR1" + read(size - footer, size)
    try:
        schema = parquet.read_schema(arrow.BufferReader(told))
    except (arrow.ArrowException, OSError, ValueError):
        return ()
    names = list(schema.names)
    if len(set(names)) != len(names) or len(names) > COLUMNS_MAX:
        return ()
    found = [Column(name, kind) for name, kind in zip(names, map(_of_arrow, schema.types), strict=True) if kind]
    return [one for one in found if one.name.isprintable() and 0 < len(one.name) <= NAME_CHARACTERS_MAX]


def _of_arrow(kind: Any) -> str:
    """Empty for lists and what is made of parts."""
    types = import_module("pyarrow.types")
    for is_one, said in (
        (types.is_integer, "sc:Integer"), (types.is_floating, "sc:Float"), (types.is_boolean, "sc:Boolean"), (types.is_temporal, "sc:Date"),
        (types.is_string, "sc:Text"), (types.is_large_string, "sc:Text"),
    ):  # fmt: skip
        if is_one(kind):
            return said
    return ""
