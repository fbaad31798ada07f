"""A call: what may be applied for, by whom, and what is asked. Calls are data, so that one is added without code."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic import Field as Limits

from fabriek.kernel.errors import NotFound

ROWS_MAX = 200
"""Of any table or list, whatever its call says."""

FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
CallName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
CellKind = Literal["text", "long_text", "number", "date", "choice", "yes_no"]
Kind = Literal[CellKind, "choices", "list", "person", "address", "table"]
KINDS_IN_ROWS = ("person", "address", "table")
TEXTS_MAX: Mapping[str, int] = {"text": 500, "long_text": 4000, "list": 200, "number": 10**9}
"""The limit of a field that names none: characters, or the largest number."""


class _Data(BaseModel):
    """Read from a file that an operator wrote: what it does not know is a misspelling, and is said. Pydantic names all slips at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Said(_Data):
    """A text in both languages."""

    en: Words
    nl: Words

    def in_(self, language: str) -> str:
        return self.nl if language == "nl" else self.en


class Choice(_Data):
    """One of the answers that may be chosen; `value` is what is kept."""

    value: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    en: Words
    nl: Words

    def in_(self, language: str) -> str:
        return self.nl if language == "nl" else self.en


def _choice(raw: Any) -> Any:
    return {"value": raw, "en": raw, "nl": raw} if isinstance(raw, str) else raw


Choices = tuple[Annotated[Choice, BeforeValidator(_choice)], ...]


class Column(_Data):
    """A question with one plain answer. `limit`: the longest text, or the largest number; `least`: the smallest number, else above 0.

    `at_most` names a field whose number the answer may not pass.
    """

    name: FieldName
    kind: Kind
    question: Said
    required: bool = True
    unit: str = ""
    limit: Annotated[int | None, Limits(gt=0)] = None
    least: int | None = None
    whole: bool = False
    at_most: str = ""
    choices: Choices = ()

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(one.value for one in self.choices)

    @property
    def limited(self) -> int:
        """The limit, also where the file names none."""
        return self.limit if self.limit is not None else TEXTS_MAX.get(self.kind, 500)


class Cell(Column):
    """A column of a table."""

    kind: CellKind


class Asked(Column):
    """One question of a form. `when`: it is asked only where each of these fields has one of these answers. `beyond`: the call for more."""

    help: Said | None = None
    example: Any = None
    when: Mapping[str, tuple[str | bool, ...]] = {}
    beyond: str = ""
    columns: tuple[Cell, ...] = ()
    rows_max: Annotated[int, Limits(ge=1, le=ROWS_MAX)] = 50
    rows_min: Annotated[int, Limits(ge=0, le=ROWS_MAX)] = 0


class Section(_Data):
    """What is filled in together: a page, and a line of the task list."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    title: Said
    help: Said | None = None
    fields: Annotated[tuple[Asked, ...], Limits(min_length=1)]


class Total(_Data):
    """A sum that is shown and, with `equals`, must agree. `sum`: `plan.node_hours`, or a product of columns of one table in each row:
    `partitions.node_hours * partitions.gpus_per_node`. `equals`: a number's field, or a column. `by`: agreeing for each value of that column.
    """

    title: Said
    sum: str
    equals: str = ""
    by: str = ""
    unit: str = ""

    @property
    def table(self) -> str:
        return self.sum.split(".")[0]

    @property
    def factors(self) -> tuple[str, ...]:
        return tuple(one.strip().rpartition(".")[2] for one in self.sum.split("*"))


class CutOffs(_Data):
    """Until when applications are taken together: each listed day, or every so many months from the first on, at an hour of a place."""

    time: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "10:00"
    zone: str = "Europe/Amsterdam"
    days: tuple[date, ...] = ()
    first: date | None = None
    every_months: Annotated[int, Limits(ge=1, le=24)] = 1

    def next_after(self, now: datetime) -> datetime | None:
        """The first that has not passed: at its very moment it has. None after the last."""
        at, zone = time.fromisoformat(self.time), ZoneInfo(self.zone)
        for day in self._days():
            moment = datetime.combine(day, at, zone)
            if moment > now:
                return moment
        return None

    def _days(self) -> Iterator[date]:
        yield from sorted(self.days)
        for number in range(240) if self.first else ():
            assert self.first is not None, "asked one line above"
            years, month = divmod(self.first.month - 1 + number * self.every_months, 12)
            yield _in_month(self.first.year + years, month + 1, self.first.day)


class DecidedBy(StrEnum):
    """Who decides: the automatic checks alone, a person's check after them, or experts and a committee."""

    AUTOMATIC = "automatic"
    PERSON = "person"
    EXPERTS = "experts"


class Form(_Data):
    """Questions in parts, in both languages, with totals: what a call asks of applicants, and what a report asks of a project."""

    name: CallName
    titles: Said
    summary: Said
    source: Words
    valid_from: date
    sections: Annotated[tuple[Section, ...], Limits(min_length=1)]
    totals: tuple[Total, ...] = ()

    @property
    def title(self) -> str:
        return self.titles.en

    @property
    def shown_by(self) -> str:
        """The command that shows its questions."""
        return f"fabriek report form {self.name}"

    @property
    def fields(self) -> tuple[Asked, ...]:
        """Every question, in the order of the form."""
        return tuple(field for section in self.sections for field in section.fields)

    def field(self, name: str) -> Asked | None:
        return next((one for one in self.fields if one.name == name), None)

    def section(self, name: str) -> Section:
        """Raises NotFound."""
        for one in self.sections:
            if one.name == name:
                return one
        raise NotFound("this form has no such part", fix=self.shown_by)


class Call(Form):
    """Amounts are in whole hours of each resource; `countries` may apply; `kinds` of organisation too. Both days of opening count.

    `working_days`: promised until the decision, from the cut-off where there are any, else from the submission.
    """

    opens: date | None = None
    closes: date | None = None
    cut_offs: CutOffs | None = None
    decided_by: DecidedBy = DecidedBy.AUTOMATIC
    working_days: Annotated[int, Limits(ge=1, le=250)]
    experts_min: Annotated[int, Limits(ge=0, le=9)] = 0
    months: tuple[int, ...]
    amounts: Mapping[Literal["cpu_hour", "tib_hour", "expert_hour", "token"], Annotated[int, Limits(gt=0)]]
    gpu_hours_max: Annotated[int, Limits(gt=0)]
    gpu_hours_min: Annotated[int, Limits(ge=0)] = 0
    kinds: tuple[str, ...]
    countries: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")], ...]

    @property
    def shown_by(self) -> str:
        return f"fabriek apply call {self.name}"

    def is_open(self, now: datetime, today: date) -> bool:
        """Whether something may be filed: between both days, and before the last cut-off."""
        between = (self.opens is None or self.opens <= today) and (self.closes is None or today <= self.closes)
        return between and (self.cut_offs is None or self.cut_offs.next_after(now) is not None)


class Calls:
    """Every call of an installation, read once at the start."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = {one.name: one for one in calls}

    def of(self, name: str) -> Call:
        """Raises NotFound."""
        found = self._calls.get(name)
        if found is None:
            raise NotFound("there is no such call", fix="fabriek apply calls lists them")
        return found

    def all(self) -> Sequence[Call]:
        """By the hours that they give, the smallest first: that is the order in which people grow into them."""
        return sorted(self._calls.values(), key=lambda one: (one.gpu_hours_max, one.name))


def _in_month(year: int, month: int, day: int) -> date:
    """That day, or the month's last where it has fewer."""
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(day, last))
