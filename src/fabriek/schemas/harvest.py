"""Catalogues elsewhere on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Wire


class SourceIn(Wire):
    """`address`: of its DCAT in JSON-LD or Turtle. `name`: what people here call it; its host by default."""

    address: Annotated[str, Field(min_length=1, max_length=2_000)]
    name: Annotated[str, Field(max_length=100)] = ""


class SourceOut(Wire):
    """`good_at`: when it was last read to its end; what is here is as it was then. `trouble`: why the last reading failed, empty where it did not.
    `left_out`: why some of its datasets are not here, the first of `left_out_count`.
    """

    id: str
    address: str
    name: str
    added_at: datetime
    tried_at: datetime | None
    good_at: datetime | None
    trouble: str
    entries: int
    pages: int
    left_out: list[str]
    left_out_count: int


class SourcesOut(Wire):
    items: list[SourceOut]
