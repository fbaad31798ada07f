"""Whose work the accounts of a site are: a TOML file that the operator writes."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.foreign import MappedIn

EXAMPLE = '[[account]] name = "astro" project = "galaxies"'


@dataclass(frozen=True, slots=True)
class Mapping:
    """`zone`: of the times in a table; `cluster`: where the dump names none."""

    zone: ZoneInfo
    cluster: str
    accounts: tuple[MappedIn, ...]


def read_mapping(path: Path) -> Mapping:
    """Raises InvalidInput, naming the row, on what is not TOML or has an unknown word: a misspelt project must not be silently nobody."""
    try:
        plain = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"the map {path} cannot be read: {error}", fix=f"write it like {EXAMPLE}") from None
    rows = plain.pop("account", [])
    try:
        zone = ZoneInfo(str(plain.pop("zone", "UTC")))
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidInput("the map's zone is not one", fix='zone = "Europe/Amsterdam"') from None
    cluster = str(plain.pop("cluster", ""))
    if plain or not isinstance(rows, list) or not rows:
        unknown = f"has an unknown field {next(iter(plain))!r}" if plain else "has no [[account]]"
        raise InvalidInput(f"the map {path} {unknown}", fix=f"write it like {EXAMPLE}")
    return Mapping(zone, cluster, tuple(_row(row, number) for number, row in enumerate(rows, 1)))


def _row(row: Any, number: int) -> MappedIn:
    try:
        named = dict(row)
        return MappedIn.model_validate({"account": named.pop("name"), **named})
    except (KeyError, TypeError, ValueError, ValidationError):
        raise InvalidInput(
            f"[[account]] number {number} of the map is not right: it takes name, project, and perhaps cluster and purpose",
            fix=f"write it like {EXAMPLE}",
        ) from None
