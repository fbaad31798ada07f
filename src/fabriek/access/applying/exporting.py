"""An application as a document: every question of its call with its answer, for other programs and for paper."""

from collections.abc import Mapping
from typing import Any

from fabriek.access.applying.answers import is_asked, sums_of
from fabriek.access.applying.applications import Application
from fabriek.access.applying.calls import Asked, Call, Column
from fabriek.access.applying.faults import is_empty, shown

FORMAT = "fabriek.application/1"
_WORDS = {
    "en": {
        "not_asked": "Not asked, given the other answers",
        "empty": "Not answered",
        "yes": "Yes",
        "no": "No",
        "totals": "Totals",
        "of": "of",
        "application": "Application",
        "state": "State",
        "call": "Call",
        "organisation": "Organisation",
        "row": "Row",
    },
    "nl": {
        "not_asked": "Niet gevraagd, gezien de andere antwoorden",
        "empty": "Niet beantwoord",
        "yes": "Ja",
        "no": "Nee",
        "totals": "Totalen",
        "of": "van",
        "application": "Aanvraag",
        "state": "Stand",
        "call": "Oproep",
        "organisation": "Organisatie",
        "row": "Rij",
    },
}


def document(call: Call, application: Application, organisation: str, language: str) -> dict[str, Any]:
    """`answer`: as it is kept; `lines`: as a person reads it, in that language. Questions that were not asked are there too, and say so."""
    words, answers = _WORDS[language], application.answers
    return {
        "format": FORMAT, "language": language, "id": application.id, "call": call.name, "call_title": call.titles.in_(language),
        "organisation": organisation, "state": str(application.state), "made_at": application.made_at.isoformat(),
        "submitted_at": application.submitted_at.isoformat() if application.submitted_at else None,
        "title": str(answers.get("title") or call.titles.in_(language)),
        "sections": [
            {
                "name": section.name, "title": section.title.in_(language),
                "questions": [_question(field, answers, language) for field in section.fields],
            }
            for section in call.sections
        ],
        "totals": [
            {
                "title": one.total.title.in_(language) + (f" ({one.group})" if one.group else ""), "found": one.found, "wanted": one.wanted,
                "unit": one.total.unit, "agrees": one.agrees,
                "line": shown(one.found) + (f" {words['of']} {shown(one.wanted)}" if one.wanted is not None else "") + f" {one.total.unit}",
            }
            for one in sums_of(call, answers)
        ],
        "checks": [{"name": one.name, "passed": one.passed, "found": one.found} for one in application.checks],
        "words": words,
    }  # fmt: skip


def _question(field: Asked, answers: Mapping[str, Any], language: str) -> dict[str, Any]:
    words, answer, asked = _WORDS[language], answers.get(field.name), is_asked(field, answers)
    lines = [words["empty"] if asked else words["not_asked"]] if is_empty(answer) else _lines(field, answer, language)
    return {
        "name": field.name, "kind": field.kind, "question": field.question.in_(language), "unit": field.unit, "asked": asked, "answer": answer,
        "lines": lines,
    }  # fmt: skip


def _lines(field: Asked, answer: Any, language: str) -> list[str]:
    if field.kind == "table" and isinstance(answer, list):
        numbered = enumerate(answer, 1)
        return [f"{number}. {line}" for number, row in numbered for line in [_row(field, row, language)]]
    if isinstance(answer, dict):
        return [_row(field, answer, language)]
    if isinstance(answer, list):
        return [_cell(field, one, language) for one in answer]
    return [_cell(field, answer, language)]


def _row(field: Asked, row: Any, language: str) -> str:
    if not isinstance(row, dict):
        return str(row)
    filled = [(one, row[one.name]) for one in field.columns if not is_empty(row.get(one.name))]
    return "; ".join(f"{one.question.in_(language)}: {_cell(one, value, language)}" for one, value in filled)


def _cell(column: Column, value: Any, language: str) -> str:
    if isinstance(value, bool):
        return _WORDS[language]["yes" if value else "no"]
    chosen = next((one.in_(language) for one in column.choices if one.value == value), None)
    if isinstance(value, int | float):
        return shown(float(value)) + (f" {column.unit}" if column.unit else "")
    return chosen or str(value)
