"""Cases of the desk on the wire."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Wire

Words = Annotated[str, Field(min_length=1, max_length=10_000)]
Id = Annotated[str, Field(max_length=60)]


class CaseIn(Wire):
    """`question`: the one that becomes a case; then title and words may be left out."""

    title: Annotated[str, Field(max_length=200)] = ""
    words: Annotated[str, Field(max_length=10_000)] = ""
    project: Annotated[str, Field(max_length=63)] = ""
    question: Id = ""


class SaidIn(Wire):
    words: Words


class HandIn(Wire):
    person: Annotated[str, Field(min_length=1, max_length=60)]
    reason: Words


class LevelIn(Wire):
    level: Annotated[str, Field(min_length=1, max_length=20)]
    reason: Words


class StateIn(Wire):
    state: Annotated[str, Field(min_length=1, max_length=30)]
    words: Words


class DocumentIn(Wire):
    """`base`: the number of the version that was changed, 0 for none; left out, whatever is newest."""

    text: Annotated[str, Field(min_length=1, max_length=60_000)]
    base: Annotated[int, Field(ge=0)] | None = None


class DocumentOut(Wire):
    """`missing`: heads under which nothing stands yet."""

    number: int
    by: str
    at: datetime
    text: str
    missing: list[str]


class TemplateOut(Wire):
    language: str
    text: str


class CaseStepOut(Wire):
    number: int
    by: str
    at: datetime
    what: str
    words: str


class CaseOut(Wire):
    """`due_on`: by when something was promised, that day included."""

    id: str
    title: str
    level: str
    state: str
    by: str
    project: str
    question: str
    handler: str
    opened_at: datetime
    due_on: date
    overdue: bool


class CaseWholeOut(Wire):
    """`document`: the number of its newest version, 0 for none; `missing`: heads of it under which nothing stands yet."""

    case: CaseOut
    steps: list[CaseStepOut]
    document: int
    missing: list[str]
    acts: bool
