"""Personal tokens, and what a person has open, on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Slug, Wire

ScopeName = Annotated[str, Field(min_length=1, max_length=40)]


class ScopeOut(Wire):
    """What a token can be narrowed to."""

    name: str
    says: str
    rights: list[str]


class TokenIn(Wire):
    """`scopes`: empty is all that its person may do. `project`: id or slug; empty is everywhere. `days`: 0 is the usual."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    scopes: Annotated[list[ScopeName], Field(max_length=20)] = Field(default_factory=list)
    project: Annotated[str, Field(max_length=63)] = ""
    days: Annotated[int, Field(ge=0, le=3_660)] = 0


class TokenOut(Wire):
    """Without its secret. `scopes`: empty is all that its person may do; `project`: empty is everywhere."""

    id: str
    name: str
    scopes: list[str]
    project: str
    made_at: datetime
    used_at: datetime | None
    expires_at: datetime


class NewTokenOut(TokenOut):
    """With its secret, which is shown now and kept nowhere."""

    token: str


class OpenDoorOut(Wire):
    """Something that is open. `through`: the one with which it was had, and ends. `method`, `strong`, `acr`: what was shown at the login."""

    id: str
    kind: str
    name: str
    scopes: list[str]
    project: str
    job: str
    made_at: datetime | None
    used_at: datetime | None
    expires_at: datetime
    confirmed_at: datetime | None
    through: str
    method: str
    issuer: str
    acr: str
    strong: bool
    this: bool


class EndedOut(Wire):
    """How many were ended."""

    ended: int


class ServiceIn(Wire):
    """`role`: a word of the roles in a project that a service may have."""

    name: Slug
    role: Annotated[str, Field(max_length=40)] = "member"


class ServiceTokenIn(Wire):
    """`scopes`: empty is all that the service may do. `days`: 0 is the usual."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    scopes: Annotated[list[ScopeName], Field(max_length=20)] = Field(default_factory=list)
    days: Annotated[int, Field(ge=0, le=3_660)] = 0


class ServiceOut(Wire):
    """`signed_for_by`: the id and name of who answers for it. `opens`: it does while they are in the project."""

    id: str
    name: str
    role: str
    signed_for_by: str
    signed_for_by_name: str
    opens: bool
    tokens: list[TokenOut]
