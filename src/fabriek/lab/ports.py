"""What the lab needs from the outside world."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from fabriek.lab.artifacts import Artifact
from fabriek.lab.experiments import Experiment
from fabriek.lab.runs import Metric, Run


class Experiments(Protocol):
    """Storage of experiments. Every change joins the transaction that is open."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def add(self, experiment: Experiment) -> None:
        """Raises AlreadyExists when the project has one of that name or id."""

    def get(self, project: str, experiment: str) -> Experiment:
        """Raises NotFound."""

    def named(self, project: str, name: str) -> Experiment | None: ...

    def of_project(self, project: str) -> Sequence[Experiment]:
        """By id."""


class Runs(Protocol):
    """Storage of runs."""

    def add(self, run: Run) -> None: ...

    def get(self, project: str, run_id: str) -> Run:
        """Raises NotFound."""

    def anywhere(self, run_id: str) -> Run:
        """For the factory's own worker. Raises NotFound."""

    def save(self, run: Run) -> None: ...

    def of_job(self, job: str) -> Sequence[Run]:
        """The job's own run and those that its script began, oldest first."""

    def of_experiments(self, project: str, experiments: Sequence[str]) -> Sequence[Run]:
        """Newest first; all of the project where none is named."""


class Tracks(Protocol):
    """What runs logged."""

    def add_metrics(self, run: str, metrics: Sequence[Metric]) -> None:
        """A point that is there already, to the last bit, is not kept twice."""

    def latest(self, runs: Sequence[str]) -> Mapping[str, Sequence[Metric]]:
        """Run → the newest point of each metric."""

    def history(self, run: str, key: str, *, limit: int, after: int) -> Sequence[tuple[int, Metric]]:
        """(row, point) in the order in which they came, from the row after `after` on."""

    def put_params(self, run: str, params: Mapping[str, str]) -> None:
        """Raises InvalidInput when one has another value already: a parameter is written once."""

    def put_tags(self, run: str, tags: Mapping[str, str]) -> None: ...

    def params(self, runs: Sequence[str]) -> Mapping[str, Mapping[str, str]]: ...

    def tags(self, runs: Sequence[str]) -> Mapping[str, Mapping[str, str]]: ...


class ModelRuns(Protocol):
    """Which run logged a model: a model's files are its run's."""

    def run_of(self, project: str, model_id: str) -> str:
        """The id of the run. Raises NotFound."""


class Artifacts(Protocol):
    """Which files there are, and in which object each is."""

    def put(self, artifact: Artifact) -> str:
        """Keeps it; the id of the object that it replaces, or empty."""

    def get(self, project: str, root: str, path: str) -> Artifact:
        """Raises NotFound."""

    def below(self, project: str, root: str, prefix: str) -> Sequence[Artifact]:
        """All whose path is the prefix or lies below it, by path."""

    def remove(self, project: str, root: str, path: str) -> None: ...


class Safe(Protocol):
    """Where bytes are sealed: the vault's."""

    def put(self, dataset_id: str, chunks: Iterable[bytes]) -> "Sealed": ...

    def open(self, dataset_id: str, object_id: str) -> Iterator[bytes]: ...

    def remove(self, dataset_id: str, object_id: str) -> None: ...


class Sealed(Protocol):
    """What the safe says of an object that it took."""

    @property
    def id(self) -> str: ...


class Rooms(Protocol):
    """Which dataset of the vault holds a project's artifacts."""

    def room(self, project_id: str) -> str: ...
