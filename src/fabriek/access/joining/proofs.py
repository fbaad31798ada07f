"""A proof: how an organisation shows that it is one. The number of the business register is one kind; a new firm takes another."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from fabriek.kernel.dated import read_rows, shipped
from fabriek.kernel.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Field:
    """`pattern` is of the whole text, empty for a day; `when`: past or future, for a day that must lie there. `free`: words, perhaps a
    person's name, which stay out of the audit log.
    """

    name: str
    pattern: str
    when: str
    example: str
    free: bool
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Kind:
    """`follows`: the field with the day by which something better comes; empty where nothing need."""

    name: str
    fields: Sequence[Field]
    follows: str
    help: Mapping[str, str]
    source: str
    valid_from: date


@dataclass(frozen=True, slots=True)
class Proof:
    """The newest of its organisation; those before it are in the audit log. `due_on`: when something better must have come."""

    organisation: str
    kind: str
    fields: Mapping[str, str]
    shown_by: str
    shown_at: datetime
    due_on: date | None = None

    def is_due(self, today: date) -> bool:
        return self.due_on is not None and self.due_on < today


def kinds_of(text: str) -> tuple[Kind, ...]:
    """The kinds of a data file. Raises InvalidInput, naming the row, on one that cannot be asked."""

    def read(row: dict[str, Any]) -> Kind:
        fields = tuple(_field(one) for one in row["fields"])
        follows = row.get("follows", "")
        if follows and follows not in {one.name for one in fields if not one.pattern}:
            raise ValueError(f"follows names {follows!r}, which is no day among its fields")
        return Kind(row["name"], fields, follows, _texts(row["help"]), row["source"], row["valid_from"])

    return read_rows(text, "proof", read)


@cache
def kinds() -> Mapping[str, Kind]:
    """Those that come with Fabriek, by name."""
    return {one.name: one for one in kinds_of(shipped("fabriek.access", "proofs.toml"))}


def kind_named(name: str) -> Kind:
    """Raises InvalidInput with the kinds that there are."""
    if (found := kinds().get(name)) is None:
        raise InvalidInput(f"{name[:40]!r} is not a kind of proof", fix=f"one of {', '.join(kinds())}")
    return found


def read_fields(kind: Kind, given: Mapping[str, str], today: date) -> dict[str, str]:
    """What was given, checked and trimmed. Raises InvalidInput naming the field, with an example."""
    if unknown := sorted(given.keys() - {one.name for one in kind.fields}):
        names = ", ".join(one.name for one in kind.fields)
        raise InvalidInput(
            f"a proof of the kind {kind.name} has no field {unknown[0][:40]!r}", fix=f"its fields: {names}"
        )
    return {one.name: _read(one, given.get(one.name, "").strip(), today) for one in kind.fields}


def due_on(kind: Kind, fields: Mapping[str, str]) -> date | None:
    return date.fromisoformat(fields[kind.follows]) if kind.follows else None


def _read(field: Field, value: str, today: date) -> str:
    fix = (
        f"such as --field {field.name}={field.example!r}"
        if " " in field.example
        else f"such as --field {field.name}={field.example}"
    )
    if not value:
        raise InvalidInput(f"{field.name} is missing: {field.texts['en']}", fix=fix)
    if field.pattern:
        if not re.fullmatch(field.pattern, value, re.ASCII) or not value.isprintable():
            raise InvalidInput(f"{field.name} cannot be {value[:60]!r}", fix=fix)
        return value
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise InvalidInput(f"{field.name} is not a day: {value[:60]!r}", fix=fix) from None
    if field.when == "past" and day > today:
        raise InvalidInput(f"{field.name} has not come yet: {day}", fix="give the day on which it was")
    if field.when == "future" and not 0 <= (day - today).days <= FOLLOWS_WITHIN:
        raise InvalidInput(
            f"{field.name} must lie within a year from now, and is {day}", fix="give the day by which it will be there"
        )
    return day.isoformat()


FOLLOWS_WITHIN = 366
"""Days in which something better must come: a promise for later is none."""


def _field(row: dict[str, Any]) -> Field:
    pattern, when = row.get("pattern", ""), row.get("when", "")
    if (
        row["kind"] not in {"text", "date"}
        or bool(pattern) != (row["kind"] == "text")
        or when not in {"", "past", "future"}
    ):
        raise ValueError(f"the field {row['name']!r} is neither a text with a pattern nor a day")
    re.compile(pattern)
    return Field(row["name"], pattern, when, row["example"], bool(row.get("free", False)), _texts(row))


def _texts(row: Mapping[str, str]) -> Mapping[str, str]:
    return {language: row[language] for language in ("nl", "en")}
