"""Organisations, people, projects, credentials and applications on the wire."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from fabriek.schemas.base import Slug, Title, Wire, written

Email = Annotated[
    str, written(r"^[!-?A-~]{1,64}@[!-?A-~]{1,255}$", "an e-mail address in plain letters", to_lower=True)
]
"""Plain letters only, before it is made small: the Kelvin sign would become a k, and somebody else's address."""
Country = Annotated[str, written(r"^[A-Za-z]{2}$", "two letters, as in NL")]
Secret = Annotated[str, Field(min_length=1, max_length=200)]


class ConfirmIn(Wire):
    """A code of the app, or a recovery code."""

    code: Annotated[str, Field(min_length=1, max_length=40)]


class OrganisationIn(Wire):
    """`kvk` is optional: a new firm may have none yet."""

    name: Title
    kind: Annotated[str, Field(max_length=40)]
    country: Country = "NL"
    kvk: Annotated[str, written(r"^(\d{8})?$", "eight digits")] = ""
    slug: Slug | None = None


class OrganisationOut(Wire):
    id: str
    slug: str
    name: str
    kind: str
    country: str
    kvk: str


class PersonIn(Wire):
    """`roles`: those held everywhere, such as reviewer, funder, expert, operator."""

    name: Title
    email: Email
    roles: Annotated[list[str], Field(max_length=10)] = Field(default_factory=list)


class PersonOut(Wire):
    id: str
    name: str
    email: str
    organisation: str
    roles: list[str]


class InvitedOut(Wire):
    """A new person, and the address that signs them in once."""

    person: PersonOut
    sign_in: str


class LinkIn(Wire):
    """For whom; empty means oneself."""

    person: Annotated[str, Field(max_length=320)] = ""


class LinkOut(Wire):
    """An address that signs one person in, once, within the hour."""

    sign_in: str


class BootstrapIn(Wire):
    token: Secret
    organisation: OrganisationIn
    person: PersonIn


class SignInIn(Wire):
    code: Secret


class SignedInOut(Wire):
    """A token of the API. It is shown once."""

    token: str
    person: PersonOut


class WhoamiOut(Wire):
    """`projects`: each with the rights held there."""

    person: str
    name: str
    organisation: str
    rights: list[str]
    projects: dict[str, list[str]]


class ProjectOut(Wire):
    """`data_contact`: who answers for its data; `waits`: proposed changes. Both where one project is shown."""

    id: str
    slug: str
    title: str
    purpose: str
    label_ceiling: str
    lead_organisation: str
    data_contact: str = ""
    waits: list[str] = Field(default_factory=list)


class MemberIn(Wire):
    """`person`: an id or an address."""

    person: Annotated[str, Field(min_length=1, max_length=320)]
    role: Annotated[str, Field(max_length=40)] = "member"


class MemberOut(Wire):
    person: str
    name: str
    organisation: str
    role: str


Texts = dict[str, str]
"""A text by language: en, nl."""


class CallChoiceOut(Wire):
    value: str
    text: Texts


class CallColumnOut(Wire):
    """`kind`: text, long_text, number, date, choice or yes_no. `limit`: the longest text, or the largest number."""

    name: str
    kind: str
    question: Texts
    required: bool
    unit: str
    limit: int
    least: int | None
    choices: list[CallChoiceOut]


class CallFieldOut(CallColumnOut):
    """Also of the kinds choices, list, person, address and table. `when`: asked only where these fields have one of these answers."""

    section: str
    help: Texts
    example: Any
    when: dict[str, list[str | bool]]
    columns: list[CallColumnOut]
    rows_max: int


class CallSectionOut(Wire):
    name: str
    title: Texts
    help: Texts


class FormOut(Wire):
    """The questions of a call, or of a report."""

    name: str
    title: str
    titles: Texts
    summary: Texts
    source: str
    valid_from: date
    sections: list[CallSectionOut]
    fields: list[CallFieldOut]


class CallOut(FormOut):
    """`working_days`: until the decision, from `next_cut_off` where there is one. `decided_by`: automatic, person or experts."""

    is_open: bool
    opens: date | None
    closes: date | None
    next_cut_off: datetime | None
    decided_by: str
    working_days: int
    months: list[int]
    gpu_hours_max: int
    kinds: list[str]
    countries: list[str]


class FaultOut(Wire):
    """`field`: `title`, or `plan.3.node_hours` for its third row."""

    field: str
    message: Texts


class SumOut(Wire):
    """A total as found; `wanted` is empty where it is only shown."""

    title: Texts
    group: str
    found: float
    wanted: float | None
    unit: str
    agrees: bool


class SectionProgressOut(Wire):
    """`state`: not_started, in_progress or done."""

    name: str
    title: Texts
    state: str
    faults: list[FaultOut]


class ProgressOut(Wire):
    """How far an application is, section by section."""

    complete: bool
    revision: int
    sections: list[SectionProgressOut]
    totals: list[SumOut]


class AnswersIn(Wire):
    """Answers to change; an empty one takes an answer out. `revision`: the edit that they were made on, so that nobody is written over."""

    answers: Annotated[dict[str, Any], Field(max_length=500)]
    revision: int | None = None


class ExportOut(Wire):
    """An application with every question of its call; `format` names the version of what is in it."""

    document: dict[str, Any]


class SharedIn(Wire):
    """Who of another organisation edits along, by their id."""

    person: Annotated[str, Field(min_length=1, max_length=80)]


class ApplicationIn(Wire):
    call: Slug
    answers: Annotated[dict[str, Any], Field(max_length=500)] = Field(default_factory=dict)


class CheckOut(Wire):
    name: str
    passed: bool
    found: str


class ApplicationOut(Wire):
    """`project`: what it became, once it was awarded. `moved`: why it is of another call than was asked."""

    id: str
    call: str
    organisation: str
    state: str
    answers: dict[str, Any]
    checks: list[CheckOut]
    made_at: datetime
    project: str = ""
    waits_for: str = ""
    moved: str = ""
    revision: int = 0
    edited_at: datetime | None = None
    edited_by: str = ""
