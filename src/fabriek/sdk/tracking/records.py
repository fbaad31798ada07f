"""What a tracking store holds, in MLflow's own terms, wherever it was read. Instants are milliseconds since 1970; 0 where there is none."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Experiment:
    id: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    created_ms: int = 0
    changed_ms: int = 0
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one metric. What it was measured on, where its client said so: a model, a dataset."""

    value: float
    at_ms: int
    step: int
    model: str = ""
    dataset: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset that a run read, as the run's own client named it."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """`keys` are the metrics that it has; their points are asked for apart. `outputs`: (model, step)."""

    id: str
    experiment: str
    name: str
    user: str
    status: str
    started_ms: int
    ended_ms: int = 0
    is_deleted: bool = False
    artifacts: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    keys: Sequence[str] = ()
    datasets: Sequence[Dataset] = ()
    models: Sequence[str] = ()
    outputs: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """A logged model. `measured`: (run, key, point) of what was measured on it."""

    id: str
    experiment: str
    name: str
    kind: str
    run: str
    status: str
    artifacts: str = ""
    created_ms: int = 0
    changed_ms: int = 0
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    measured: Sequence[tuple[str, str, Point]] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a registered model."""

    name: str
    number: int
    source: str
    run: str
    model: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    created_ms: int = 0
    changed_ms: int = 0


@dataclass(frozen=True, slots=True)
class Registered:
    """A registered model with its versions, oldest first, and what its aliases point at."""

    name: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, int] = field(default_factory=dict)
    versions: Sequence[Version] = ()
    created_ms: int = 0
    changed_ms: int = 0


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something is there that cannot be read: counted, never passed over in silence."""

    name: str
    reason: str


def model_in(source: str) -> str:
    """The logged model that a version's source names, where it names one: `models:/m-…`."""
    return source.removeprefix("models:/").partition("/")[0] if source.startswith("models:/m-") else ""


Owner = Run | Model
"""What has artifacts."""


class Source(Protocol):
    """Where tracking records are read from. Raises FabriekError on what is not there or not to be had."""

    where: str

    def experiments(self) -> Iterator[Experiment | Unreadable]:
        """Deleted ones too."""

    def runs(self, experiment: Experiment) -> Iterator[Run | Unreadable]:
        """Deleted ones too."""

    def points(self, run: Run, key: str) -> Iterator[Point]:
        """Every one, in the order in which the store gives them."""

    def models(self, experiment: Experiment) -> Iterator[Model | Unreadable]: ...

    def registered(self) -> Iterator[Registered | Unreadable]: ...

    def files(self, owner: Owner) -> Iterator[tuple[str, int]]:
        """(path, size) of each artifact, by path."""

    def open(self, owner: Owner, path: str) -> AbstractContextManager[Iterator[bytes]]:
        """An artifact's bytes, in pieces."""
