"""Base models on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Wire, written

Sha256 = Annotated[str, written(r"^[0-9a-f]{64}$", "a SHA-256 in 64 small hexadecimal digits")]


class BaseModelFileIn(Wire):
    """One file of a push, by what it holds."""

    path: Annotated[str, Field(min_length=1, max_length=400)]
    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=0)]


class BaseModelIn(Wire):
    """A push. `card`: the text of README.md among the files. `licence` and `label`: empty where the card, or what stands here, says it."""

    name: Annotated[str, Field(min_length=1, max_length=96)]
    revision: Annotated[str, Field(min_length=1, max_length=100)] = "main"
    licence: Annotated[str, Field(max_length=100)] = ""
    label: Annotated[str, Field(max_length=200)] = ""
    allow_code: bool = False
    card: Annotated[str, Field(max_length=400_000)] = ""
    files: Annotated[list[BaseModelFileIn], Field(min_length=1, max_length=10_000)]


class PlanOut(Wire):
    """`missing`: the contents that must be sent before the push, by SHA-256."""

    missing: list[str]
    label: str
    licence: str


class BaseModelOut(Wire):
    """A base model at one revision. `code`: loading some file of it may run what its author wrote. `branches`: name → commit."""

    name: str
    commit: str
    label: str
    licence: str
    size_bytes: int
    files: int
    code: bool
    branches: dict[str, str]
    pushed_at: datetime


class PushedOut(BaseModelOut):
    """`new`: whether the push changed anything."""

    new: bool


class BaseModelFileOut(Wire):
    path: str
    sha256: str
    size_bytes: int
    code: bool


class BaseModelPageOut(BaseModelOut):
    """With its card, as it was written, and its files."""

    card: str
    listed: list[BaseModelFileOut]
