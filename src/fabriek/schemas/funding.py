"""Money on the wire. Amounts are in whole units of a resource, as decimal text, since the ledger is exact."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Slug, Wire


class ContributionIn(Wire):
    """`hours`: what the money brings, per resource, in whole hours."""

    funder: Annotated[str, Field(min_length=1, max_length=63)]
    kind: Annotated[str, Field(max_length=40)]
    amount_euro: Annotated[int, Field(strict=True, gt=0, le=10**12)]
    hours: dict[str, Annotated[int, Field(strict=True, gt=0, le=10**12)]]
    name: Slug | None = None


class ShareOut(Wire):
    """`part`: of the machine, in millionths. `group`: the one in whose part it lies; empty where it lies in none. `ceiling`: what it may use at one
    moment at most, in millionths, and `group_ceiling` the same of the groups over it; null where nothing bounds it.
    """

    id: str
    name: str
    funder: str
    kind: str
    part: int
    group: str = ""
    ceiling: int | None = None
    group_ceiling: int | None = None


class AwardIn(Wire):
    """`share`: its name; empty takes the one that fits best. `out_of_turn`: why it goes before those that wait for the same share.
    `project`: one that goes on with it, in place of a new one.
    """

    share: Annotated[str, Field(max_length=63)] = ""
    out_of_turn: Annotated[str, Field(max_length=4000)] = ""
    project: Annotated[str, Field(max_length=63)] = ""


class AllocationOut(Wire):
    id: str
    project: str
    share: str
    application: str
    starts_on: date
    ends_on: date


class ShareTotalOut(Wire):
    """granted = unawarded + unspent + held + used - owed, at every moment."""

    share: str
    resource: str
    granted: str
    unawarded: str
    unspent: str
    held: str
    used: str


class TableOut(Wire):
    """`balanced`: whether all entries of the ledger sum to zero."""

    rows: list[ShareTotalOut]
    balanced: bool


class LeftOut(Wire):
    """granted = held + used + left - owed, at every moment."""

    resource: str
    granted: str
    held: str
    used: str
    left: str
    owed: str


class ReadingOut(Wire):
    """Use that was measured: amount = charged + owed + over. `over`: what nothing was ever awarded for."""

    key: str
    resource: str
    amount: str
    charged: str
    owed: str
    over: str
    at: datetime


class EntryOut(Wire):
    id: str
    transaction: str
    account: str
    resource: str
    amount: str
    at: datetime
    memo: str
    job: str


class CorrectIn(Wire):
    """`charge`: a job, the key of a reading, or a posting. `used`: what it should have been, in whole units or parts of one."""

    charge: Annotated[str, Field(min_length=1, max_length=200)]
    used: Annotated[str, Field(min_length=1, max_length=40)]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class CorrectionOut(Wire):
    """`posting`: the counter-entry."""

    posting: str
    reason: str
    person: str
    at: datetime


class ChargeOut(Wire):
    """`stands`: what it comes to behind its corrections, the oldest first."""

    posting: str
    project: str
    job: str
    resource: str
    stands: str
    corrections: list[CorrectionOut]
