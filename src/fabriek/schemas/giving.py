"""Giving on the wire: contributions, quarters, caps, and how organisations are described. Amounts are decimal text, as in the ledger."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from fabriek.schemas.base import Slug, Wire


class ApplyIn(Wire):
    """Money that is asked for: it makes no share yet."""

    funder: Annotated[str, Field(min_length=1, max_length=63)]
    kind: Annotated[str, Field(max_length=40)]
    amount_euro: Annotated[int, Field(gt=0, le=10**12)]
    name: Slug | None = None


class StepIn(Wire):
    """`on`: today where it is left out, else a later day."""

    to: Literal["granted", "received", "withdrawn"]
    on: date | None = None


class ContributionOut(Wire):
    """`state`: how far it is today."""

    id: str
    funder: str
    kind: str
    amount_euro: int
    state: str
    applied_on: date
    granted_on: date | None
    received_on: date | None
    withdrawn_on: date | None


class QuarterRowOut(Wire):
    """began + brought - awarded - lapsed = carried, at every moment. `entitled`: what the whole quarter owes, as things stand."""

    share: str
    resource: str
    entitled: str
    began: str
    brought: str
    awarded: str
    lapsed: str
    carried: str


class QuarterOut(Wire):
    """Both days count."""

    quarter: str
    first: date
    last: date
    rows: list[QuarterRowOut]


class CapOut(Wire):
    """`share` is empty where the cap bounds each organisation, or the machine; then nothing is said of what is left."""

    cap: str
    share: str
    says: str
    bound: str
    awarded: str
    left: str
    resource: str
    source: str


class DescribeIn(Wire):
    """What is left out stays as it is; an empty text says that it is not known."""

    sector: Annotated[str, Field(max_length=100)] | None = None
    region: Annotated[str, Field(max_length=100)] | None = None
    size: Annotated[str, Field(max_length=40)] | None = None
    head: Annotated[str, Field(max_length=63)] | None = None


class DescriptionOut(Wire):
    """`head`: who stands at the head of its group."""

    organisation: str
    sector: str
    region: str
    size: str
    head: str
