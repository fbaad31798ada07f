"""A call: what may be applied for, by whom, and what is asked. Calls are data, so that one is added without code."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from fabriek.kernel.errors import InvalidInput, NotFound

FIELDS_MAX = 12


@dataclass(frozen=True, slots=True)
class Field:
    """One question. `kind`: text, number, date, choice or list; `limit`: the longest text, or the largest number."""

    name: str
    kind: str
    help: Mapping[str, str]
    required: bool = True
    unit: str = ""
    limit: int = 500
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """Amounts are in whole hours of each resource; `countries` may apply; `kinds` of organisation too."""

    name: str
    title: str
    source: str
    valid_from: date
    months: tuple[int, ...]
    amounts: Mapping[str, int]
    gpu_hours_max: int
    kinds: tuple[str, ...]
    countries: tuple[str, ...]
    fields: tuple[Field, ...]


@cache
def call(name: str) -> Call:
    """The call of that name. Raises NotFound."""
    place = files("fabriek.access.applying").joinpath("data", f"{name}.toml")
    if not name.replace("-", "").isalnum() or not place.is_file():
        raise NotFound(f"there is no call {name!r}", fix="fabriek apply new playground")
    return _call(tomllib.loads(place.read_text("utf-8")))


def _call(raw: dict[str, Any]) -> Call:
    fields = tuple(
        Field(
            one["name"], one["kind"], one["help"], one.get("required", True), one.get("unit", ""), one.get("limit", 500),
            tuple(one.get("choices", ())),
        )
        for one in raw["fields"]
    )  # fmt: skip
    assert len(fields) <= FIELDS_MAX, f"the call {raw['name']} asks more than {FIELDS_MAX} things"
    return Call(
        raw["name"], raw["title"], raw["source"], raw["valid_from"], tuple(raw["months"]), raw["amounts"], raw["gpu_hours_max"],
        tuple(raw["kinds"]), tuple(raw["countries"]), fields,
    )  # fmt: skip


def check_answers(asked: Call, answers: Mapping[str, object], *, complete: bool) -> None:
    """Raises InvalidInput naming every field that is wrong; with `complete`, also those that are missing."""
    known = {field.name: field for field in asked.fields}
    errors = [{"field": name, "message": "this call does not ask that"} for name in answers if name not in known]
    for name, field in known.items():
        if name in answers:
            if fault := _fault(field, answers[name]):
                errors.append({"field": name, "message": fault})
        elif complete and field.required:
            errors.append({"field": name, "message": f"is missing: {field.help['en']}"})
    if errors:
        first = errors[0]
        raise InvalidInput(
            f"{first['field']}: {first['message']}", fix="fabriek apply show CALL lists the fields", errors=errors
        )


def _fault(field: Field, answer: object) -> str:
    """What is wrong with one answer; empty when nothing is."""
    match field.kind, answer:
        case "number", bool():
            return "is not a number"
        case "number", int() | float() as number:
            return (
                "" if 0 < number <= field.limit else f"must be above 0 and at most {field.limit} {field.unit}".rstrip()
            )
        case "choice", str() as text:
            return "" if text in field.choices else f"must be one of {', '.join(field.choices)}"
        case "text", str() as text:
            return "" if 0 < len(text.strip()) <= field.limit else f"must have 1 to {field.limit} characters"
        case "list", list() as items:
            return (
                ""
                if all(isinstance(one, str) and 0 < len(one) <= field.limit for one in items)
                else "must be a list of short texts"
            )
        case _:
            return f"must be a {field.kind}"
