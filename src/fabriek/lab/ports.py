"""What the lab needs from the outside world."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from fabriek.lab.artifacts import Artifact
from fabriek.lab.experiments import Experiment
from fabriek.lab.metrics import Metric, ModelMetric, Place, Series
from fabriek.lab.outlines import Outline
from fabriek.lab.runs import DataInput, Links, ModelLink, Run
from fabriek.lab.wanted import Wanted


class Experiments(Protocol):
    """Storage of experiments. Every change joins the transaction that is open."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def add(self, experiment: Experiment) -> None:
        """Raises AlreadyExists when the project has one of that name or id."""

    def get(self, project: str, experiment: str) -> Experiment:
        """Raises NotFound."""

    def save(self, experiment: Experiment) -> None:
        """Raises AlreadyExists when another one has its name."""

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

    def some(self, wanted: Collection[str]) -> Mapping[str, Run]:
        """Those of the ids that are there, of whatever project."""

    def save(self, run: Run) -> None:
        """All but its label."""

    def relabel(self, run: str, label: str) -> None: ...

    def save_all(self, project: str, experiment: str, *, is_deleted: bool) -> None:
        """Marks all runs of an experiment."""

    def of_job(self, job: str) -> Sequence[Run]:
        """The job's own run and those that its script began, oldest first."""

    def of_experiments(self, project: str, experiments: Sequence[str]) -> Sequence[Run]:
        """Newest first; all of the project where none is named."""


class Points(Protocol):
    """What runs measured."""

    def add(self, given: Mapping[str, Iterable[Metric]]) -> None:
        """Run → points. A point that is there already, to the last bit, is not kept twice."""

    def series(self, runs: Sequence[str]) -> Mapping[str, Sequence[Series]]:
        """Run → its series, by key."""

    def one(self, run: str, key: str) -> Series | None: ...

    def history(self, series_id: int, *, limit: int, after: Place = ...) -> Sequence[Place]:
        """Points in order, from the one behind `after` on."""

    def outlines(self, series_id: int) -> Sequence[Outline]:
        """In order; what is behind the last of them has none yet."""


class Search(Protocol):
    """Runs that meet conditions."""

    def runs(self, wanted: Wanted, *, limit: int, offset: int = 0) -> Sequence[Run]:
        """In the order that is asked for, else the latest first."""

    def labels_of(self, project: str) -> Sequence[str]:
        """Every label that a run of the project carries, joins of several among them."""

    def jobs_under(self, project: str, labels: Collection[str]) -> Sequence[str]:
        """Jobs whose runs carry one of the labels."""


class Tracks(Protocol):
    """What runs say of themselves."""

    def put_params(self, run: str, params: Mapping[str, str]) -> None:
        """Raises InvalidInput when one has another value already: a parameter is written once."""

    def first_tags(self, run: str, tags: Mapping[str, str]) -> None:
        """Of a run that was just made and has none."""

    def put_tags(self, run: str, tags: Mapping[str, str]) -> None: ...

    def remove_tag(self, run: str, key: str) -> bool:
        """Whether it was there."""

    def params(self, runs: Sequence[str]) -> Mapping[str, Mapping[str, str]]: ...

    def tags(self, runs: Sequence[str]) -> Mapping[str, Mapping[str, str]]: ...

    def put_inputs(self, run: str, given: Sequence[DataInput]) -> None:
        """The same name and digest again is the same input, of which the first word counts."""

    def put_models(self, run: str, given: Sequence[ModelLink], *, out: bool) -> None: ...

    def links(self, runs: Sequence[str]) -> Mapping[str, Links]:
        """Of each of the runs, in the order in which they came."""

    def put_model_metrics(self, given: Sequence[ModelMetric]) -> None:
        """Keeps the newest of each."""

    def model_metrics(self, models: Sequence[str]) -> Mapping[str, Sequence[ModelMetric]]: ...


class LoggedModels(Protocol):
    """Whose a logged model is: its files are its run's, or of nobody's run."""

    def logged(self, project: str, model_id: str) -> "Logged":
        """Also one that was deleted. Raises NotFound."""


class Logged(Protocol):
    """What is asked of a logged model."""

    @property
    def id(self) -> str: ...
    @property
    def experiment(self) -> str: ...
    @property
    def run(self) -> str:
        """Empty for one that a person made outside of a run."""

    @property
    def label(self) -> str: ...
    @property
    def is_deleted(self) -> bool: ...


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
