"""Reviews on the wire."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from fabriek.schemas.access import CheckOut
from fabriek.schemas.base import Text, Wire


class WordsIn(Wire):
    """A question, an answer, or a motive."""

    words: Text


class QuestionIn(WordsIn):
    """A question to the applicant. `fields`: the answers that they may change while the clock stands still."""

    fields: list[Annotated[str, Field(max_length=63)]] = Field([], max_length=50)


class TechnicalIn(Wire):
    """The technical check."""

    passed: bool
    words: Text


class ExpertIn(Wire):
    """Who is asked: an id or an address."""

    person: str


class ReleaseIn(WordsIn):
    """Whose assignment is taken back, by id or address."""

    person: Annotated[str, Field(min_length=1, max_length=254)]


class DeclineIn(Wire):
    """`conflict`: there is a conflict of interest."""

    words: Text
    conflict: bool = False


class MeasuredIn(Wire):
    """One run on `nodes` nodes."""

    nodes: int
    seconds: float
    input: str


class MeasurementsIn(Wire):
    """Runs on one input, and how many nodes are wanted."""

    measured: list[MeasuredIn] = Field(max_length=100)
    nodes: int = 0


class AssessmentIn(Wire):
    """`no_conflict`: the expert says that they have no conflict of interest."""

    scores: dict[str, Any]
    text: Text
    no_conflict: bool = False


class DecisionIn(Wire):
    """`verdict`: award or refuse. `gpu_hours`: where it is not all that was asked."""

    verdict: str
    words: Text
    gpu_hours: int | None = None
    share: str = ""


class QuestionOut(Wire):
    """What the applicant was asked."""

    text: str
    fields: list[str]
    asked_at: datetime
    answer: str
    answered_at: datetime | None


class AssessmentOut(Wire):
    """`mine`: of who asks. The others' are there once all are in."""

    expert: str
    mine: bool
    due_at: datetime
    submitted_at: datetime | None
    declined: bool
    scores: dict[str, int]
    total: int | None
    text: str


class AskedOut(Wire):
    """An expert who was asked: their id and name, and until when."""

    person: str
    expert: str
    due_at: datetime


class DecisionOut(Wire):
    """`stands`: it counts; otherwise a second signature is missing."""

    verdict: str
    motive: str
    gpu_hours: int
    decided_at: datetime
    stands: bool
    objection_until: date | None


class ScalingLineOut(Wire):
    nodes: int
    seconds: float
    speed_up: float
    efficiency: float
    efficient: bool


class CriterionOut(Wire):
    """One thing to score, from 0 to `score_max`."""

    name: str
    weight: int
    help: str
    score_max: int


class DeclinedOut(Wire):
    """That an expert does not assess it. The application itself is not theirs to see any more."""

    application: str
    declined_at: datetime
    conflict: bool


class ReviewOut(Wire):
    """One application on its way, as far as the reader may see it. `percent`: of the time that was promised."""

    application: str
    call: str
    title: str
    state: str
    means: str
    next: str
    part: str
    due_at: datetime | None
    percent: int
    paused: bool
    round_at: datetime | None
    queue: int
    answers: dict[str, Any]
    checks: list[CheckOut]
    questions: list[QuestionOut]
    experts: list[AskedOut]
    objection_until: date | None
    assessments: list[AssessmentOut]
    criteria: list[CriterionOut]
    decision: DecisionOut | None
    scaling: list[ScalingLineOut]
    flags: list[str]


class RankedOut(Wire):
    """One line of a ranking; `total` is the mean, of 0 to 100."""

    application: str
    title: str
    total: int


class ToldOut(Wire):
    """What somebody was told."""

    application: str
    what: str
    says: str
    made_at: datetime


class StepOut(Wire):
    """One step of a review."""

    at: datetime
    act: str
    by: str
    state: str
    words: str
