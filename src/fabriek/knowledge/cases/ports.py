"""What cases need from the outside world."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from fabriek.knowledge.cases.cases import Case, Step
from fabriek.knowledge.cases.documents import Document


class Cases(Protocol):
    """Storage of cases, their steps and their documents. Every method joins the transaction that is open."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def put(self, case: Case) -> None: ...

    def get(self, case_id: str) -> Case:
        """Raises NotFound."""

    def all(self, *, limit: int) -> Sequence[Case]:
        """Those that are not closed first, then by what is due first."""

    def known_to(self, person: str, projects: Collection[str], organisation: str) -> Sequence[Case]:
        """Those that the person asked for or is on, those of these projects, and, where one is named, of this organisation without a project."""

    def add_step(self, step: Step) -> None: ...

    def steps(self, case_id: str) -> Sequence[Step]:
        """In their order."""


class Documents(Protocol):
    """Storage of use-case documents: versions are added, and none is changed."""

    def add(self, document: Document) -> None:
        """Raises AlreadyExists where there is one of that number."""

    def versions(self, case_id: str) -> Sequence[Document]:
        """Newest first; empty where there is none."""
