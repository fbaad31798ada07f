"""Changes of projects on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Wire


class ProjectSetIn(Wire):
    """What is empty stays as it is. `data_contact`: an id or an address of a member."""

    title: Annotated[str, Field(max_length=200)] = ""
    data_contact: Annotated[str, Field(max_length=320)] = ""


class ChangeIn(Wire):
    """`what`: purpose or ceiling."""

    what: Annotated[str, Field(max_length=40)]
    value: Annotated[str, Field(max_length=80)]
    why: Annotated[str, Field(max_length=2_000)]


class ChangeOut(Wire):
    id: str
    project: str
    what: str
    value: str
    why: str
    proposed_by: str
    proposed_at: datetime
    outcome: str


class DecideIn(Wire):
    proposal: Annotated[str, Field(max_length=80)]
    agree: bool = True
