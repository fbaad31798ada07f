"""Proofs of organisations on the wire."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Wire

Word = Annotated[str, Field(max_length=40)]


class ProofIn(Wire):
    """`fields`: those of the kind, as `GET /proofs/kinds` lists them."""

    kind: Word
    fields: Annotated[dict[Word, Annotated[str, Field(max_length=300)]], Field(max_length=10)] = Field(
        default_factory=dict
    )


class ProofOut(Wire):
    """`kind` is empty where nothing was shown yet. `due_on`: by when something better follows. `stated`: a number that the organisation says is its
    own, and that no administrator of the installation has looked at.
    """

    organisation: str
    kind: str = ""
    fields: dict[str, str] = Field(default_factory=dict)
    shown_at: datetime | None = None
    due_on: date | None = None
    due: bool = False
    stated: bool = False


class ProofFieldOut(Wire):
    name: str
    texts: dict[str, str]
    example: str
    pattern: str


class ProofKindOut(Wire):
    name: str
    help: dict[str, str]
    source: str
    fields: list[ProofFieldOut]
