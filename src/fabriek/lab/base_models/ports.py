"""What base models need from the outside world."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from fabriek.lab.base_models.models import BaseModel, Content, ModelFile, Revision, Use
from fabriek.lab.ports import Sealed


class BaseModelStore(Protocol):
    """Storage of base models and their revisions. Every change joins the transaction that is open."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def put(self, model: BaseModel) -> None: ...

    def get(self, project: str, name: str) -> BaseModel | None: ...

    def of_project(self, project: str) -> Sequence[BaseModel]:
        """By name."""

    def remove(self, model: BaseModel) -> None:
        """With all its revisions."""

    def add_revision(self, revision: Revision, files: Sequence[ModelFile]) -> None:
        """Nothing where the model has that commit already."""

    def revision(self, project: str, name: str, commit: str) -> Revision | None: ...

    def files(self, project: str, name: str, commit: str) -> Sequence[ModelFile]:
        """By path."""


class Contents(Protocol):
    """Storage of what arrived for models."""

    def add(self, content: Content) -> None: ...

    def among(self, project: str, name: str, sha256s: Sequence[str]) -> Sequence[Content]:
        """What is not known is left out."""

    def unused(self, project: str, before: datetime) -> Sequence[Content]:
        """What arrived before that, for whatever model, and is in no revision of it."""

    def of_model(self, project: str, name: str) -> Sequence[Content]: ...

    def remove(self, content: Content) -> None: ...


class Uses(Protocol):
    """Who read which revision."""

    def note(self, use: Use) -> bool:
        """Whether this is the first time that the job, or the person on that day, reads it."""

    def of_job(self, job: str) -> Sequence[Use]:
        """By name and commit."""


class JobLabels(Protocol):
    """What a job carries, as compute keeps it."""

    def check(self, job: str, label: str) -> None:
        """Raises NotPermitted where the job may not read what carries this label."""

    def rise(self, job: str, label: str) -> None:
        """From now on the job, and all that it makes, carry this label too. Raises NotPermitted. Idempotent."""


class Labelled(Protocol):
    """The vault's rule about what may be where."""

    def check_may_hold(self, label: str, project: str) -> None:
        """Raises NotPermitted when what carries this label may not be here, or not in this project."""


class Safe(Protocol):
    """Where bytes are sealed; the vault's own."""

    def put(self, dataset_id: str, chunks: Iterable[bytes]) -> Sealed: ...

    def open(self, dataset_id: str, object_id: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]: ...

    def remove(self, dataset_id: str, object_id: str) -> None: ...
