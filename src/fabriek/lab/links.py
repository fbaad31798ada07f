"""What a run hangs on: the job that made it, the data and the code that the job read, and the models that came of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fabriek.kernel.callers import Caller
from fabriek.lab.finding import one_of
from fabriek.lab.registry.service import Registry
from fabriek.lab.service import Lab


@dataclass(frozen=True, slots=True)
class Read:
    """A dataset version that the job of a run read."""

    dataset: str
    name: str
    number: int
    version: str
    label: str


@dataclass(frozen=True, slots=True)
class Origin:
    """What a job was given and left. `code` and `output` are version ids of the vault; `environment_hash` says which packages it saw."""

    job: str
    name: str
    number: str
    inputs: Sequence[Read] = ()
    code: str = ""
    output: str = ""
    environment_hash: str = ""
    array: str = ""


@dataclass(frozen=True, slots=True)
class Became:
    """A model version that holds what the run logged."""

    name: str
    number: int
    label: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Links:
    """`origin` is None for a run that no job made: of that we know what its script said, and no more."""

    run: str
    origin: Origin | None
    models: Sequence[Became]


class Linking:
    """The verb. origin_of: what the factory knows of a job, by its id."""

    def __init__(self, lab: Lab, registry: Registry, origin_of: Callable[[str], Origin | None]) -> None:
        self._lab, self._registry, self._origin_of = lab, registry, origin_of

    def of_run(self, project: str, run: str, *, by: Caller) -> Links:
        """Raises NotFound."""
        found = one_of(self._lab, project, run, by=by).run
        origin = self._origin_of(found.job) if found.job else None
        return Links(
            found.id,
            origin,
            [
                Became(name, number, label, sha256)
                for name, number, sha256, label in self._registry.models_of_run(found.id)
            ],
        )
