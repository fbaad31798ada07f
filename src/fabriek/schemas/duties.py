"""Reports that awards ask for, extensions and thanks on the wire."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from fabriek.schemas.base import Wire


class DutyOut(Wire):
    """`kind`: interim or final. `state`: due, filed, accepted or returned; `note`: why it was returned. `form`: what it asks."""

    id: str
    project: str
    kind: str
    call: str
    share: str
    form: str
    state: str
    due_on: date
    days_overdue: int
    revision: int
    filed_at: datetime | None
    decided_at: datetime | None
    note: str
    answers: dict[str, Any]


class ReturnIn(Wire):
    """What is to be mended."""

    note: Annotated[str, Field(min_length=1, max_length=2_000)]


class ExtensionIn(Wire):
    """`allocation`: which, where a project has several; empty takes the one that ends last."""

    allocation: Annotated[str, Field(max_length=63)] = ""


class ExtensionOut(Wire):
    """`came`: resource → what came to it, in whole units."""

    allocation: str
    rule: str
    was_until: date
    ends_on: date
    came: dict[str, str]


class AcknowledgementIn(Wire):
    """{hours}, {quarters}, {project} and {funder} are filled in."""

    nl: Annotated[str, Field(min_length=1, max_length=1_000)]
    en: Annotated[str, Field(min_length=1, max_length=1_000)]


class AcknowledgementOut(Wire):
    share: str
    nl: str
    en: str


class ThanksOut(Wire):
    """`paid`: resource → what the share really paid; `quarters`: in which."""

    share: str
    funder: str
    text: str
    paid: dict[str, str]
    quarters: list[str]
