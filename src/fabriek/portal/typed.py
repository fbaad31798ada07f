"""What was typed into a call's form, as answers. What is no number stays the text that it is, so that it can be shown again."""

import re
from collections.abc import Sequence
from typing import Any

from fabriek.access.applying.calls import Asked, Column, Section

Pairs = Sequence[tuple[str, str]]


def typed_answers(section: Section, pairs: Pairs) -> dict[str, Any]:
    """The answers of a section that the form had on it; an empty one is None."""
    return {field.name: _answer(field, pairs) for field in section.fields}


def _answer(field: Asked, pairs: Pairs) -> Any:
    values = [value for name, value in pairs if name == field.name]
    match field.kind:
        case "choices":
            return [one for one in values if one] or None
        case "list":
            return [line.strip() for line in (values or [""])[0].splitlines() if line.strip()] or None
        case "table":
            return _rows(field, pairs) or None
        case "person" | "address":
            return _row(field, field.name, dict(pairs)) or None
        case _:
            return _cell(field, values[0]) if values else None


def _rows(field: Asked, pairs: Pairs) -> list[dict[str, Any]]:
    said, start = dict(pairs), re.compile(rf"{field.name}\.(\d{{1,4}})\.")
    numbers = sorted({int(found.group(1)) for name in said if (found := start.match(name))})
    kept = [number for number in numbers if f"{field.name}.{number}.remove" not in said]
    return [row for number in kept if (row := _row(field, f"{field.name}.{number}", said))]


def _row(field: Asked, place: str, said: dict[str, str]) -> dict[str, Any]:
    cells = {one.name: _cell(one, said.get(f"{place}.{one.name}", "")) for one in field.columns}
    return {name: value for name, value in cells.items() if value is not None}


def _cell(column: Column, text: str) -> Any:
    if not text.strip():
        return None
    if column.kind == "yes_no":
        return {"yes": True, "no": False}.get(text, text)
    if column.kind == "number":
        return _number(text.strip().replace(",", "."))
    return text if column.kind == "long_text" else text.strip()


def _number(text: str) -> int | float | str:
    if re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
        return int(text)
    return float(text) if re.fullmatch(r"-?\d{1,15}\.\d{1,9}", text, re.ASCII) else text
