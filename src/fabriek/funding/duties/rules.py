"""Which reports a call asks for and when, which extension follows one, and how a funder is thanked. Dated data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from fabriek.access.applying.call_files import read_form
from fabriek.access.applying.calls import Form
from fabriek.funding.allocations import Allocation
from fabriek.funding.duties.acknowledgements import check_text
from fabriek.funding.giving.contributions import FunderKind
from fabriek.kernel.dated import in_force, read_rows, shipped
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import MICRO, micro

FORMS = ("interim", "final")
ANY = "any"


@dataclass(frozen=True, slots=True)
class ReportRule:
    """`kind`: interim or final, one of each at most for an award. Due at half of the time, or days after the start or the end."""

    id: str
    call: str
    kind: str
    form: str
    valid_from: date
    source: str
    half: bool = False
    days_after_start: int | None = None
    days_after_end: int | None = None
    again_days: int = 0
    remind_days_before: tuple[int, ...] = ()

    def due_on(self, allocation: Allocation) -> date:
        """The last day on which it is in time."""
        if self.half:
            return allocation.starts_on + (allocation.ends_on - allocation.starts_on) // 2
        if self.days_after_start is not None:
            return allocation.starts_on + timedelta(days=self.days_after_start)
        assert self.days_after_end is not None, "a rule names one day: read from the file"
        return allocation.ends_on + timedelta(days=self.days_after_end)


@dataclass(frozen=True, slots=True)
class ExtensionRule:
    """`after`: the kind of report that must be accepted. `part`: in millionths of what was awarded."""

    id: str
    call: str
    after: str
    months: int
    part: int
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True)
class ThanksRule:
    """`funder`: a kind of funder, or `any`."""

    funder: str
    nl: str
    en: str
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True)
class DutyRules:
    """All rows, those of days to come too, and the forms."""

    reports: Sequence[ReportRule]
    extensions: Sequence[ExtensionRule]
    thanks: Sequence[ThanksRule]
    forms: Sequence[Form]

    def of(self, allocation: Allocation) -> list[ReportRule]:
        """Those that hold for this award, by kind: in force on its first day."""
        mine = [one for one in self.reports if one.call == allocation.call]
        found = (in_force((one for one in mine if one.kind == kind), allocation.starts_on) for kind in FORMS)
        return [one for one in found if one is not None]

    def extension_of(self, allocation: Allocation) -> ExtensionRule | None:
        return in_force((one for one in self.extensions if one.call == allocation.call), allocation.starts_on)

    def thanks_of(self, kind: FunderKind, on: date) -> ThanksRule:
        own = in_force((one for one in self.thanks if one.funder == kind), on)
        found = own or in_force((one for one in self.thanks if one.funder == ANY), on)
        if found is None:
            raise InvalidInput(f"no text thanks {kind} money on {on}", fix="add a row [[thanks]] to the rules")
        return found

    def form(self, name: str) -> Form:
        """Raises InvalidInput."""
        for one in self.forms:
            if one.name == name:
                return one
        raise InvalidInput(f"{name!r} is no report", fix=f"one of {', '.join(FORMS)}")


@cache
def shipped_duties() -> DutyRules:
    """The rules that come with Fabriek."""
    text = shipped("fabriek.funding", "duties.toml")
    folder = files("fabriek.funding.duties").joinpath("data")
    forms = [read_form(folder.joinpath(f"{name}.toml").read_text("utf-8"), f"{name}.toml") for name in FORMS]
    return duties_of(text, forms)


def duties_of(text: str, forms: Iterable[Form]) -> DutyRules:
    """The rules of a TOML text such as data/duties.toml. Raises InvalidInput naming the row."""
    reports, extensions, thanks = (
        read_rows(text, "report", _report), read_rows(text, "extension", _extension), read_rows(text, "thanks", _thanks),
    )  # fmt: skip
    _once("report", [(one.call, one.kind, one.valid_from) for one in reports])
    _once("extension", [(one.call, one.valid_from) for one in extensions])
    _once("thanks", [(one.funder, one.valid_from) for one in thanks])
    return DutyRules(reports, extensions, thanks, tuple(forms))


def _once(head: str, keys: Sequence[tuple[object, ...]]) -> None:
    """Raises InvalidInput on two rows that would hold at once."""
    for number, key in enumerate(keys, 1):
        if key in keys[: number - 1]:
            raise InvalidInput(
                f"[[{head}]] number {number} holds from the same day for the same as an earlier one",
                fix="keep one of them",
            )


def _report(row: dict[str, Any]) -> ReportRule:
    start, end, half = row.get("days_after_start"), row.get("days_after_end"), row.get("half", False)
    if sum((half is True, start is not None, end is not None)) != 1:
        raise ValueError("a report is due at half, or days after the start, or days after the end: one of them")
    before = tuple(int(one) for one in row.get("remind_days_before", ()))
    again = int(row.get("again_days", 0))
    if min(0, again, *before, *(one for one in (start, end) if one is not None)) < 0:
        raise ValueError("days are not below zero")
    if row["kind"] not in FORMS or row["form"] not in FORMS:
        raise ValueError(f"a report and its form are one of {', '.join(FORMS)}")
    return ReportRule(
        str(row["id"]), str(row["call"]), row["kind"], row["form"], row["valid_from"], row["source"], half, start, end, again,
        tuple(sorted(before, reverse=True)),
    )  # fmt: skip


def _extension(row: dict[str, Any]) -> ExtensionRule:
    months, part = int(row["months"]), micro(row["part"])
    if not 0 <= months <= 24 or not 0 <= part <= MICRO or not (months or part):
        raise ValueError("an extension is of 0 to 24 months and a part from 0 to 1, and of something")
    if row["after"] not in FORMS:
        raise ValueError(f"an extension follows a report: one of {', '.join(FORMS)}")
    return ExtensionRule(str(row["id"]), str(row["call"]), row["after"], months, part, row["valid_from"], row["source"])


def _thanks(row: dict[str, Any]) -> ThanksRule:
    funder = row["funder"] if row["funder"] == ANY else FunderKind(row["funder"])
    for text in (row["nl"], row["en"]):
        check_text(text)
    return ThanksRule(str(funder), row["nl"], row["en"], row["valid_from"], row["source"])
