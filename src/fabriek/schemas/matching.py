"""Needs, offers and their matches on the wire."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from fabriek.schemas.base import Wire


class ListingIn(Wire):
    """`skills`: of the list; `words`: further skills in your own words. Text and region are shown once both sides said yes."""

    kind: Literal["need", "offer"]
    text: Annotated[str, Field(min_length=1, max_length=2_000)]
    skills: Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=20)] = Field(default_factory=list)
    words: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=20)] = Field(default_factory=list)
    region: Annotated[str, Field(max_length=60)] = ""


class ListingOut(Wire):
    id: str
    kind: str
    by: str
    skills: list[str]
    words: list[str]
    text: str
    region: str
    posted_at: datetime
    withdrawn: bool


class MatchAnswerIn(Wire):
    yes: bool


class OtherOut(Wire):
    organisation: str
    name: str
    email: str
    text: str
    region: str


class MatchOut(Wire):
    """`state`: proposed, waiting (for the other side), met or over. `other`: who it is, once both said yes."""

    id: str
    listing: str
    kind: str
    shared: list[str]
    state: str
    proposed_at: datetime
    other: OtherOut | None = None
