"""Auditors' links on the wire."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Wire


class AuditorLinkIn(Wire):
    """`until`: the last day; it counts. `quarter`: the only one that it opens; empty is all."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    email: Annotated[str, Field(min_length=3, max_length=254)]
    until: date
    quarter: Annotated[str, Field(max_length=10)] = ""


class AuditorLinkOut(Wire):
    """`link` is shown once, by whoever made it. The audit log names an auditor by the `id`."""

    id: str
    name: str
    email: str
    quarter: str
    state: str
    made_at: datetime
    expires_at: datetime
    link: str = ""
