"""The steps of a review, and what of them each reader may know."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fabriek.kernel.spreadsheets import shown_cell

COLUMNS = ("at", "act", "by", "state", "words")


class Shown(StrEnum):
    """Who may know of a step: all who may see the application, those who judge it, or its author until all are in."""

    ALL = "all"
    STAFF = "staff"
    AUTHOR = "author"


@dataclass(frozen=True, slots=True)
class Step:
    """`part`: as what they acted: applicant, reviewer, expert, committee, funder, factory. `state`: what it became."""

    id: str
    application: str
    at: datetime
    act: str
    person: str
    part: str
    state: str
    words: str
    shown: Shown


@dataclass(frozen=True, slots=True)
class Reader:
    """`staff`: judges; `expert`: was asked to. `all_in`: whether all assessments are. `names`: those whom this reader may know by name."""

    person: str
    staff: bool
    expert: bool
    all_in: bool
    names: Mapping[str, str]


PARTS = {
    "applicant": "the applicant",
    "reviewer": "a reviewer",
    "expert": "an expert",
    "committee": "the committee",
    "funder": "a funder",
    "factory": "Fabriek",
}


def readable(steps: Iterable[Step], reader: Reader) -> Sequence[Mapping[str, str]]:
    """Rows of COLUMNS, oldest first. Applicants see parts in place of names, and nobody sees another's assessment before all are in."""
    return [_row(step, reader) for step in steps if _may_see(step, reader)]


def _may_see(step: Step, reader: Reader) -> bool:
    if step.shown is Shown.ALL or step.person == reader.person:
        return True
    if not reader.staff:
        return False
    # Who else was asked, and who declined, would tell an expert whose words they will read.
    return reader.all_in or (step.shown is Shown.STAFF and not reader.expert)


def _row(step: Step, reader: Reader) -> Mapping[str, str]:
    named = reader.staff or step.person == reader.person or step.part == "applicant"
    by = reader.names.get(step.person, "") if named else ""
    return {
        "at": step.at.isoformat(timespec="seconds"), "act": step.act, "by": by or PARTS.get(step.part, step.part), "state": step.state,
        "words": step.words,
    }  # fmt: skip


def as_csv(rows: Sequence[Mapping[str, str]]) -> str:
    """For a spreadsheet, in which nothing that a person wrote becomes a formula."""
    written = io.StringIO()
    sheet = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    sheet.writerow(COLUMNS)
    for row in rows:
        sheet.writerow([shown_cell(row[column]) for column in COLUMNS])
    return written.getvalue()
