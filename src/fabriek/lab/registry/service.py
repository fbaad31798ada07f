"""Verbs on models: log one, register it, give it versions and aliases. A version's label is its run's and cannot be lowered."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound
from fabriek.kernel.ids import Ids
from fabriek.lab.keeping import Keeping
from fabriek.lab.ports import Experiments, Runs
from fabriek.lab.registry.models import LoggedModel, ModelVersion, RegisteredModel, check_alias, check_model_name
from fabriek.lab.registry.ports import Models, ModelVersions


class Registry:
    """Logged models, registered models, versions, aliases."""

    def __init__(
        self,
        models: Models,
        versions: ModelVersions,
        runs: Runs,
        experiments: Experiments,
        keeping: Keeping,
        audit: Audit,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._models, self._versions, self._runs, self._experiments = models, versions, runs, experiments
        self._keeping, self._audit, self._clock, self._ids = keeping, audit, clock, ids

    def log_model(
        self,
        project: str,
        experiment: str,
        run_id: str,
        *,
        name: str,
        model_type: str,
        tags: Mapping[str, str],
        params: Mapping[str, str],
        by: Caller,
    ) -> LoggedModel:
        """A model that a run is about to fill with files."""
        require(by, "lab.write", project=project)
        run = self._runs.get(project, run_id)
        if by.job and run.job != by.job:
            raise NotFound(f"Run with id={run_id} not found")
        now = self._clock.now()
        made = LoggedModel(
            f"m-{self._ids.random(16).hex()}", project, experiment or run.experiment, run.id, name or "model", model_type, "LOGGED_MODEL_PENDING",
            run.label, now, now, dict(tags), dict(params),
        )  # fmt: skip
        with self._experiments.transaction():
            self._models.put_logged(made)
        return made

    def logged(self, project: str, model_id: str, *, by: Caller) -> LoggedModel:
        require(by, "lab.view", project=project)
        found = self._models.logged(project, model_id)
        if by.job and self._runs.get(project, found.run).job != by.job:
            raise NotFound(f"Logged model with ID '{model_id}' not found.")
        return found

    def change_logged(
        self, project: str, model_id: str, *, status: str = "", tags: Mapping[str, str] | None = None, by: Caller
    ) -> LoggedModel:
        require(by, "lab.write", project=project)
        with self._experiments.transaction():
            found = self.logged(project, model_id, by=by)
            changed = replace(
                found, status=status or found.status, tags={**found.tags, **(tags or {})}, changed_at=self._clock.now()
            )
            self._models.put_logged(changed)
        return changed

    def logged_of(self, project: str, experiments: Sequence[str], *, by: Caller) -> Sequence[LoggedModel]:
        require(by, "lab.view", project=project)
        found = self._models.logged_of(project, experiments)
        return [one for one in found if not by.job or self._runs.get(project, one.run).job == by.job]

    def register(
        self, project: str, name: object, *, description: str = "", tags: Mapping[str, str] | None = None, by: Caller
    ) -> RegisteredModel:
        """Raises AlreadyExists."""
        require(by, "lab.write", project=project)
        chosen = check_model_name(name)
        now = self._clock.now()
        made = RegisteredModel(project, chosen, now, now, description, dict(tags or {}))
        with self._experiments.transaction(alone=f"model:{project}:{chosen}"):
            if self._models.registered(project, chosen) is not None:
                raise AlreadyExists(f"Registered Model (name={chosen}) already exists.")
            self._models.put_registered(made)
            self._audit.record("model.registered", project, by)
        return made

    def registered(self, project: str, name: object, *, by: Caller) -> RegisteredModel:
        """Raises NotFound."""
        require(by, "lab.view", project=project)
        found = self._models.registered(project, check_model_name(name))
        if found is None:
            raise NotFound(f"Registered Model with name={name} not found")
        return found

    def all_registered(self, project: str, *, by: Caller) -> Sequence[RegisteredModel]:
        require(by, "lab.view", project=project)
        return self._models.all_registered(project)

    def add_version(
        self,
        project: str,
        name: object,
        *,
        source: str,
        run_id: str,
        model_id: str,
        description: str,
        tags: Mapping[str, str],
        by: Caller,
    ) -> ModelVersion:
        """A version of what a run logged. The source is matched to that run's model and never opened as a place."""
        require(by, "lab.write", project=project)
        model = self._source(project, source, run_id, model_id, by)
        root = f"{model.experiment}/models/{model.id}"
        digest = hashlib.sha256(
            "\n".join(f"{one.sha256}  {one.path}" for one in self._keeping.files(project, root)).encode()
        ).hexdigest()
        with self._experiments.transaction(alone=f"model:{project}:{name}"):
            home = self.registered(project, name, by=by)
            known = self._versions.of_model(project, home.name)
            now = self._clock.now()
            made = ModelVersion(
                project, home.name, (known[0].number if known else 0) + 1, model.run, model.id, f"models:/{model.id}", model.label, digest,
                now, now, description, dict(tags),
            )  # fmt: skip
            self._versions.put(made)
            self._models.put_registered(replace(home, changed_at=now))
            self._audit.record(
                "model.version_added",
                made.model_id,
                by,
                project=project,
                number=made.number,
                label=made.label,
                sha256=digest,
            )
        return made

    def version(self, project: str, name: object, number: object, *, by: Caller) -> ModelVersion:
        require(by, "lab.view", project=project)
        try:
            wanted = int(str(number))
        except ValueError:
            raise InvalidInput("Model version must be an integer") from None
        return self._versions.get(project, check_model_name(name), wanted)

    def versions(self, project: str, name: str = "", *, by: Caller) -> Sequence[ModelVersion]:
        """Newest first; every model's where no name is given."""
        require(by, "lab.view", project=project)
        return self._versions.of_model(project, name)

    def change_version(
        self,
        project: str,
        name: object,
        number: object,
        *,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        by: Caller,
    ) -> ModelVersion:
        require(by, "lab.write", project=project)
        with self._experiments.transaction():
            found = self.version(project, name, number, by=by)
            changed = replace(
                found, description=found.description if description is None else description, tags={**found.tags, **(tags or {})},
                changed_at=self._clock.now(),
            )  # fmt: skip
            self._versions.put(changed)
        return changed

    def set_alias(self, project: str, name: object, alias: object, number: object, *, by: Caller) -> None:
        require(by, "lab.write", project=project)
        with self._experiments.transaction(alone=f"model:{project}:{name}"):
            version = self.version(project, name, number, by=by)
            home = self.registered(project, name, by=by)
            self._models.put_registered(replace(home, aliases={**home.aliases, check_alias(alias): version.number}))
            self._audit.record("model.alias_set", version.model_id, by, project=project, number=version.number)

    def aliased(self, project: str, name: object, alias: object, *, by: Caller) -> ModelVersion:
        home = self.registered(project, name, by=by)
        number = home.aliases.get(str(alias))
        if number is None:
            raise NotFound(f"Registered model alias {alias} not found.")
        return self._versions.get(project, home.name, number)

    def drop_alias(self, project: str, name: object, alias: object, *, by: Caller) -> None:
        require(by, "lab.write", project=project)
        with self._experiments.transaction(alone=f"model:{project}:{name}"):
            home = self.registered(project, name, by=by)
            self._models.put_registered(
                replace(home, aliases={one: number for one, number in home.aliases.items() if one != alias})
            )
            self._audit.record("model.alias_dropped", project, by)

    def models_of_run(self, run_id: str) -> tuple[tuple[str, int, str, str], ...]:
        """(name, version, sha256, label) of what a run registered: for its statement of origin."""
        return tuple((one.name, one.number, one.sha256, one.label) for one in self._versions.of_run(run_id))

    def _source(self, project: str, source: str, run_id: str, model_id: str, by: Caller) -> LoggedModel:
        if model_id:
            return self.logged(project, model_id, by=by)
        if source.startswith("models:/m-"):
            return self.logged(project, source.removeprefix("models:/").split("/")[0], by=by)
        run = self._runs.get(project, run_id) if run_id else None
        for one in self._models.logged_of(project, [run.experiment]) if run else []:
            if (
                run is not None
                and one.run == run.id
                and source.rstrip("/").endswith((f"/{one.name}", f"/{one.id}/artifacts"))
            ):
                return self.logged(project, one.id, by=by)
        raise InvalidInput(
            f"Invalid model version source: '{source}'. It must be a model that a run of this project logged."
        )
