"""The rows of a report: each is a sum over lines of the ledger, so that each can be opened down to them."""

from dataclasses import dataclass
from enum import StrEnum

from fabriek.funding.giving.service import LAPSED, WITHDRAWN
from fabriek.funding.ledger import GRANT, Kind
from fabriek.funding.resources import Resource
from fabriek.kernel.errors import InvalidInput


class Row(StrEnum):
    """What was booked in the period; from `unawarded` on what stood at its end."""

    ENTITLED = "entitled"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    AWARDED = "awarded"
    RETURNED = "returned"
    USED = "used"
    LATE = "late"
    CORRECTED_USE = "corrected_use"
    CORRECTED_ENTITLED = "corrected_entitled"
    UNAWARDED = "unawarded"
    UNSPENT = "unspent"
    HELD = "held"
    OWED = "owed"


MEANS: dict[Row, str] = {
    Row.ENTITLED: "came to the share: grants, and what the quarter brings",
    Row.WITHDRAWN: "went back with money that was withdrawn",
    Row.LAPSED: "lapsed in this period, of what earlier quarters brought and nobody was awarded in time",
    Row.AWARDED: "awarded to projects, with extensions",
    Row.RETURNED: "came back from projects: cut, given back, or closed",
    Row.USED: "used by projects, and booked in this period",
    Row.LATE: "of that use, what ended before this period and was told late",
    Row.CORRECTED_USE: "corrections of use in earlier periods",
    Row.CORRECTED_ENTITLED: "corrections of what earlier periods brought",
    Row.UNAWARDED: "left in the share at the end of the period",
    Row.UNSPENT: "left with projects at the end of the period",
    Row.HELD: "set aside for jobs at the end of the period",
    Row.OWED: "owed by projects at the end of the period",
}

STANDING: dict[Row, Kind] = {
    Row.UNAWARDED: Kind.SHARE, Row.UNSPENT: Kind.ALLOCATION, Row.HELD: Kind.HOLD, Row.OWED: Kind.DEBT,
}  # fmt: skip
"""Rows that say how much stood on accounts of a kind."""

OF_THE_SHARE = frozenset({
    Row.ENTITLED, Row.WITHDRAWN, Row.LAPSED, Row.AWARDED, Row.RETURNED, Row.CORRECTED_ENTITLED, Row.UNAWARDED,
})  # fmt: skip
"""Rows of the share's own account; the others are of its projects, and tell of organisations."""

OF_ALL_TIME = frozenset({Row.CORRECTED_USE, Row.UNSPENT, Row.HELD, Row.OWED})
"""Rows whose lines are of other periods too, in which others may stand alone in their group."""

TURNED = frozenset({Row.WITHDRAWN, Row.LAPSED, Row.AWARDED, Row.OWED})
"""Rows that count what went away, or stands below zero: a line counts in them the other way round."""


class Dimension(StrEnum):
    """By what use is divided: facts of the award."""

    SECTOR = "sector"
    REGION = "region"
    SIZE = "size"
    PURPOSE = "purpose"
    CALL = "call"


AWARDING = ("award", "extension")
"""What the ledger says of credits that go to a project."""

OTHER = "other"
"""The groups together that would tell of one organisation."""

UNSAID = "not said"


@dataclass(frozen=True, slots=True)
class Place:
    """One figure of a report: a row, of one resource; `word` of a dimension narrows use to a group."""

    row: Row
    resource: Resource
    dimension: Dimension | None = None
    word: str = ""


def place_named(text: str, resource: str) -> Place:
    """`used`, or `used.sector.health`. Raises InvalidInput."""
    name, _, group = text.partition(".")
    dimension, _, word = group.partition(".")
    try:
        row, what = Row(name), Resource(resource)
        within = Dimension(dimension) if dimension else None
    except ValueError as error:
        raise InvalidInput(
            f"{error}", fix=f"rows are {', '.join(Row)}, and used.DIMENSION.WORD for a group ({', '.join(Dimension)})"
        ) from None
    if within is not None and (row is not Row.USED or not word):
        raise InvalidInput(f"{text!r} is no group", fix="groups are of use: used.sector.health")
    return Place(row, what, within, word)


def row_of_share_line(memo: str, entitling: tuple[str, ...]) -> Row:
    """In which row a line of a share's account counts that is no correction of an earlier period."""
    if memo == GRANT or memo in entitling:
        return Row.ENTITLED
    if memo.startswith("entitled "):
        return Row.CORRECTED_ENTITLED
    if memo.startswith(LAPSED):
        return Row.LAPSED
    if memo == WITHDRAWN:
        return Row.WITHDRAWN
    return Row.AWARDED if memo in AWARDING else Row.RETURNED
