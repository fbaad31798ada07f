"""Dated data: rates, rules and tables are rows with a source and a first day, in files that an operator can change."""

import tomllib
from collections.abc import Callable, Collection, Iterable
from datetime import date
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from typing import Any, Protocol, TypeVar

from fabriek.kernel.errors import InvalidInput


class Dated(Protocol):
    """A row that counts from a day on, until a newer one takes over."""

    @property
    def valid_from(self) -> date: ...


class Named(Dated, Protocol):
    """One of several that each change on days of their own."""

    @property
    def name(self) -> str: ...


D = TypeVar("D", bound=Dated)
N = TypeVar("N", bound=Named)
T = TypeVar("T")


def in_force(rows: Iterable[D], on: date) -> D | None:
    """The newest row whose day has come; the last written of two with the same day. None before the first."""
    come = [row for row in rows if row.valid_from <= on]
    newest = max((row.valid_from for row in come), default=None)
    return next((row for row in reversed(come) if row.valid_from == newest), None)


def by_name(rows: Iterable[N], on: date) -> dict[str, N]:
    """Of each name the row that is in force, in the order of the file; a name whose first day has not come is left out."""
    of: dict[str, list[N]] = {}
    for row in rows:
        of.setdefault(row.name, []).append(row)
    found = {name: in_force(some, on) for name, some in of.items()}
    return {name: row for name, row in found.items() if row is not None}


def read_rows(
    text: str, head: str, make: Callable[[dict[str, Any]], T], *, beside: Collection[str] = ()
) -> tuple[T, ...]:
    """Every `[[head]]` of a TOML text as `make` builds it, in the order of the file. Fractions arrive as Decimal.
    beside: heads that may stand there too, or instead; given, any other is a slip.

    Raises InvalidInput, naming the row, on what is not TOML, lacks source or valid_from, or `make` cannot read:
    an operator wrote this file, so a slip in it is theirs to mend and not a fault of Fabriek.
    """
    try:
        said = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as slip:
        raise InvalidInput(f"the data file is not TOML: {slip}", fix="mend the file at that line") from None
    known = (head, *beside)
    if beside and (unknown := sorted(set(said) - set(known))):
        raise InvalidInput(f"the data file has no place for {unknown[0]!r}", fix=f"write [[{']] or [['.join(known)}]]")
    rows = said.get(head, [])
    if head not in said and any(one in said for one in beside):
        return ()
    if not isinstance(rows, list) or not rows:
        raise InvalidInput(f"the data file has no [[{head}]]", fix=f"add one [[{head}]] for each row")
    return tuple(_read_row(row, f"[[{head}]] number {number}", make) for number, row in enumerate(rows, 1))


def _read_row(row: Any, where: str, make: Callable[[dict[str, Any]], T]) -> T:
    if not isinstance(row, dict) or type(row.get("valid_from")) is not date:
        raise InvalidInput(f"{where} has no day in valid_from", fix="write valid_from = 2026-01-01")
    if not isinstance(row.get("source"), str) or not row["source"].strip():
        raise InvalidInput(f"{where} names no source", fix="say where the figure comes from in source")
    try:
        return make(row)
    except KeyError as missing:
        raise InvalidInput(f"{where} lacks {missing}", fix="add the field") from None
    except (TypeError, ValueError, InvalidOperation) as slip:
        raise InvalidInput(f"{where} cannot be read: {slip}", fix="mend the field") from None


def shipped(package: str, name: str) -> str:
    """The text of a data file that comes with Fabriek: `shipped("fabriek.funding", "rates.toml")`."""
    return files(package).joinpath("data", name).read_text(encoding="utf-8")
