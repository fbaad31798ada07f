"""Verbs on artifacts: take, give, list. Bytes are sealed as they stream through; users name paths, never places in the store."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.kernel.streams import Counted
from fabriek.lab.artifacts import Artifact, split
from fabriek.lab.ports import Artifacts, Experiments, LoggedModels, Rooms, Runs, Safe
from fabriek.lab.runs import Run

MayTakeAway = Callable[[Caller, Run], None]
"""Raises NotPermitted unless the caller may take what this run made out of the building."""

Serves = Callable[[str, str], bool]
"""Whether the job serves a model whose files lie there, and so reads them though another job made them."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a root is. `run` is None for a model that a person made outside of a run; `is_deleted`: it takes no more files."""

    id: str
    label: str
    run: Run | None
    is_deleted: bool


class Keeping:
    """The files of runs and logged models."""

    def __init__(
        self,
        artifacts: Artifacts,
        experiments: Experiments,
        runs: Runs,
        models: LoggedModels,
        *,
        safe: Safe,
        rooms: Rooms,
        audit: Audit,
        may_take_away: MayTakeAway,
        serves: Serves = lambda _job, _place: False,
    ) -> None:
        self._artifacts, self._experiments, self._runs, self._models = artifacts, experiments, runs, models
        self._safe, self._rooms, self._audit, self._may_take_away = safe, rooms, audit, may_take_away
        self._serves = serves

    def put(self, project: str, place: str, chunks: Iterable[bytes], *, by: Caller) -> Artifact:
        """Seals a stream under a path. Durable when it returns. Raises InvalidInput on a path that leads anywhere else."""
        require(by, "lab.write", project=project)
        root, path = split(place)
        if not path:
            raise NotFound(f"No such artifact: '{place}'")
        owner = self._owner(project, root, by)
        if owner.is_deleted:
            raise InvalidInput(f"The run {owner.id} must be in the 'active' state. Current state is deleted.")
        room = self._rooms.room(project)
        counted = Counted(chunks)
        sealed = self._safe.put(room, counted)
        kept = Artifact(project, root, path, sealed.id, counted.size, counted.sha256.hexdigest())
        with self._experiments.transaction():
            replaced = self._artifacts.put(kept)
        if replaced:
            self._safe.remove(room, replaced)
        return kept

    def open(self, project: str, place: str, *, by: Caller) -> tuple[Artifact, Iterator[bytes]]:
        """The bytes of a file. Outside a job that takes them away, and the run's label decides whether one may."""
        root, path = split(place)
        owner = self._owner(project, root, by, reads=f"{root}/artifacts/{path}")
        found = self._artifacts.get(project, root, path)
        if not by.job:
            if owner.run is not None:
                self._may_take_away(by, owner.run)
            with self._experiments.transaction():
                self._audit.record(
                    "artifact.taken", owner.id, by, project=project, label=owner.label, sha256=found.sha256
                )
        return found, self._safe.open(self._rooms.room(project), found.object_id)

    def listed(self, project: str, place: str, *, by: Caller) -> Sequence[tuple[str, int | None]]:
        """(name, size) of what lies directly below a folder; the size of a folder is None."""
        root, prefix = split(place)
        self._owner(project, root, by, reads=f"{root}/artifacts/{prefix}")
        seen: dict[str, int | None] = {}
        for one in self._artifacts.below(project, root, prefix):
            rest = one.path[len(prefix) :].strip("/") if prefix else one.path
            if not rest:
                continue
            name, deeper, _ = rest.partition("/")
            seen[name] = None if deeper else one.size
        return sorted(seen.items())

    def remove(self, project: str, place: str, *, by: Caller) -> None:
        """A file, or everything below a folder."""
        require(by, "lab.write", project=project)
        root, prefix = split(place)
        owner = self._owner(project, root, by)
        room = self._rooms.room(project)
        for one in self._artifacts.below(project, root, prefix):
            with self._experiments.transaction():
                self._artifacts.remove(project, root, one.path)
                self._audit.record("artifact.removed", owner.id, by, project=project, sha256=one.sha256)
            self._safe.remove(room, one.object_id)

    def files(self, project: str, root: str, prefix: str = "") -> Sequence[Artifact]:
        """Everything below a root, or below a folder of it, by path: for hashing a model."""
        return self._artifacts.below(project, root, prefix)

    def _owner(self, project: str, root: str, by: Caller, *, reads: str = "") -> Owner:
        """Whom a root belongs to. Raises NotFound for one that the caller may not know, and for one in another experiment than it says.

        reads: what is only read there.
        """
        require(by, "lab.view", project=project)
        experiment, _, rest = root.partition("/")
        model = self._models.logged(project, rest.removeprefix("models/")) if rest.startswith("models/") else None
        run_id = model.run if model else rest
        run = self._runs.get(project, run_id) if run_id else None
        is_own = run is not None and run.job == by.job
        if by.job and not is_own and not (reads and self._serves(by.job, reads)):
            raise NotFound(f"Run with id={run_id} not found")
        if model is not None:
            if model.experiment != experiment:
                raise NotFound(f"Logged model with ID '{model.id}' not found.")
            return Owner(run.id if run else model.id, model.label, run, model.is_deleted)
        assert run is not None, "a root that is no model's names a run"
        return Owner(run.id, run.label, run, run.is_deleted)
