"""What reviewing needs kept, and what it asks of others."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from fabriek.access.applying.applications import Application
from fabriek.access.reviewing.assessments import Assignment
from fabriek.access.reviewing.cases import Case, Question
from fabriek.access.reviewing.decisions import Decision
from fabriek.access.reviewing.history import Step
from fabriek.access.reviewing.telling import Told
from fabriek.kernel.callers import Caller


class Cases(Protocol):
    """Storage of cases, questions and steps. Every change joins the transaction that is open."""

    def put(self, case: Case) -> None: ...

    def case(self, application: str) -> Case | None: ...

    def running(self) -> Sequence[Case]:
        """Those whose clock is not stopped, oldest first."""

    def put_question(self, question: Question) -> None: ...

    def questions(self, application: str) -> Sequence[Question]: ...

    def add_step(self, step: Step) -> None: ...

    def steps(self, application: str) -> Sequence[Step]: ...


class Assignments(Protocol):
    """Storage of experts' work, and of decisions."""

    def put(self, assignment: Assignment) -> None: ...

    def of_application(self, application: str) -> Sequence[Assignment]:
        """In an order that tells nothing of who was asked first."""

    def of_person(self, person: str) -> Sequence[Assignment]: ...

    def put_decision(self, decision: Decision) -> None: ...

    def decision(self, application: str) -> Decision | None: ...


class Notices(Protocol):
    """Storage of what people were told."""

    def add(self, told: Told) -> bool:
        """False where it was written before."""

    def of_person(self, person: str) -> Sequence[Told]: ...

    def unsent(self, now: datetime, *, limit: int) -> Sequence[Told]: ...

    def save(self, told: Told) -> None: ...


class Past(Protocol):
    """Who was in which project."""

    def changed_for(self, person: str, since: datetime) -> frozenset[str]:
        """Ids of projects that this person came into or went out of, or had another role in, since then."""


class Awards(Protocol):
    """Funding's part of a decision."""

    def award_decided(self, application: Application, gpu_hours: int, *, share: str, by: Caller) -> object:
        """Joins the transaction. Raises CreditsExhausted, NotPermitted naming the purpose rule."""
