"""What agreements are made of on the wire: labels, terms, requests on their way, grants, and what two people decide together."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from fabriek.schemas.base import Wire
from fabriek.schemas.vault import LabelName, PlaceName, Question, Words

Reason = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
PersonId = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class LabelOut(Wire):
    """One label. `above`: those directly below it; `places`: where data of it may be, anywhere where that is empty."""

    name: str
    above: list[str]
    aliases: list[str]
    needs_agreement: bool
    needs_accreditation: bool
    logs_withheld: bool
    whole_gpus: bool
    places: list[str]
    is_default: bool


class RetiredOut(Wire):
    """A word of a scheme that was replaced, and the label that it means today."""

    name: str
    now: str
    scheme: str
    successor: str


class LabelsOut(Wire):
    """The labels of this installation, each after those below it. What is two things at once is labelled A+B."""

    labels: list[LabelOut]
    retired: list[RetiredOut]


class TermsIn(Wire):
    """New terms: Markdown, the form's questions, and who decides; an empty committee means the owner's people. Questions or a committee that
    are not said, or null, stay those of the terms before.
    """

    text: Annotated[str, StringConstraints(min_length=1, max_length=100_000)]
    questions: list[Question] | None = Field(default=None, max_length=20)
    committee: list[PersonId] | None = Field(default=None, max_length=50)


class TermsOut(Wire):
    """One version of a dataset's terms. `sha256` is of the text: accepting names it."""

    dataset: str
    number: int
    text: str
    sha256: str
    questions: list[str]
    committee: list[str]
    set_by: str
    set_at: datetime


class AcceptIn(Wire):
    """I have read these very words. `number` 0 means the newest."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    number: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class AcceptanceOut(Wire):
    """Who accepted which terms, and when."""

    number: int
    sha256: str
    person: str
    person_name: str
    accepted_at: datetime


class MoveIn(Wire):
    """Takes a request on: `sent` and `closed` by the asker; `review`, `returned`, `rejected` and `closed` by who decides."""

    state: Annotated[str, StringConstraints(max_length=20)]
    words: Words = ""
    answers: dict[Question, Words] = Field(default={}, max_length=20)


class ApproveIn(Wire):
    """Says yes, to the end of the day `until`. `places`: where jobs may run, anywhere where that is empty."""

    until: date
    places: list[PlaceName] = Field(default=[], max_length=20)
    words: Words = ""


class OpenGrantOut(Wire):
    """What is open now. `person` holds it, or their job."""

    grant: str
    version: str
    right: str
    person: str
    person_name: str
    job: str
    project: str
    opened_at: datetime
    expires_at: datetime


class LoweringIn(Wire):
    """A lower label, and why."""

    label: LabelName
    reason: Reason


class ReasonIn(Wire):
    """Why."""

    reason: Reason


class ProposalOut(Wire):
    """What nobody does alone: `act` is lower or release, `subject` the dataset or job. `signed_by`: in order, and so their names. `covers`: of
    a lowering, the number of the newest version that it is about, 0 for none.
    """

    id: str
    act: str
    subject: str
    label: str
    reason: str
    proposed_by: str
    proposed_by_name: str
    proposed_at: datetime
    outcome: str
    signed_by: list[str]
    signed_by_names: list[str]
    refused_by: str
    words: str
    covers: int
