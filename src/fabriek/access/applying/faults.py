"""What is wrong with one answer, said in both languages. A fault tells whether a draft can keep the answer all the same."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fabriek.access.applying.calls import Asked, Column, Said

TEXT_MAX = 20_000
"""The longest text that a draft keeps, in characters: more than any limit, so that too long a text is not lost but said."""

Answers = Mapping[str, Any]

_SAYS = {
    "missing": ("is missing: {en}", "ontbreekt: {nl}"),
    "not_asked": ("is not asked in this call", "wordt in deze oproep niet gevraagd"),
    "not_asked_here": ("is not asked here", "wordt hier niet gevraagd"),
    "all": ("all answers together are longer than {most} characters", "alle antwoorden samen zijn langer dan {most} tekens"),
    "rows": ("must have {least} to {most} rows", "moet {least} tot {most} rijen hebben"),
    "a_list": ("must be a list", "moet een lijst zijn"),
    "parts": ("must have named parts", "moet onderdelen met namen hebben"),
    "too_many": ("must be at most {most}", "mogen er hoogstens {most} zijn"),
    "among": ("must be among {those}, each once", "moeten zijn uit {those}, elk een keer"),
    "texts": ("must be a list of texts of at most {most} characters", "moet een lijst zijn van teksten van hoogstens {most} tekens"),
    "no_number": ("is not a number", "is geen getal"),
    "number": ("must be a number", "moet een getal zijn"),
    "whole": ("must be a whole number", "moet een heel getal zijn"),
    "beyond": (
        "must be at most {most}: the call {more} is for more (fabriek apply call {more})", "mag hoogstens {most} zijn: de oproep {more} is voor meer",
    ),
    "between": ("must be at least {least} and at most {most}", "moet minstens {least} en hoogstens {most} zijn"),
    "above": ("must be above 0 and at most {most}", "moet meer dan 0 en hoogstens {most} zijn"),
    "one_of": ("must be one of {those}", "moet een zijn van {those}"),
    "far_too_long": ("has {length} characters, of which {most} are kept at most", "heeft {length} tekens, en er worden er {most} bewaard"),
    "length": ("must have 1 to {most} characters, and has {length}", "moet 1 tot {most} tekens hebben, en heeft er {length}"),
    "line": ("must be one line", "moet op een regel staan"),
    "date": ("must be a day such as 2026-03-31", "moet een dag zijn zoals 2026-03-31"),
    "yes_no": ("must be yes or no", "moet ja of nee zijn"),
    "text": ("must be a text", "moet een tekst zijn"),
    "sum": (
        "{en}{group}: these come to {found} and must come to {wanted}, {apart} too {en_more}",
        "{nl}{group}: deze komen op {found} en moeten op {wanted} komen, {apart} te {nl_more}",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """`field`: `title`, or `plan.3.node_hours` (the third row). `kept`: a draft can keep the answer all the same."""

    field: str
    says: Said
    kept: bool = True
    missing: bool = False


def fault(place: str, says: str, *, kept: bool = False, missing: bool = False, **words: Any) -> Fault:
    """says: a word of the table here, in which `words` are filled in."""
    en, nl = _SAYS[says]
    # Not checked as a call's own texts are: what was typed may be part of it, and is of any length.
    said = Said.model_construct(en=en.format(**words), nl=nl.format(**words))
    return Fault(place, said, kept, missing)


def missing(column: Column, place: str = "") -> Fault:
    return fault(place or column.name, "missing", en=column.question.en, nl=column.question.nl, kept=True, missing=True)


def is_empty(answer: Any) -> bool:
    return answer is None or answer in ("", [], {}) or (isinstance(answer, str) and not answer.strip())


def number_of(answer: Any) -> float | None:
    """Of a number, or of a choice that is one, such as the months."""
    if isinstance(answer, str) and answer.isascii() and answer.isdigit() and len(answer) < 10:
        return float(answer)
    if isinstance(answer, int | float) and not isinstance(answer, bool) and abs(answer) < 1e15:
        return float(answer)
    return None


def faults_in(field: Asked, answer: object, answers: Answers) -> list[Fault]:
    """What is wrong with one answer. `answers`: all of them, for limits that stand in another."""
    match field.kind:
        case "table":
            return list(_in_table(field, answer, answers))
        case "person" | "address":
            return list(_in_row(field, field.name, answer, answers))
        case "list" | "choices":
            return list(_in_list(field, answer))
        case _:
            return list(_in_cell(field, field.name, answer, answers))


def _in_table(field: Asked, rows: object, answers: Answers) -> Iterator[Fault]:
    if not isinstance(rows, list):
        yield fault(field.name, "a_list")
    elif not field.rows_min <= len(rows) <= field.rows_max:
        few = len(rows) < field.rows_min
        yield fault(field.name, "rows", least=field.rows_min, most=field.rows_max, kept=few, missing=few)
    else:
        for number, row in enumerate(rows, 1):
            yield from _in_row(field, f"{field.name}.{number}", row, answers)


def _in_row(field: Asked, place: str, row: object, answers: Answers) -> Iterator[Fault]:
    if not isinstance(row, dict):
        yield fault(place, "parts")
        return
    columns = {one.name: one for one in field.columns}
    for name in row:
        if name not in columns:
            yield fault(f"{place}.{name}", "not_asked_here")
    for name, column in columns.items():
        if not is_empty(row.get(name)):
            yield from _in_cell(column, f"{place}.{name}", row[name], answers)
        elif column.required:
            yield missing(column, f"{place}.{name}")


def _in_list(field: Asked, items: object) -> Iterator[Fault]:
    if not isinstance(items, list):
        yield fault(field.name, "a_list")
    elif len(items) > field.rows_max:
        yield fault(field.name, "too_many", most=field.rows_max)
    elif field.kind == "choices":
        if any(one not in field.values for one in items) or len(set(map(str, items))) < len(items):
            yield fault(field.name, "among", those=", ".join(field.values))
    elif not all(isinstance(one, str) and one.strip() and len(one) <= field.limited for one in items):
        yield fault(field.name, "texts", most=field.limited)


def _in_cell(column: Column, place: str, answer: object, answers: Answers) -> Iterator[Fault]:
    match column.kind:
        case "number":
            yield from _in_number(column, place, answer, answers)
        case "choice":
            if not isinstance(answer, str):
                yield fault(place, "text")
            elif answer not in column.values:
                yield fault(place, "one_of", those=", ".join(column.values))
        case "date":
            if not isinstance(answer, str) or not _is_date(answer):
                yield fault(place, "date")
        case "yes_no":
            if not isinstance(answer, bool):
                yield fault(place, "yes_no")
        case _:
            yield from _in_text(column, place, answer)


def _in_text(column: Column, place: str, text: object) -> Iterator[Fault]:
    if not isinstance(text, str):
        yield fault(place, "text")
    elif len(text) > TEXT_MAX:
        yield fault(place, "far_too_long", length=len(text), most=TEXT_MAX)
    elif not text.strip() or len(text) > column.limited:
        yield fault(place, "length", most=column.limited, length=len(text), kept=True)
    elif column.kind == "text" and "\n" in text:
        yield fault(place, "line")


def _in_number(column: Column, place: str, number: object, answers: Answers) -> Iterator[Fault]:
    most, of = column.limited, f" {column.unit}" if column.unit else ""
    if column.at_most and (other := number_of(answers.get(column.at_most))) is not None and other < most:
        most, of = int(other), f"{of} ({column.at_most})"
    least = 0 if column.least is None else column.least
    if isinstance(number, bool):
        yield fault(place, "no_number")
    elif not isinstance(number, int | float) or (isinstance(number, float) and not math.isfinite(number)):
        yield fault(place, "number")
    elif number > most and isinstance(column, Asked) and column.beyond:
        yield fault(place, "beyond", most=f"{most}{of}", more=column.beyond, kept=number < 1e15)
    elif number > most or number < least or (column.least is None and number == 0):
        says = "above" if column.least is None else "between"
        yield fault(place, says, least=least, most=f"{most}{of}", kept=abs(number) < 1e15)
    elif column.whole and number != int(number):
        yield fault(place, "whole", kept=True)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def shown(number: float) -> str:
    """A number without a tail of noughts: 1200, 0.25."""
    return f"{number:.2f}".rstrip("0").rstrip(".")


def fields_of(faults: Sequence[Fault]) -> frozenset[str]:
    """The fields that they are in: `plan` for `plan.3.node_hours`."""
    return frozenset(one.field.split(".")[0] for one in faults)
