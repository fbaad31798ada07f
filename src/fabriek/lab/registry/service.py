"""Verbs on the registry: names under which versions and aliases are kept. What runs logged and versions have rooms of their own beside it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import AlreadyExists, NotFound, NotPermitted
from fabriek.lab.desk import Parts as LabParts
from fabriek.lab.keeping import Keeping
from fabriek.lab.registry.logged_models import LoggedModels
from fabriek.lab.registry.models import (
    LoggedModel,
    ModelVersion,
    RegisteredModel,
    check_alias,
    check_description,
    check_model_name,
    check_tag_key,
    check_tags,
    says_prompt,
)
from fabriek.lab.registry.parts import Page, Parts, asks_for_prompts, paged, without_prompt_tag
from fabriek.lab.registry.ports import AliasGuard, Models, ModelVersions
from fabriek.lab.registry.search import (
    REGISTERED,
    REGISTERED_ORDERS,
    Found,
    Scalar,
    completed,
    matches,
    milliseconds,
    only,
    ordered,
)
from fabriek.lab.registry.search import by as ordered_by
from fabriek.lab.registry.versions import Versions


class Registry:
    """Registered models and aliases; `logged_models` and `model_versions` beside them."""

    def __init__(
        self,
        models: Models,
        versions: ModelVersions,
        keeping: Keeping,
        lab: LabParts,
        *,
        guard: AliasGuard = lambda *_: None,
    ) -> None:
        self._guard = guard
        self._parts = Parts(
            models, versions, lab.runs, lab.tracks, lab.experiments, keeping, lab.audit, lab.labels, lab.clock, lab.ids,
            is_released=lab.is_released,
        )  # fmt: skip
        self._models, self._versions, self._audit, self._clock = models, versions, lab.audit, lab.clock
        self.logged_models = LoggedModels(self._parts)
        self.model_versions = Versions(self._parts, self.logged_models, guard)

    # Names.

    def register(
        self, project: str, name: object, *, description: str = "", tags: Mapping[str, str] | None = None, by: Caller
    ) -> RegisteredModel:
        """Raises AlreadyExists."""
        require(by, "lab.write", project=project)
        chosen = check_model_name(name)
        now = self._clock.now()
        made = RegisteredModel(project, chosen, now, now, check_description(description), check_tags(tags or {}))
        with self._parts.alone_on(project, chosen):
            known = self._models.registered(project, chosen)
            if known is not None:
                raise _exists_already(known, is_prompt=says_prompt(made.tags))
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
        """By name, without prompts."""
        require(by, "lab.view", project=project)
        return [one for one in self._models.all_registered(project) if not says_prompt(one.tags)]

    def search(
        self, project: str, *, filter_text: str = "", order_by: Sequence[str] = (), limit: int = 100, offset: int = 0, by: Caller
    ) -> Page[RegisteredModel]:  # fmt: skip
        """Raises InvalidInput on a filter or an order that is none."""
        require(by, "lab.view", project=project)
        conditions = REGISTERED.conditions(filter_text)
        orders = completed(REGISTERED_ORDERS.orders(order_by), ordered_by("name"))
        prompts = asks_for_prompts(conditions)
        asked = conditions if prompts else without_prompt_tag(conditions)
        found = [
            one
            for one in self._models.all_registered(project, names=only(conditions, "name"))
            if says_prompt(one.tags) is prompts and matches(Found(_attributes(one), one.tags), asked)
        ]
        return paged(ordered(found, orders, lambda one, order: _attributes(one)[order.key]), limit, offset)

    def change(
        self, project: str, name: object, *, description: str | None = None, tags: Mapping[str, str] | None = None,
        dropped: Sequence[object] = (), by: Caller,
    ) -> RegisteredModel:  # fmt: skip
        """Says something else of it; `dropped`: keys of tags that go. Tags leave its time of change alone, as in MLflow."""
        require(by, "lab.write", project=project)
        gone = {check_tag_key(key) for key in dropped}
        with self._parts.alone_on(project, name):
            home = self.registered(project, name, by=by)
            kept = {key: value for key, value in {**home.tags, **(tags or {})}.items() if key not in gone}
            changed = replace(home, tags=check_tags(kept))
            if description is not None:
                changed = replace(changed, description=check_description(description), changed_at=self._clock.now())
            self._models.put_registered(changed)
        return changed

    def rename(self, project: str, name: object, new_name: object, *, by: Caller) -> RegisteredModel:
        """With its versions. Raises AlreadyExists, also where a name that was deleted had versions: their numbers stay theirs."""
        require(by, "lab.write", project=project)
        _refuse_jobs(by)
        chosen = check_model_name(new_name, "new_name")
        first, second = sorted(
            (check_model_name(name), chosen)
        )  # always in the same order, so that two renames cannot wait for each other
        with (
            self._parts.alone_on(project, first),
            self._parts.alone_on(project, second),
        ):
            home = self.registered(project, name, by=by)
            if chosen == home.name:
                return home
            self._guard_all(home)
            if self._models.registered(project, chosen) is not None:
                raise AlreadyExists(f"Registered Model (name={chosen}) already exists.")
            if self._versions.newest_number(project, chosen):
                raise AlreadyExists(
                    f"Registered Model (name={chosen}) already exists. It was deleted, and its versions keep their numbers."
                )
            renamed = replace(home, name=chosen, changed_at=self._clock.now())
            self._models.put_registered(renamed)
            self._versions.rename(project, home.name, chosen)
            self._models.remove_registered(project, home.name)
            self._audit.record("model.renamed", project, by)
        return renamed

    def unregister(self, project: str, name: object, *, by: Caller) -> None:
        """The name, its aliases and its versions. The files stay where their runs have them."""
        require(by, "lab.write", project=project)
        _refuse_jobs(by)
        with self._parts.alone_on(project, name):
            home = self.registered(project, name, by=by)
            self._guard_all(home)
            for one in self._versions.of_model(project, home.name):
                self.model_versions.withdraw(one, by)
            self._models.remove_registered(project, home.name)
            self._audit.record("model.unregistered", project, by)

    def _guard_all(self, home: RegisteredModel) -> None:
        """Under another name, or under none, its aliases are no longer where their rules put them."""
        for alias in home.aliases:
            self._guard(home.project, home.name, alias, None)

    # Aliases.

    def set_alias(self, project: str, name: object, alias: object, number: object, *, by: Caller) -> None:
        require(by, "lab.write", project=project)
        chosen = check_alias(alias)
        with self._parts.alone_on(project, name):
            version = self.version(project, name, number, by=by)
            self._guard(project, version.name, chosen, version)
            home = self.registered(project, name, by=by)
            self._models.put_registered(replace(home, aliases={**home.aliases, chosen: version.number}))
            self._audit.record(
                "model.alias_set",
                version.model_id or version.run or project,
                by,
                project=project,
                number=version.number,
            )

    def aliased(self, project: str, name: object, alias: object, *, by: Caller) -> ModelVersion:
        """`latest` is the newest version. Raises NotFound."""
        home = self.registered(project, name, by=by)
        chosen = check_alias(alias, new=False)
        if chosen.lower() == "latest":
            newest = self.model_versions.newest(project, [home.name], by=by).get(home.name)
            if newest is None:
                raise NotFound(f"Latest version not found for model {home.name}.")
            return newest
        number = home.aliases.get(chosen)
        if number is None:
            raise NotFound(f"Registered model alias {chosen} not found.")
        return self.version(project, home.name, number, by=by)

    def drop_alias(self, project: str, name: object, alias: object, *, by: Caller) -> None:
        """One that is not there is no error, as in MLflow."""
        require(by, "lab.write", project=project)
        gone = check_alias(alias, new=False)
        with self._parts.alone_on(project, name):
            home = self.registered(project, name, by=by)
            self._guard(project, home.name, gone, None)
            left = {one: number for one, number in home.aliases.items() if one != gone}
            self._models.put_registered(replace(home, aliases=left))
            if gone in home.aliases:
                self._audit.record("model.alias_dropped", project, by)

    # What the rest of the factory asks.

    def log_model(
        self, project: str, experiment: str, run_id: str, *, name: str, model_type: str, tags: Mapping[str, str],
        params: Mapping[str, str], by: Caller,
    ) -> LoggedModel:  # fmt: skip
        return self.logged_models.create(
            project, experiment, run_id, name=name, model_type=model_type, tags=tags, params=params, by=by
        )

    def logged(self, project: str, model_id: str, *, by: Caller) -> LoggedModel:
        return self.logged_models.get(project, model_id, by=by)

    def change_logged(
        self, project: str, model_id: str, *, status: str = "", tags: Mapping[str, str] | None = None, by: Caller
    ) -> LoggedModel:
        return self.logged_models.change(project, model_id, status=status, tags=tags, by=by)

    def logged_of(self, project: str, experiments: Sequence[str], *, by: Caller) -> Sequence[LoggedModel]:
        return self.logged_models.of(project, experiments, by=by)

    def add_version(
        self, project: str, name: object, *, source: str, run_id: str, model_id: str, description: str, tags: Mapping[str, str],
        by: Caller,
    ) -> ModelVersion:  # fmt: skip
        return self.model_versions.add(
            project, name, source=source, run_id=run_id, model_id=model_id, description=description, tags=tags, by=by
        )

    def version(self, project: str, name: object, number: object, *, by: Caller) -> ModelVersion:
        return self.model_versions.get(project, name, number, by=by)

    def versions(self, project: str, name: str = "", *, by: Caller) -> Sequence[ModelVersion]:
        """Newest first; every model's where no name is given, without prompts."""
        return [one for one in self.model_versions.of(project, name, by=by) if name or one.place]

    def change_version(
        self, project: str, name: object, number: object, *, description: str | None = None, tags: Mapping[str, str] | None = None,
        by: Caller,
    ) -> ModelVersion:  # fmt: skip
        return self.model_versions.change(project, name, number, description=description, tags=tags, by=by)

    def models_of_run(self, run_id: str) -> tuple[tuple[str, int, str, str], ...]:
        """(name, version, sha256, label) of what a run registered: for its statement of origin."""
        return tuple((one.name, one.number, one.sha256, one.label) for one in self._versions.of_run(run_id))

    def left_by_runs(self, runs: Collection[str]) -> Mapping[str, Sequence[ModelVersion]]:
        """Run → what it registered. Who asks says what of it may be told to whom."""
        found = dict[str, list[ModelVersion]]()
        for one in self._versions.of_runs(runs):
            found.setdefault(one.run, []).append(one)
        return found


def _attributes(model: RegisteredModel) -> dict[str, Scalar]:
    return {"name": model.name, "last_updated_timestamp": milliseconds(model.changed_at)}


def _refuse_jobs(by: Caller) -> None:
    """A script may add to the registry; what others rely on is taken from it by a person."""
    if by.job:
        raise NotPermitted(
            "a job does not delete or rename registered models", rule="registry.jobs", fix="do it as a person"
        )


def _exists_already(known: RegisteredModel, *, is_prompt: bool) -> AlreadyExists:
    old, new = (
        ("Prompt" if says_prompt(known.tags) else "Registered Model"),
        ("Prompt" if is_prompt else "Registered Model"),
    )
    if old == new:
        return AlreadyExists(f"{old} (name={known.name}) already exists.")
    return AlreadyExists(
        f"Tried to create a {new.lower()} with name {known.name!r}, but the name is already taken by a {old.lower()}. "
        "MLflow does not allow creating a model and a prompt with the same name."
    )
